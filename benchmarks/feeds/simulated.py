"""A recording sent as a live feed by a process of its own, and the table of when each frame left."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe.demo.performer import perform
from motionscribe.feed_clock import now_us
from motionscribe.sources.schemes import Scheme
from motionscribe.sources.sending import Actor, Sender, Track, play
from motionscribe_models.recordings import read_recording
from motionscribe_models.recordings.writing import write_recording

Sent = NDArray[np.int64]
"""(n, 2): the time that the feed's clock gives a frame, and when it left, both microseconds."""

ADDRESSES = {
    "lsl": "benchmark",
    "vmc": "127.0.0.1:38001",
    "mvn": "127.0.0.1:38002",
    "natnet": "127.0.0.1:38003",
    "qtm": "127.0.0.1:38004",
    "udp": "127.0.0.1:38005",
    "ws": "127.0.0.1:38006",
}
"""Of each feed: where one of the two, simulator and client, listens."""


def write_performance(path: Path, script: Sequence[tuple[str, float]], rate_hz: float) -> None:
    """Somebody who does not exist, as places of joints in metres."""
    write_recording(Actor(perform(script, rate_hz=rate_hz).recording).as_places(), path)


CALLED_S = 1.5
"""By then a client has called a simulator that is a server."""


class _Timed:
    """A Sender that notes when frames leave."""

    def __init__(self, sender: Sender, scheme: str) -> None:
        self.sent: list[tuple[int, int]] = []
        self.close = sender.close
        self._sender = sender
        self._is_lsl = scheme == "lsl"
        self._offset_us: int | None = None

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        if self._offset_us is None:
            self._offset_us = _lsl_clock_us() - time_us if self._is_lsl else 0
        self.sent.append((time_us + self._offset_us, now_us()))
        self._sender.send(time_us, rows)


def _lsl_clock_us() -> int:
    import pylsl

    return int(pylsl.local_clock() * 1e6)


def _send(scheme: Scheme, address: str, path: Path, speed: float, rounds: int, pipe: Connection) -> None:
    recording = read_recording(path)
    sender = _Timed(scheme.open_sender([recording], address), scheme.name)
    pipe.send("ready")
    pipe.recv()
    track = Track.of([recording])
    period_us = round(1e6 / recording.skeleton.rate_hz)
    length_us = track.times_us[-1] - track.times_us[0] + period_us
    times = [time_us + n * length_us for n in range(rounds) for time_us in track.times_us]
    play([recording], sender, track=Track(times, times, [*track.rows] * rounds), speed=speed)
    pipe.send(np.array(sender.sent, np.int64))


class Simulator:
    """Talks with the process that sends."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def go(self) -> None:
        """Waits until it can send, some when somebody listens, and lets frames leave a while later."""
        assert self._pipe.recv() == "ready"
        time.sleep(CALLED_S)
        self._pipe.send("go")

    def sent(self) -> Sent:
        """Waits until all frames have left."""
        table: Sent = self._pipe.recv()
        return table


@contextmanager
def simulator(scheme: Scheme, path: Path, speed: float = 1.0, rounds: int = 1) -> Iterator[Simulator]:
    """A process that sends the recording at `path`, so often, when it is told to."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (scheme, ADDRESSES[scheme.name], path, speed, rounds, theirs)
    process = context.Process(target=_send, args=arguments, daemon=True)
    process.start()
    try:
        yield Simulator(ours)
    finally:
        process.terminate()
        process.join()
