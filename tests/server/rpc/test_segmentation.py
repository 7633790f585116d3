"""Segmentation.Stream on a real server: the way it should go."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.serving import Served, Shared, alone, final, motion, serving

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterCreated, Gap, Label
from motionscribe_server.session.options import SessionOptions

Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("block", "lag", "provisional"), [(1, "fast", True), (7, "balanced", False), (600, "stable", True)]
)
def test_a_served_recording_gives_the_events_of_a_replay(
    tiny_model: Path, tmp_path: Path, block: int, lag: Any, provisional: bool
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 8)
            caller = await served.opened(lag=pb.Lag.Value(f"LAG_{lag.upper()}"), provisional=provisional)
            assert caller.opened.next_seq == 1
            assert caller.opened.latency_us == caller.opened.model.latency_us[lag]
            await caller.send(recording, block=block)
            events = await caller.finish()
            expected = alone(served, recording, SessionOptions(lag=lag, provisional=provisional))
            assert events == expected
            assert any(isinstance(event, ClusterCreated) for event in events), "motion too dull to test anything"
            assert caller.numbers == list(range(1, 1 + sum(len(update.events) for update in caller.updates)))
            last = caller.updates[-1]
            assert (last.received_seq, last.durable_seq) == (len(recording.frames), len(recording.frames))
            assert served.server.registry.find("lab") is None, "a stream that ended well is over"
            counted, model = served.counted, served.model.key
            assert counted("motionscribe_frames_total", model=model) == len(recording.frames)
            assert counted("motionscribe_events_total", kind="Label") == sum(isinstance(e, Label) for e in events)
            moments = len(recording.frames) / served.skeleton.rate_hz / served.model.served.moment_s
            assert counted("motionscribe_windows_total", model=model) == pytest.approx(moments, abs=1)
            assert counted("motionscribe_streams") == 0

    asyncio.run(run())


def test_half_closing_the_call_is_as_good_as_close(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        caller = await served.opened("half-closed")
        await caller.send(recording)
        await caller.call.done_writing()
        assert await caller.rest() == alone(served, recording, SessionOptions(provisional=False))

    shared_server.run(run)


def test_concurrent_streams_get_the_final_labels_that_each_gets_alone(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recordings = [motion(served.skeleton, 5 + seed / 2, seed) for seed in range(5)]

            async def one(seed: int) -> list[Any]:
                caller = await served.opened(f"stream-{seed}", provisional=True)
                await caller.send(recordings[seed], block=5 + seed)
                return await caller.finish()

            together = await asyncio.gather(*map(one, range(5)))
            lonely = served.counted("motionscribe_batch_streams_bucket", le="1.0")
            assert lonely < served.counted("motionscribe_batch_streams_count"), "nothing was computed together"
            for seed, events in enumerate(together):
                assert final(events) == final(alone(served, recordings[seed], SessionOptions()))

    asyncio.run(run())


def test_missing_frames_are_a_gap_and_no_error(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 4)
        caller = await served.opened("gap")
        await caller.send(recording, 0, 200)
        await caller.send(recording, 320, 400)
        (gap,) = [event for event in await caller.finish() if isinstance(event, Gap)]
        assert (gap.start_seq, gap.end_seq) == (201, 321)

    shared_server.run(run)


@pytest.mark.parametrize(
    ("message", "code", "expected"),
    [
        ({"open": pb.Open(stream_id="lab")}, Code.FAILED_PRECONDITION, "got a second Open"),
        ({}, Code.INVALID_ARGUMENT, "expected Frames, Ack or Close, got an empty message"),
    ],
)
def test_messages_out_of_order_end_the_call(
    shared_server: Shared, message: dict[str, Any], code: grpc.StatusCode, expected: str
) -> None:
    async def run(served: Served) -> None:
        caller = await served.opened(code.name)
        await caller.write(**message)
        got, text = await caller.failure()
        assert got == code
        assert expected in text
        assert served.server.registry.find(code.name) is not None

    shared_server.run(run)
