"""Poses of a live stream for those who watch it, on a real server: pictures, of which the newest wins."""

import asyncio
import struct
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tests.support.caller import Caller
from tests.support.raw_client import RawClient
from tests.support.serving import Served, Shared, alone, motion, serving
from tests.support.waiting import PATIENCE_S, until

from motionscribe import AsyncClient, Poses
from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_to_message, skeleton_to_message
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.streams.pose_slot import MOST_FRAMES, PERIOD_S

WATCH = "/motionscribe.v1.Segmentation/Watch"


async def poses_of(watch: Any) -> AsyncIterator[Poses]:
    """The poses among what a watcher of the client gets."""
    async for item in watch:
        if isinstance(item, Poses):
            yield item


async def next_poses(watch: AsyncIterator[Poses], caller: Caller, block: FrameBlock) -> Poses:
    """What a watcher sees of a block that the owner sends."""
    await caller.write(frames=frames_to_message(block))
    return await asyncio.wait_for(anext(watch), PATIENCE_S)


def block_of(recording: Recording, start: int, end: int) -> FrameBlock:
    return FrameBlock(start + 1, recording.frames[start:end], recording.timestamps_us[start:end])


@pytest.mark.parametrize("size", [1, 12, MOST_FRAMES])
def test_a_watcher_who_keeps_up_gets_every_frame_as_it_was_sent(shared_server: Shared, size: int) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        name = f"kept-{size}"
        caller = await served.opened(name)
        async with AsyncClient(f"127.0.0.1:{served.server.port}") as client, client.watch(name, poses=True) as watch:
            seen = poses_of(watch)
            for start in range(0, 5 * size, size):
                block = block_of(recording, start, start + size)
                poses = await next_poses(seen, caller, block)
                assert poses.first_seq == block.first_seq
                assert np.array_equal(poses.timestamps_us, block.timestamps_us)
                assert np.array_equal(poses.frames, block.values)
            await caller.finish()
            assert [poses async for poses in seen] == []

    shared_server.run(run)


