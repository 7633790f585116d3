"""The demo in a browser: a server, its page, and a performance that begins again and again, until it is interrupted.

Each round is another performer on one stream id, so that names given on the page hold.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from motionscribe.client import Client
from motionscribe.demo.performer import perform
from motionscribe.demo.server import serve
from motionscribe.errors import ServerFailed

STREAM_ID = "demo"


def broadcast(models: Path, port: int, *, seed: int, speed: float) -> None:
    """Never returns by itself. Raises UnknownModelError, ServerFailed, MotionscribeError, KeyboardInterrupt."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # of which a job in the background ignores the first by itself
        signal.signal(ending, signal.default_int_handler)
    with serve(models) as address, _page(address, port), Client(address) as client:
        for number in count(seed):
            recording = perform(seed=number).recording
            with client.stream(recording, stream_id=STREAM_ID, realtime=speed, anomaly_scores=True) as stream:
                for _ in stream:
                    pass


@contextmanager
def _page(address: str, port: int) -> Iterator[None]:
    """The page of a server, in a process of its own, which says where it is. Raises ServerFailed where it does not."""
    command = [sys.executable, "-m", "motionscribe", "page", "--address", address, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        try:
            said = page.stdout.readline() if page.stdout else ""
            if not said:
                raise ServerFailed(f"expected a page on port {port}, its last words stand above")
            print(f"{said.strip()}: Ctrl-C ends it", flush=True)
            yield
        finally:
            page.terminate()
