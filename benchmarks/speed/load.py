"""Open-loop load: streams of real recordings, sent on a schedule that no answer moves.

In: a server's address, recordings. Out: delays in seconds, from when the last frame of a moment was due to be sent (not
from when it was) to the update whose newest label covers it: a sender that is held up by a slow server counts as late.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import WIRE_FLOAT, skeleton_to_message

PREFILLED_S = 30.0
"""Motion that a stream has seen before it is measured: a fresh one costs less."""
METHOD = "/motionscribe.v1.Segmentation/Stream"


@dataclass(frozen=True)
class Feed:
    """A recording over and over, in messages of a few frames."""

    frames: NDArray[np.float32]
    """(n, D)"""
    rate_hz: float
    block: int
    """Frames of a message."""

    def message(self, first: int, frames: int) -> bytes:
        """Frames from number `first` (from 0) on."""
        rows = np.arange(first, first + frames) % len(self.frames)
        step_us = 1e6 / self.rate_hz
        values = self.frames[rows].astype(WIRE_FLOAT, copy=False).tobytes()
        sent = pb.Frames(first_seq=first + 1, values=values, start_us=round(first * step_us), step_us=step_us)
        return pb.StreamRequest(frames=sent).SerializeToString()


@dataclass
class Sender:
    """One stream: what it sends when, and when it was answered."""

    feed: Feed
    call: Any
    sent: int = 0
    answered: int = 0
    """Frames that labels cover."""
    begin: float = 0.0
    prefilled: int = 0
    delays: list[tuple[float, float]] = field(default_factory=list)
    """When an answer came, and its delay."""
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def open(self, id: str, skeleton: Skeleton) -> None:
        """Begins the call and reads what comes back from then on."""
        layout = skeleton_to_message(skeleton)
        opening = pb.Open(stream_id=id, skeleton=layout, rate_hz=self.feed.rate_hz, provisional=True)
        await self.call.write(pb.StreamRequest(open=opening).SerializeToString())
        await self.call.read()
        self.tasks = [asyncio.create_task(self._receive())]

    async def prefill(self) -> None:
        """Returns when the motion of the past is answered."""
        frames = round(PREFILLED_S * self.feed.rate_hz)
        for first in range(0, frames, 120):
            await self.call.write(self.feed.message(first, min(120, frames - first)))
        self.sent = self.prefilled = frames
        while self.answered < frames - round(self.feed.rate_hz):
            await asyncio.sleep(0.01)

    def start(self, begin: float) -> None:
        """Sends from `begin` (time.monotonic) on, at the pace of the recording."""
        self.begin = begin
        self.tasks.append(asyncio.create_task(self._send()))

    async def stop(self) -> None:
        """Gives the call up."""
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)
        self.call.cancel()

    def due(self, message: int) -> float:
        """When a message should leave: as soon as its last frame is there."""
        return self.begin + message * self.feed.block / self.feed.rate_hz

    @property
    def behind_s(self) -> float:
        """How long the oldest frame that is not answered has been due; below 0 before the first is."""
        return time.monotonic() - self.due((self.answered - self.prefilled) // self.feed.block)

    async def _send(self) -> None:
        for number in count():
            message = self.feed.message(self.sent, self.feed.block)
            await asyncio.sleep(self.due(number) - time.monotonic())
            await self.call.write(message)
            self.sent += self.feed.block

    async def _receive(self) -> None:
        while (raw := await self.call.read()) is not grpc.aio.EOF:
            now = time.monotonic()
            for event in pb.StreamResponse.FromString(raw).update.events:
                if event.labels.end_seq and event.labels.end_seq[-1] - 1 > self.answered:
                    self.answered = event.labels.end_seq[-1] - 1
                    if self.answered > self.prefilled:
                        due = self.due((self.answered - 1 - self.prefilled) // self.feed.block)
                        self.delays.append((now, now - due))


class Load:
    """All streams of one run; more can be added while they run."""

    def __init__(self, address: str, skeleton: Skeleton, recordings: Sequence[NDArray[np.float32]], rate_hz: float):
        self._skeleton, self._recordings, self._rate_hz = skeleton, recordings, rate_hz
        self._address = address
        self._channels: list[grpc.aio.Channel] = []
        self._random = random.Random(0)
        self.senders: list[Sender] = []

    async def add(self, streams: int, block: int) -> None:
        """So many more, each at a moment of its own within a second."""
        new = await self.open(streams, block)
        await asyncio.gather(*(sender.prefill() for sender in new))
        for sender in new:
            sender.start(time.monotonic() + self._random.random())

    async def open(self, streams: int, block: int) -> list[Sender]:
        """So many more, which send nothing."""
        new: list[Sender] = []
        for _ in range(streams):
            number = len(self.senders) + len(new)
            if number >= 50 * len(self._channels):  # a connection carries a hundred streams at most
                options = (("grpc.use_local_subchannel_pool", 1),)
                self._channels.append(grpc.aio.insecure_channel(self._address, options))
            feed = Feed(self._recordings[number % len(self._recordings)], self._rate_hz, block)
            sender = Sender(feed, self._channels[-1].stream_stream(METHOD)())
            await sender.open(f"load-{number}", self._skeleton)
            new.append(sender)
        self.senders += new
        return new

    async def settle(self, patience_s: float) -> None:
        """Returns when what piled up while streams were added is answered, or when that takes too long."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end and any(sender.behind_s > 1.0 for sender in self.senders):
            await asyncio.sleep(0.1)
        await asyncio.sleep(2.0)

    async def measure(self, seconds: float) -> list[float]:
        """Delays of the answers that come in the next `seconds`, and of those that are missing by then."""
        begin = time.monotonic()
        await asyncio.sleep(seconds)
        delays = [delay for sender in self.senders for came, delay in sender.delays if came > begin]
        for sender in self.senders:
            if sender.behind_s > 1.0:  # longer than any moment lasts
                delays.append(sender.behind_s)
            sender.delays.clear()
        return delays

    async def close(self) -> None:
        """Ends all calls."""
        await asyncio.gather(*(sender.stop() for sender in self.senders))
        for channel in self._channels:
            await channel.close()