def test_of_a_large_block_the_newest_frames_are_shown(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        caller = await served.opened("large")
        async with AsyncClient(f"127.0.0.1:{served.server.port}") as client, client.watch("large", poses=True) as watch:
            poses = await next_poses(poses_of(watch), caller, block_of(recording, 0, 200))
            assert (poses.first_seq, len(poses.timestamps_us)) == (200 - MOST_FRAMES + 1, MOST_FRAMES)
            assert np.array_equal(poses.frames, recording.frames[200 - MOST_FRAMES : 200])
        await caller.finish()

    shared_server.run(run)


def test_frames_of_another_skeleton_are_shown_as_those_of_the_model(tmp_path: Path) -> None:
    recording = perform([("walk", 2.0)], seed=3).recording
    body = mapped(recording)

    async def run() -> None:
        async with serving(Path(__file__).parents[3] / "models" / "body" / "1", tmp_path) as served:
            caller = served.call()
            opened = await caller.open(skeleton=skeleton_to_message(recording.skeleton))
            assert opened.mapping
            address = f"127.0.0.1:{served.server.port}"
            async with AsyncClient(address) as client, client.watch("lab", poses=True) as watch:
                (info,) = await client.streams()
                poses = await next_poses(poses_of(watch), caller, block_of(recording, 0, 12))
                assert poses.frames.shape == (12, info.skeleton.width)
                assert info.skeleton == served.skeleton
                assert np.array_equal(poses.frames, body.frames[:12], equal_nan=True)
            await caller.finish()

    asyncio.run(run())


def test_a_joint_that_was_not_seen_is_nan(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(Path(__file__).parents[3] / "models" / "body" / "1", tmp_path) as served:
            body = mapped(perform([("walk", 2.0)], seed=3).recording)
            column = served.skeleton.columns.index("left_wrist.x")
            values = body.frames[:12].copy()
            values[:, column : column + 3] = np.nan
            caller = await served.opened()
            address = f"127.0.0.1:{served.server.port}"
            async with AsyncClient(address) as client, client.watch("lab", poses=True) as watch:
                block = FrameBlock(1, values, body.timestamps_us[:12])
                poses = await next_poses(poses_of(watch), caller, block)
                assert np.array_equal(np.isnan(poses.frames), np.isnan(values))
            await caller.finish()

    asyncio.run(run())


def test_frames_that_are_refused_are_not_shown(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        block = block_of(motion(served.skeleton, 1), 0, 12)
        block.values[7] = np.inf
        caller = await served.opened("refused")
        async with AsyncClient(f"127.0.0.1:{served.server.port}") as client:
            async with client.watch("refused", poses=True) as watch:
                poses = await next_poses(poses_of(watch), caller, block)
                assert np.array_equal(poses.frames, block.values[:7])
            await caller.failure()

    shared_server.run(run)


def test_who_asks_for_none_gets_none(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        caller = await served.opened("none", provisional=True)
        watch = served.segmentation.Watch(pb.WatchRequest(stream_id="none", provisional=True))
        asks = served.segmentation.Watch(pb.WatchRequest(stream_id="none", poses=True))
        for call in (watch, asks):
            await call.read()
        await caller.send(recording)
        await caller.finish()
        assert {answer.WhichOneof("message") for answer in await rest(watch)} == {"update"}
        assert {answer.WhichOneof("message") for answer in await rest(asks)} == {"update", "poses"}

    shared_server.run(run)


def test_there_are_no_more_than_thirty_messages_a_second_and_updates_are_no_more_than_without(
    shared_server: Shared,
) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 4)
        caller = await served.opened("many")
        calls = [
            served.segmentation.Watch(pb.WatchRequest(stream_id="many", provisional=True, poses=poses))
            for poses in (True, False)
        ]
        for call in calls:
            await call.read()
        now = asyncio.get_running_loop().time
        began = now()
        await caller.send(recording, block=1)
        await caller.finish()
        lasted = now() - began
        shown, told = [await rest(call) for call in calls]
        poses = [answer.poses for answer in shown if answer.HasField("poses")]
        assert 1 < len(poses) <= lasted / PERIOD_S + 2
        assert all(one.first_seq < other.first_seq for one, other in pairwise(poses))
        # an Update without events would be of no use to anybody
        empty = [answer for answer in shown if answer.HasField("update") and not answer.update.events]
        assert len(empty) <= sum(not answer.update.events for answer in told) + 2

    shared_server.run(run)


def test_a_watcher_who_does_not_read_finds_the_newest_poses_and_every_event(tiny_model: Path, tmp_path: Path) -> None:
    """Its window holds three messages of poses; 180 come, and the recognition does not wait."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 6)
            size, message = 4, 4 * 4 * recording.frames.shape[1]
            caller = await served.opened()
            watching = pb.WatchRequest(stream_id="lab", poses=True).SerializeToString()
            with RawClient(served.server.port, window=3 * message) as client:
                number = await asyncio.to_thread(client.call, WATCH, watching, True)
                await until(lambda: served.counted("motionscribe_watchers") == 1)
                await caller.send(recording, block=size)
                await served.computed(len(recording.frames))
                await asyncio.sleep(2 * PERIOD_S)
                before = [answer for answer in answers(client.data[number]) if answer.HasField("poses")]
                assert 1 <= len(before) <= 3
                client.widen(number, 60_000 - 3 * message)  # of 65,535 that a connection has
                last_seq = len(recording.frames)
                await until(lambda: last_shown(client.data[number]) == last_seq)
                events = await caller.finish()
                await asyncio.to_thread(client.wait, number)
                got = answers(client.data[number])
            # 180 came meanwhile, of which one was on its way and one waited
            assert sum(answer.HasField("poses") for answer in got) <= len(before) + 2
            assert events == alone(served, recording, SessionOptions(provisional=False))
            told = [event for answer in got for event in answer.update.events]
            assert told == [event for update in caller.updates for event in update.events]

    asyncio.run(run())


async def rest(call: Any) -> list[pb.StreamResponse]:
    """Everything until a call ends."""
    found = []
    while (answer := await asyncio.wait_for(call.read(), PATIENCE_S)) is not grpc.aio.EOF:
        found.append(answer)
    return found


def answers(data: bytes) -> list[pb.StreamResponse]:
    """The whole messages in what a call brought."""
    found = []
    while len(data) >= 5 and len(data) >= 5 + (size := struct.unpack(">xI", data[:5])[0]):
        found.append(pb.StreamResponse.FromString(data[5 : 5 + size]))
        data = data[5 + size :]
    return found


def last_shown(data: bytes) -> int:
    """Seq of the last frame that a watcher got."""
    poses = [answer.poses for answer in answers(data) if answer.HasField("poses")]
    return poses[-1].first_seq + len(poses[-1].timestamps_us) - 1 if poses else 0
