"""Segmentation.Watch on a real server: a watcher sees what the owner sees, and only of live streams."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.caller import Caller
from tests.support.serving import Served, motion, serving

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import Label


def test_a_watcher_sees_what_the_owner_sees_from_then_on(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 6)
            recording = replace(recording, timestamps_us=recording.timestamps_us + 7_000_000)
            caller = await served.opened(provisional=True)
            await caller.send(recording, 0, 300)
            await served.computed(300)
            watch = served.segmentation.Watch(pb.WatchRequest(stream_id="lab", provisional=True))
            finals = served.segmentation.Watch(pb.WatchRequest(stream_id="lab"))
            await watch.initial_metadata()
            await finals.initial_metadata()
            await caller.send(recording, 300)
            await caller.finish()
            first = await watch.read()
            assert first.update.start_us == int(recording.timestamps_us[0])
            assert not first.update.events
            seen = await watched(served, watch)
            after = [pair for pair in caller.numbered if pair[0] >= seen[0][0]]
            assert seen == after
            assert len(seen) > 10
            without = [(number, e) for number, e in after if not (isinstance(e, Label) and not e.final)]
            assert await watched(served, finals) == without

    asyncio.run(run())


async def watched(served: Served, call: Any) -> list[tuple[int, Any]]:
    """Numbers and events of a watch that ends well."""
    caller = Caller(call, served.skeleton)
    await caller.rest()
    return caller.numbered


def test_only_live_streams_can_be_watched(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            _owner = await served.opened("lab")
            with pytest.raises(grpc.aio.AioRpcError, match="expected a live stream, one of lab, got 'gym'") as caught:
                await served.segmentation.Watch(pb.WatchRequest(stream_id="gym")).read()
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND

    asyncio.run(run())
