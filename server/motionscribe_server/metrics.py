"""Prometheus metrics of one server, served over HTTP on loopback when a port is set.

Each Metrics has a registry of its own, so that several servers can live in one process. Times are seconds.
"""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Sequence
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from motionscribe_proto.events import Event
from motionscribe_server.access.tenants import HEADER, Tenants
from motionscribe_server.errors import SettingsError, UnauthenticatedError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
PATIENCE_S = 10.0
"""For a request over HTTP that does not come."""
# from one small batch on a GPU to the largest on one slow core
TICK_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
CHECKPOINT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters, gauges and histograms; the rest of the server sets them."""

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
            "What is given up under load: 1 provisional labels, 2 also windows, 3 also new streams",
            registry=self.registry,
        )
        self.batch = Histogram(
            "motionscribe_batch_streams", "Streams computed together", buckets=BATCH_BUCKETS, registry=self.registry
        )
        self.tick = Histogram(
            "motionscribe_tick_seconds", "Time of one batch in a worker", buckets=TICK_BUCKETS, registry=self.registry
        )
        self.checkpoint_delay = Histogram(
            "motionscribe_checkpoint_delay_seconds",
            "How long computed frames of a durable stream waited for their checkpoint",
            buckets=CHECKPOINT_BUCKETS,
            registry=self.registry,
        )
        self.throttled = Counter(
            "motionscribe_throttled_seconds", "Time that tenants waited for their quota", registry=self.registry
        )
        self.store_failures = Counter(
            "motionscribe_store_failures", "Saves that the store refused", registry=self.registry
        )

    def count_events(self, events: Sequence[Event]) -> None:
        """Counts events by kind."""
        for kind, count in Counts(type(event).__name__ for event in events).items():
            self.events.labels(kind).inc(count)

    def serve(self, port: int, tenants: Tenants, serves: Callable[[], bool]) -> "MetricsServer":
        """Serves /metrics to whoever has a token, /healthz to all. Raises SettingsError if the port is taken."""
        app = _with_health(_with_tokens(make_wsgi_app(self.registry), tenants), serves)
        try:
            server = make_server(LOOPBACK, port, app, ThreadingWSGIServer, QuietHandler)
        except OSError as error:
            raise SettingsError(f"server.metrics_port: expected a free port, got {port}: {error.strerror}") from error
        return MetricsServer(server)


class MetricsServer:
    """The HTTP server of metrics, in a thread of its own until it is closed."""

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self.port = int(server.server_port)
        self._thread = Thread(target=server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops the server and frees its port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class QuietHandler(WSGIRequestHandler):
    """Handles requests without logging them."""

    timeout = PATIENCE_S

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


def _with_health(app: "WSGIApplication", serves: Callable[[], bool]) -> "WSGIApplication":
    """GET /healthz: 200 while the server serves, 503 when it drains."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/healthz":
            return app(environ, start_response)
        status, text = ("200 OK", b"serving\n") if serves() else ("503 Service Unavailable", b"draining\n")
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]

    return answer


def _with_tokens(app: "WSGIApplication", tenants: Tenants) -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            tenants.tenant([(HEADER, environ.get("HTTP_AUTHORIZATION", ""))])
        except UnauthenticatedError as error:
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Type", "text/plain")])
            return [str(error).encode()]
        return app(environ, start_response)

    return answer
