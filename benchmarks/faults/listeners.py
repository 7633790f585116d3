"""Clients of durable streams of real recordings that compare what they hear with an undisturbed run."""

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motionscribe import AsyncClient, Backoff
from motionscribe_models.recordings import Recording, even_times, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.events import Event, Label
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

MODEL = Path("models/cmu-expmap/1")


@dataclass(frozen=True)
class Pace:
    """How clients send."""

    rate_hz: int
    piece_s: int
    """Length of their streams, in seconds of motion."""
    realtime: float | None
    """None: as fast as the server takes it."""


WALKING = Pace(30, 40, 1.0)
FLAT_OUT = Pace(120, 60, None)
"""More frames than there are credits."""


def pieces(data: Path, pace: Pace) -> list[Recording]:
    """All of CMU subject 86 in pieces."""
    found = []
    for path in sorted((data / "sub86").glob("[0-9][0-9].mat")):
        whole = read_recording(path)
        skeleton = replace(whole.skeleton, rate_hz=pace.rate_hz)
        frames = whole.frames[:: round(whole.skeleton.rate_hz / pace.rate_hz)]
        length = pace.piece_s * pace.rate_hz
        for start in range(0, len(frames) - length + 1, length):
            part = frames[start : start + length]
            found.append(Recording(path.stem, part, even_times(len(part), pace.rate_hz), skeleton))
    return found


def lasting(events: Sequence[Event]) -> list[bytes]:
    """All but labels that may still change, byte for byte."""
    kept = [event for event in events if not (isinstance(event, Label) and not event.final)]
    return [message.SerializeToString(deterministic=True) for message in events_to_messages(kept)]


class Listeners:
    """`count` clients, each with one stream after the other."""

    def __init__(self, data: Path, count: int, pace: Pace) -> None:
        self._pace = pace
        self._pieces = pieces(data, pace)
        bundle = read_bundle(MODEL)
        model, engine = ServedModel(bundle), Inference(bundle, batch_sizes=(1,))
        options = SessionOptions(rate_hz=pace.rate_hz)
        self._expected = [
            lasting([emitted.event for emitted in replay(model, engine, piece, options)]) for piece in self._pieces
        ]
        self._count = count
        self._over = asyncio.Event()
        self._heard: list[list[float]] = [[] for _ in range(count)]  # when, for each client; NaN as a stream begins
        self.events = self.lost = self.repeated = self.streams = 0
        self.failures: list[str] = []

    async def run(self, address: str) -> None:
        """Until `stop`, and to the end of the streams that play by then."""
        await asyncio.gather(*(self._listen(address, number) for number in range(self._count)))

    def stop(self) -> None:
        """No more streams begin."""
        self._over.set()

    def playing(self, since: float) -> bool:
        """Every client has heard something since that moment."""
        return all(heard and heard[-1] > since for heard in self._heard)

    def pauses(self, moments: Sequence[float]) -> list[float]:
        """Of each client, the longest silence amid a stream between each of these moments and the next, in seconds."""
        found = []
        for heard in self._heard:
            begins, ends = np.array(heard[:-1]), np.array(heard[1:])
            for moment, following in itertools.pairwise([*moments, math.inf]):
                during = (ends > moment) & (begins < following)  # False where one of the two is NaN
                if during.any():
                    found.append(float((ends - begins)[during].max()))
        return found

    async def _listen(self, address: str, number: int) -> None:
        async with AsyncClient(address, backoff=Backoff(attempts=10_000)) as client:
            for turn in itertools.count():
                which = (number + turn * self._count) % len(self._pieces)
                try:
                    got = await self._play(client, which, number, f"listener-{number}-{turn}")
                except Exception as error:
                    self.failures.append(f"{type(error).__name__}: {error}")
                    got = []
                expected, heard = Counter(self._expected[which]), Counter(got)
                in_order = got == self._expected[which] or expected != heard
                self.failures += [] if in_order else [f"stream {turn} of client {number}: another order"]
                self.lost += (expected - heard).total()
                self.repeated += (heard - expected).total()
                self.events += expected.total()
                self.streams += 1
                if self._over.is_set():
                    return

    async def _play(self, client: AsyncClient, which: int, number: int, stream_id: str) -> list[bytes]:
        events: list[Event] = []
        self._heard[number].append(math.nan)
        while True:
            try:
                piece, realtime = self._pieces[which], self._pace.realtime
                stream = client.stream(piece, stream_id=stream_id, durable=True, realtime=realtime)
                await stream.open()
                break
            except ConnectionError:  # as any client would that finds no server yet
                await asyncio.sleep(0.2)
        async with stream:
            async for event in stream:
                events.append(event)
                self._heard[number].append(time.monotonic())
        return lasting(events)


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, and the 5 % and 95 % quantiles."""
    low, value, high = np.quantile(values, [0.05, 0.5, 0.95]).tolist()
    return {"value": round(value, 3), "low": round(low, 3), "high": round(high, 3), "n": len(values)}
