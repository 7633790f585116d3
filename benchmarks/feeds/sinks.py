"""From an event to whoever waits for it: `python -m benchmarks.feeds.sinks`.

Segments begin and end PER_S times a second; a sink of each kind sends them to a real receiver on this machine: a server
of OSC, Mosquitto and a subscriber, a web server, an inlet of LSL, and for files a program that follows the file. A
segment's time runs from when its event was given to the sink until the receiver had it; `missing` never came. Files
that are written as a whole are not here: they are complete a second after something changed, by design. Value is that
of all rounds together, low and high those of the best and the worst round.
"""

import argparse
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import Numbers, pooled, save
from motionscribe.events import SegmentEnded, SegmentStarted
from motionscribe.sinks import StreamInfo
from motionscribe.sinks.addresses import parse_place

PER_S, SECONDS, ROUNDS, PATIENCE_S = 30.0, 20.0, 3, 5.0
OSC, MQTT = 38010, 38011

Hear = Callable[[str], None]
"""Takes the name of a segment that has come."""


@contextmanager
def _osc(hear: Hear) -> Iterator[str]:
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer

    dispatcher = Dispatcher()
    dispatcher.map("/motionscribe/*/segment/started", lambda address, segment, cluster, name, id: hear(name))
    with BlockingOSCUDPServer(("127.0.0.1", OSC), dispatcher) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"osc:127.0.0.1:{OSC}"
        server.shutdown()


@contextmanager
def _mqtt(hear: Hear) -> Iterator[str]:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    command = ["/usr/sbin/mosquitto", "-p", str(MQTT)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as broker:
        time.sleep(0.5)
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda client, data, message: hear(json.loads(message.payload)["name"])
        client.connect("127.0.0.1", MQTT)
        client.subscribe("m/+/SegmentStarted", qos=1)
        client.loop_start()
        yield f"mqtt:127.0.0.1:{MQTT}/m"
        client.loop_stop()
        broker.terminate()


@contextmanager
def _web(hear: Hear) -> Iterator[str]:
    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            for message in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
                hear(message["name"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()


@contextmanager
def _lsl(hear: Hear) -> Iterator[str]:
    import pylsl

    def listen() -> None:
        (info,) = pylsl.resolve_byprop("name", "benchmark-bench", 1, 20.0)
        inlet = pylsl.StreamInlet(info)
        while not ended.is_set():
            marker, _ = inlet.pull_sample(timeout=0.2)
            if marker:
                hear(marker[0])

    ended = threading.Event()
    threading.Thread(target=listen, daemon=True).start()
    yield "lsl:benchmark"
    ended.set()


def _followed(ending: str) -> Callable[[Hear], Any]:
    @contextmanager
    def follow(hear: Hear) -> Iterator[str]:
        def listen() -> None:
            while not path.exists():
                time.sleep(0.01)
            with path.open() as file:
                while not ended.is_set():
                    line = file.readline()
                    if line.endswith("\n") and '"SegmentStarted"' not in line and "name" not in line.split(",")[:4]:
                        hear(json.loads(line)["name"] if line.startswith("{") else line.split(",")[3])
                    elif not line:
                        time.sleep(0.001)

        ended = threading.Event()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"events{ending}"
            threading.Thread(target=listen, daemon=True).start()
            yield str(path)
            ended.set()

    return follow


RECEIVERS: dict[str, Callable[[Hear], Any]] = {
    "osc": _osc,
    "mqtt": _mqtt,
    "http": _web,
    "lsl": _lsl,
    "csv": _followed(".csv"),
    "jsonl": _followed(".jsonl"),
}


def measure(kind: str) -> tuple[np.ndarray, int]:
    """Milliseconds of the segments that came, and how many did not, in one round."""
    written: dict[str, float] = {}
    came: dict[str, float] = {}

    def hear(name: str) -> None:
        came.setdefault(name, time.monotonic())

    count = round(PER_S * SECONDS)
    with RECEIVERS[kind](hear) as text:
        place, address = parse_place(text)
        with place.open(address) as make:
            sink = make(StreamInfo("bench", "bench"))
            time.sleep(2.0)  # LSL finds an outlet in a second or so
            for n in range(count):
                name, span = f"m{n}", (n * 4, n * 4 + 4, n * 33_333, n * 33_333 + 33_333)
                written[name] = time.monotonic()
                sink.write(SegmentStarted(n + 1, 7, name, span[0], span[2]))
                sink.write(SegmentEnded(n + 1, 7, name, *span))
                time.sleep(1 / PER_S)
            deadline = time.monotonic() + PATIENCE_S
            while len(came) < count and time.monotonic() < deadline:
                time.sleep(0.05)
            sink.close()
    return np.array([1000 * (came[name] - written[name]) for name in came if name in written]), count - len(came)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sinks", nargs="+", default=list(RECEIVERS))
    options = parser.parse_args()
    rows: dict[str, Numbers] = {}
    for kind in options.sinks:
        rounds = [measure(kind) for _ in range(options.rounds)]
        everything = np.concatenate([milliseconds for milliseconds, _ in rounds])
        for name, share in (("p50_ms", 50), ("p99_ms", 99)):
            each = [float(np.percentile(milliseconds, share)) for milliseconds, _ in rounds]
            of_all = float(np.percentile(everything, share))
            rows[f"sink/{kind}/{name}"] = pooled(of_all, each)
        missing = [float(count) for _, count in rounds]
        rows[f"sink/{kind}/missing"] = pooled(sum(missing), missing)
        print(
            kind,
            {name.rpartition("/")[2]: row["value"] for name, row in rows.items() if f"/{kind}/" in name},
            flush=True,
        )
    save(__file__, "sink", rows)


if __name__ == "__main__":
    main()
