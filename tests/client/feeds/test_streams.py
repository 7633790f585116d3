"""The streams of one feed: what one of several people does ends nobody else."""

import asyncio
import time
from collections.abc import Iterator

import numpy as np
import pytest
from tests.support.scripted_server import COLUMNS, ScriptedServer
from tests.support.told_feed import HERE_US, STEP_US, ToldReader, moments_of, standing

from motionscribe import AsyncClient
from motionscribe.errors import BadFrames
from motionscribe.events import Event, Label
from motionscribe.feeds import streams
from motionscribe.feeds.streams import FeedStreams, Numbers, Plan
from motionscribe.sinks import Sink, StreamInfo
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Body, Moment
from motionscribe_models.skeleton import feature_skeleton

MACHINE = feature_skeleton("machine", COLUMNS, 30.0)
FRAMES = 700


def moments() -> Iterator[Moment]:
    """Of two people, each with a clock of their own; bob's stands still."""
    for n in range(FRAMES):
        for person, time_us in (("eve", n * STEP_US), ("bob", 5)):
            body = Body(MACHINE, np.array([n % 5, 0.5], np.float32), person=person)
            yield Moment(time_us, HERE_US + n * STEP_US, [body])
        time.sleep(0.001)  # as fast as they can be taken


def test_who_is_refused_ends_nobody_else() -> None:
    labels: dict[str, int] = {}
    told: list[str] = []

    class Counting(Sink):
        def __init__(self, info: StreamInfo) -> None:
            self.stream_id = info.stream_id

        def write(self, event: Event) -> None:
            if isinstance(event, Label):
                labels[self.stream_id] = labels.get(self.stream_id, 0) + 1

        def close(self) -> None: ...

    async def run(address: str) -> None:
        async with AsyncClient(address) as client:
            feed = LiveFeed("hall", ToldReader(moments()), several=True)
            await FeedStreams(client, feed, Plan("told:hall", "hall"), [Counting], told.append).run()

    with ScriptedServer() as server, pytest.raises(BadFrames, match="30 Hz was said, times come every 0 us"):
        asyncio.run(run(server.address))
    assert labels["hall-eve"] == FRAMES
    assert len(told) == 1
    assert told[0].startswith("hall-bob: 30 Hz was said, times come every 0 us")


def test_no_more_streams_are_open_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_STREAMS", 2)
    infos: list[StreamInfo] = []
    is_open: set[str] = set()
    most = 0

    class Counting(Sink):
        def __init__(self, info: StreamInfo) -> None:
            nonlocal most
            infos.append(info)
            self.stream_id = info.stream_id
            is_open.add(info.stream_id)
            most = max(most, len(is_open))

        def write(self, event: Event) -> None: ...

        def close(self) -> None:
            is_open.remove(self.stream_id)

    async def run(address: str) -> Numbers:
        async with AsyncClient(address) as client:
            body = {n: Body(MACHINE, np.array([1, 0.5], np.float32), person=f"p{n}") for n in range(8)}
            heard = moments_of([[body[n % 8]] for n in range(160)] + [[body[0]]] * 250 + [[standing(0, "ghost")]])
            heard += moments_of([[body[0]]] * 250, 411)
            running = FeedStreams(
                client, LiveFeed("hall", ToldReader(heard), several=True), Plan("x"), [Counting], print
            )
            await running.run()
            return running.numbers

    with ScriptedServer() as server:
        numbers = asyncio.run(run(server.address))
    assert most == 2
    assert len({id(info.clock) for info in infos}) == len(infos) == 8
    assert numbers.frames + numbers.dropped == 160 + 500 + 1  # of the ghost one frame came
