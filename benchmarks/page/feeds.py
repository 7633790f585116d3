"""Live streams of the shipped model body for a page to show, and the page as a process of its own."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.speed.load import Load
from benchmarks.speed.service import PATIENCE_S, Process, cpu_s_of
from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped

MODEL = Path(__file__).parents[2] / "models" / "body" / "1"
SCRIPT = [("walk", 15.0), ("squat", 10.0), ("wave", 10.0), ("walk", 10.0), ("punch", 10.0)]
PERFORMERS = 4


@asynccontextmanager
async def streaming(streams: int, rate_hz: float) -> AsyncIterator[Process]:
    """A server to which performers send so many streams, load-0, load-1, ..., at their own pace, a frame a message."""
    performances = [perform(SCRIPT, rate_hz=rate_hz, seed=seed).recording for seed in range(PERFORMERS)]
    bodies = [mapped(performance) for performance in performances]
    server = Process(MODEL)
    load = Load(server.address, bodies[0].skeleton, [body.frames for body in bodies], rate_hz)
    try:
        await load.add(streams, 1)
        await load.settle(PATIENCE_S)
        yield server
    finally:
        await load.close()
        server.stop()


class PageProcess:
    """`motionscribe page` of a server at `address`; it can be opened when this returns."""

    def __init__(self, address: str) -> None:
        command = [sys.executable, "-m", "motionscribe", "page", "--address", address, "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    @property
    def cpu_s(self) -> float:
        """Processor time so far."""
        return cpu_s_of([self._process.pid])

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait()
