"""Credits of a stream on a real server: frames beyond them are refused, and they come back as frames are computed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from tests.support.serving import alone, motion, serving, still_frames

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_server.errors import ExhaustedError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.streams import event_backlog


def test_more_frames_than_credits_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 40}) as served:
            caller = await served.opened()
            assert caller.opened.credits == 40
            await caller.write(frames=still_frames(served, 1, 41))
            code, message = await caller.failure()
            assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert message == "expected at most 40 frames, the credits left, got 41"

    asyncio.run(run())


def test_credits_are_used_up_and_a_refused_block_costs_none(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 40}) as served:
            message = pb.Open(stream_id="lab", skeleton=skeleton_to_message(served.skeleton))
            stream, _, _ = await served.server.registry.open(message)
            first, second, *_ = blocks_of(motion(served.skeleton, 1), 30)
            stream.receive_frames(first)
            for _ in range(2):
                with pytest.raises(ExhaustedError, match="expected at most 10 frames, the credits left, got 30"):
                    stream.receive_frames(second)
            stream.receive_frames(replace(second, values=second.values[:10], timestamps_us=second.timestamps_us[:10]))
            assert stream.received_seq == 40

    asyncio.run(run())


def test_credits_come_back_as_frames_are_computed(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 40}) as served:
            recording = motion(served.skeleton, 4)
            caller = await served.opened()
            await caller.send(recording, block=10)  # waits for credits
            events = await caller.finish()
            assert events == alone(served, recording, SessionOptions(provisional=False))
            assert caller.credits == 40 + len(recording.frames)

    asyncio.run(run())


def test_a_client_that_acknowledges_nothing_gets_no_credits_until_it_does(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the events of a durable stream would fill the store."""
    monkeypatch.setattr(event_backlog, "MOST_UNACKNOWLEDGED", 20)

    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 120}) as served:
            recording = motion(served.skeleton, 20)
            expected = alone(served, recording, SessionOptions(provisional=False))
            caller = await served.opened(delivery=pb.DELIVERY_DURABLE)
            stream = served.stream("lab")
            while not stream.backlog.is_full:
                await caller.send(recording, stream.received_seq, caller.credits, block=10)
                await caller.read()
            stopped = caller.credits
            await caller.send(recording, stream.received_seq, stopped, block=10)
            await served.computed(stopped)
            await stream.checkpoint()
            while caller.updates[-1].durable_seq < stopped:
                await caller.read()
            assert caller.credits == stopped < len(recording.frames)
            while caller.credits < len(recording.frames) + 120:
                await caller.write(ack=pb.Ack(last_event=caller.numbers[-1]))
                await caller.read()
                await caller.send(recording, stream.received_seq, min(caller.credits, len(recording.frames)), block=10)
            assert await caller.finish() == expected

    asyncio.run(run())
