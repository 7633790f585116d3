"""Prometheus metrics of one server, served over HTTP on loopback when a port is set.

Each Metrics has a registry of its own, so that several servers can live in one process. Times are seconds.
"""

from collections import Counter as Tally
from collections.abc import Sequence
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from motionscribe_proto.events import Event
from motionscribe_server.errors import SettingsError

LOOPBACK = "127.0.0.1"
# from one small batch on a GPU to the largest on one slow core
TICK_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters that the rest of the server feeds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.streams = Gauge("motionscribe_streams", "Streams with a live connection", registry=self.registry)
        self.watchers = Gauge("motionscribe_watchers", "Watch calls", registry=self.registry)
        self.frames = Counter("motionscribe_frames", "Frames received", ["model"], registry=self.registry)
        self.windows = Counter("motionscribe_windows", "Windows decoded", ["model"], registry=self.registry)
        self.events = Counter("motionscribe_events", "Events emitted", ["kind"], registry=self.registry)
        self.errors = Counter(
            "motionscribe_errors", "Calls that ended with an error", ["status"], registry=self.registry
        )
        self.shedding = Gauge(
            "motionscribe_shedding",
            "What is given up for lack of time: 1 provisional labels, 2 also windows, 3 also new streams",
            registry=self.registry,
        )
        self.batch = Histogram(
            "motionscribe_batch_streams", "Streams computed together", buckets=BATCH_BUCKETS, registry=self.registry
        )
        self.tick = Histogram(
            "motionscribe_tick_seconds", "Time of one batch in a worker", buckets=TICK_BUCKETS, registry=self.registry
        )
        self.store_failures = Counter(
            "motionscribe_store_failures", "Saves that the store refused", registry=self.registry
        )

    def count_events(self, events: Sequence[Event]) -> None:
        """Counts events by kind."""
        for kind, count in Tally(type(event).__name__ for event in events).items():
            self.events.labels(kind).inc(count)

    def serve(self, port: int) -> "MetricsServer":
        """Serves GET /metrics from a thread of its own. Raises SettingsError where the port is taken."""
        try:
            server, thread = start_http_server(port, LOOPBACK, self.registry)
        except OSError as error:
            raise SettingsError(f"metrics_port: expected a free port, got {port}: {error.strerror}") from error
        return MetricsServer(server, thread)


class MetricsServer:
    """The HTTP server of the metrics, until it is closed."""

    def __init__(self, server: WSGIServer, thread: Thread) -> None:
        self._server, self._thread = server, thread
        self.port = int(server.server_port)

    def close(self) -> None:
        """Gives the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
