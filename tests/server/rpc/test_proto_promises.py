"""What the comments of segmentation.proto tell the author of a client, and no other test holds, on a real server."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tests.support.caller import Caller
from tests.support.serving import Served, Shared, motion, serving, still_frames
from tests.support.tiling import require_whole
from tests.support.waiting import until

from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages, frames_to_message
from motionscribe_proto.events import Event, Gap, Label
from motionscribe_proto.frames import FrameBlock

Code = grpc.StatusCode


async def _vanish(served: Served, caller: Caller, stream_id: str) -> None:
    caller.call.cancel()
    await served.lost(stream_id)


def _block(recording: Recording, start: int, end: int, seq: int, shift_us: int = 0) -> pb.Frames:
    """Rows [start, end) whose first has this seq, so much later."""
    times = recording.timestamps_us[start:end] + shift_us
    return frames_to_message(FrameBlock(seq, recording.frames[start:end], times))


def _tiles(events: list[Event]) -> list[tuple[int, int]]:
    """First seq and end of each final label and each gap."""
    kept = [event for event in events if isinstance(event, Gap) or (isinstance(event, Label) and event.final)]
    return [(event.start_seq, event.end_seq) for event in kept]


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE])
def test_every_open_needs_a_layout_that_of_a_resume_too(
    tiny_model: Path, tmp_path: Path, delivery: pb.Delivery
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened(delivery=delivery)
            await _vanish(served, caller, "lab")
            with pytest.raises(grpc.aio.AioRpcError, match="column names, got neither") as caught:
                await served.opened(resume_token=caller.opened.resume_token, delivery=delivery, features=None)
            assert caught.value.code() == Code.FAILED_PRECONDITION

    asyncio.run(run())


def test_the_first_frame_may_have_any_seq_and_any_time(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        caller = await served.opened("late")
        await caller.write(frames=_block(recording, 0, 360, seq=5001, shift_us=-(10**12)))
        tiles = _tiles(await caller.finish())
        assert (tiles[0][0], tiles[-1][1]) == (5001, 5361)
        assert not any(isinstance(event, Gap) for event in caller.events)

    shared_server.run(run)


@pytest.mark.parametrize(("missing_us", "gaps"), [(0, []), (200_000, []), (2_000_000, [Gap])])
def test_a_hole_in_seq_is_told_as_a_gap_where_time_is_missing(
    shared_server: Shared, missing_us: int, gaps: list[type]
) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 4)
        caller = await served.opened(f"hole-{missing_us}")
        await caller.write(frames=_block(recording, 0, 240, seq=1))
        await caller.write(frames=_block(recording, 240, 480, seq=301, shift_us=missing_us))
        events = await caller.finish()
        assert [type(event) for event in events if isinstance(event, Gap)] == gaps
        tiles = _tiles(events)
        assert (tiles[0][0], tiles[-1][1]) == (1, 541)
        assert all(one[1] == following[0] for one, following in pairwise(tiles))

    shared_server.run(run)


def test_times_of_frames_win_over_start_and_step(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        message = _block(recording, 0, 360, seq=1, shift_us=7_000_000)
        assert not message.timestamps_us
        times = recording.timestamps_us.tolist()
        message.timestamps_us.extend(times)
        caller = await served.opened("both")
        await caller.write(frames=message)
        labels = [event for event in await caller.finish() if isinstance(event, Label)]
        assert (labels[0].start_us, labels[-1].start_us) == (0, times[labels[-1].start_seq - 1])

    shared_server.run(run)


@pytest.mark.parametrize(("second_us", "expected"), [(1_000_000, "increase"), (999_999, "increase"), (10**15, "clock")])
def test_times_increase_from_block_to_block(shared_server: Shared, second_us: int, expected: str) -> None:
    async def run(served: Served) -> None:
        caller = await served.opened(f"times-{second_us}")
        for seq, time_us in ((1, 1_000_000), (2, second_us)):
            await caller.write(frames=still_frames(served, seq, 1, timestamps_us=np.array([time_us])))
        code, message = await caller.failure()
        assert code == Code.INVALID_ARGUMENT
        assert expected in message

    shared_server.run(run)


def test_labels_of_many_entries_are_one_event(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 4)
            caller = await served.opened(provisional=True)
            await caller.send(recording)
            await caller.finish()
            entries = [len(event.labels.start_seq) for update in caller.updates for event in update.events]
            assert max(entries) > 1
            assert caller.numbers == list(range(1, len(entries) + 1))

    asyncio.run(run())


def test_what_follows_close_is_not_read_and_no_error(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        caller = await served.opened("after-close")
        await caller.send(recording)
        await caller.write(close=pb.Close())
        for number in (1, 10**9):
            await caller.write(ack=pb.Ack(last_event=number))
        require_whole(await caller.rest(), len(recording.frames))

    shared_server.run(run)


def test_a_live_stream_whose_token_is_no_good_begins_anew_and_a_durable_one_is_refused(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        caller = await served.opened("token", resume_token="of-yesterday", last_event=77)
        assert (caller.opened.resumed, caller.opened.next_seq) == (False, 1)
        assert "no stream of this id and token" in caller.opened.not_resumed
        await caller.send(motion(served.skeleton, 3))
        await caller.finish()
        assert caller.numbers[0] == 1
        with pytest.raises(grpc.aio.AioRpcError, match="got one that resumes nothing") as caught:
            await served.opened("token", resume_token="of-yesterday", delivery=pb.DELIVERY_DURABLE)
        assert caught.value.code() == Code.FAILED_PRECONDITION

    shared_server.run(run)


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE])
def test_the_end_of_a_durable_stream_can_be_fetched_again_that_of_a_live_one_not(
    tiny_model: Path, tmp_path: Path, delivery: pb.Delivery
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 3)
            caller = await served.opened(delivery=delivery)
            await caller.send(recording)
            await caller.write(close=pb.Close())
            await until(lambda: not served.server.registry.streams)
            caller.call.cancel()  # nothing of the answers was read, as if they were lost on their way
            again = await served.opened(delivery=delivery, resume_token=caller.opened.resume_token)
            durable = delivery == pb.DELIVERY_DURABLE
            assert (again.opened.resumed, bool(again.opened.not_resumed)) == (durable, not durable)
            if durable:
                require_whole(await again.rest(), len(recording.frames))

    asyncio.run(run())


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE])
def test_credits_come_back_with_durable_seq(tiny_model: Path, tmp_path: Path, delivery: pb.Delivery) -> None:
    """In an Update without events where a quarter of them waits; those of a durable stream after a checkpoint."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 40}) as served:
            recording = motion(served.skeleton, 1)
            caller = await served.opened(delivery=delivery)
            await caller.write(frames=_block(recording, 0, 20, seq=1))
            while caller.credits < 40 + 20:
                assert await caller.read()
                assert caller.credits <= 40 + caller.updates[-1].durable_seq
            assert any(not update.events for update in caller.updates)
            # a new call has them all, but for those of frames that the server still holds
            await _vanish(served, caller, "lab")
            again = await served.opened(resume_token=caller.opened.resume_token, delivery=delivery)
            assert again.opened.credits == 40

    asyncio.run(run())


def test_a_resume_keeps_what_the_stream_was_opened_with(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 4)
            caller = await served.opened(lag=pb.LAG_FAST)
            await caller.send(recording, 0, 240)
            await until(lambda: served.stream("lab").received_seq == 240)
            await _vanish(served, caller, "lab")
            changed: dict[str, Any] = {"lag": pb.LAG_STABLE, "provisional": True}
            again = await served.opened(resume_token=caller.opened.resume_token, **changed)
            assert again.opened.latency_us == caller.opened.latency_us
            await again.send(recording, 240)
            events = (
                events_from_messages(event for update in caller.updates for event in update.events)
                + await again.finish()
            )
            assert all(event.final for event in events if isinstance(event, Label))

    asyncio.run(run())
