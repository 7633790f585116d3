"""Bad frames on a real server: each kind ends the stream with its reason, after the events of all frames before it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
from tests.support.serving import Served, Shared, alone, motion, serving, still_frames

from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_from_message
from motionscribe_proto.events import ClusterCreated
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.options import SessionOptions


def not_finite(served: Served, value: float) -> pb.Frames:
    values = np.zeros((3, served.skeleton.width), np.float32)
    values[1, 2] = value
    return still_frames(served, 91, values=values)


def beyond(served: Served) -> pb.Frames:
    message = still_frames(served, 91)
    message.first_seq = 2**63 - 1
    return message


BAD_FRAMES: dict[str, tuple[Callable[[Served], pb.Frames], str]] = {
    # after 90 good ones
    "NaN": (lambda s: not_finite(s, np.nan), "expected finite values.*, got nan.*frame 92"),
    "infinity": (lambda s: not_finite(s, np.inf), "expected finite values.*, got inf.*frame 92"),
    "width": (
        lambda s: still_frames(s, 91, values=np.zeros((3, s.skeleton.width + 1), np.float32)),
        r"expected \d+ values a frame, got \d+ in all",
    ),
    "times running backwards": (
        lambda s: still_frames(s, 91, timestamps_us=np.array([800_000, 790_000, 810_000])),
        "expected times that increase, got 790000 us after 800000 us at frame 92",
    ),
    "times that came before": (
        lambda s: still_frames(s, 91, timestamps_us=np.array([100, 200, 300])),
        r"expected times that increase, got 100 us after \d+ us at frame 91",
    ),
    "seq running backwards": (lambda s: still_frames(s, 90), "expected seq 91 or later, got 90"),
    "seq 0": (lambda _: pb.Frames(first_seq=0, values=bytes(4)), "expected"),
    "seq beyond all bounds": (lambda s: beyond(s), "expected seq and times within .*got seq 9223372036854775807"),
    "times beyond all bounds": (
        lambda s: still_frames(s, 91, timestamps_us=2**63 - 3 + np.arange(3)),
        "expected seq and times within .*, got 9223372036854775805 us at frame 91",
    ),
    "no frames": (lambda _: pb.Frames(first_seq=91), "expected one frame or more, got none"),
    "times of other frames": (
        lambda s: pb.Frames(first_seq=91, values=bytes(4 * s.skeleton.width), timestamps_us=[1, 2]),
        "expected 1 times for 1 frames, got 2",
    ),
    "confidences": (
        lambda s: pb.Frames(first_seq=91, values=bytes(4 * s.skeleton.width), confidences=b"1"),
        "confidences.*got 1 bytes",
    ),
    "a step that is no number": (
        lambda s: pb.Frames(first_seq=91, values=bytes(8 * s.skeleton.width), step_us=np.nan),
        "expected start_us and step_us within int64",
    ),
}


ONE_GOOD = ("NaN", "infinity", "times running backwards")
"""The first frame of these blocks is good."""


def begun(recording: Recording, block: FrameBlock | None) -> Recording:
    """The first 90 frames, and the first one of `block`."""
    frames, times = recording.frames[:90], recording.timestamps_us[:90]
    if block is not None:
        frames, times = np.concatenate([frames, block.values[:1]]), np.append(times, block.timestamps_us[0])
    return replace(recording, frames=frames, timestamps_us=times)


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE], ids=["live", "durable"])
@pytest.mark.parametrize("what", BAD_FRAMES)
def test_bad_frames_end_the_stream_when_all_before_them_is_told(
    shared_server: Shared, what: str, delivery: pb.Delivery
) -> None:
    make, expected = BAD_FRAMES[what]
    id = f"{what.replace(' ', '-')}-{delivery}"

    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 4)
        caller = await served.opened(id, delivery=delivery)
        await caller.send(recording, 0, 90)
        await caller.write(frames=make(served))
        refused = await caller.failure()
        code, message = refused
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert pytest.raises(AssertionError, match=expected).matches(AssertionError(message)), message
        good = what in ONE_GOOD
        accepted = begun(recording, frames_from_message(make(served), served.skeleton.width, 0) if good else None)
        assert caller.events == alone(served, accepted, SessionOptions(provisional=False))
        # who has lost the answer gets it again
        again = await served.opened(id, resume_token=caller.opened.resume_token, last_event=3, delivery=delivery)
        assert (again.opened.resumed, again.opened.next_seq) == (True, 91 + good)
        assert await again.failure() == refused
        assert again.events == [event for number, event in caller.numbered if number > 3]
        # what was learnt is there
        known = [cluster.id for cluster in caller.opened.clusters]
        after = await served.opened(id, delivery=delivery)
        created = [event.cluster for event in caller.events if isinstance(event, ClusterCreated)]
        assert [cluster.id for cluster in after.opened.clusters] == [*known, *created]

    shared_server.run(run)


def test_a_message_that_is_too_large_is_refused_and_what_was_learnt_survives(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"max_message_bytes": 60_000}) as served:
            recording = motion(served.skeleton, 3)
            caller = await served.opened()
            await caller.send(recording, 0, 60)
            await caller.write(frames=pb.Frames(first_seq=61, values=bytes(100_000)))
            code, message = await caller.failure()
            assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "larger than max" in message
            await served.lost("lab")
            again = await served.opened(resume_token=caller.opened.resume_token)
            assert (again.opened.resumed, again.opened.next_seq) == (True, 61)
            await again.send(recording, 60)
            assert await again.finish() == alone(served, recording, SessionOptions(provisional=False))

    asyncio.run(run())


def test_bytes_that_are_no_message_are_refused(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        method = "/motionscribe.v1.Segmentation/Stream"
        call = served.channel.stream_stream(method)()  # as bytes
        await call.write(b"\xff\xff\xff")
        with pytest.raises(grpc.aio.AioRpcError, match="expected a StreamRequest, got bytes that are none") as caught:
            await call.read()
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    shared_server.run(run)
