"""The processor for DeepLabCut-Live, driven as DLCLive.get_pose of deeplabcut-live 1.1 drives it."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tests.support.any_width import AnyWidthServer
from tests.support.scripted_server import Act, ScriptedServer, ServerSession
from tests.support.waiting import wait_until

from motionscribe.dlclive import Processor
from motionscribe.events import Event, Label, SegmentEnded
from motionscribe.sinks import read_events
from motionscribe_proto import segmentation_pb2 as pb

JOINTS = ("nose", "left_ear", "right_ear", "tail")
SEGMENT = SegmentEnded(1, 3, "grooming", 1, 2, 0, 20_000)


def images(count: int) -> Iterator[tuple[np.ndarray, float]]:
    """Poses as the network finds them, and when their images were taken."""
    for n in range(count):
        yield np.array([[n + 0.5, 2 * joint, 0.25 * joint] for joint in range(len(JOINTS))]), 1_700_000_000 + n / 50


def run_dlclive(processor: Any, count: int) -> list[np.ndarray]:
    """What get_pose gives to its caller: the processor's answer."""
    poses = []
    for pose, taken_s in images(count):
        if processor:  # as it asks
            poses.append(processor.process(pose, frame_time=taken_s, pose_time=taken_s + 0.01))
    return poses


def test_poses_go_to_the_server_and_come_back_unchanged() -> None:
    came: list[Event] = []
    with AnyWidthServer() as server:
        with closing(Processor(JOINTS, stream_id="arena", address=server.address, on_event=came.append)) as processor:
            poses = run_dlclive(processor, 40)
        assert processor.save() == 0, "labels are not kept"
    np.testing.assert_array_equal(poses, [pose for pose, _ in images(40)])
    (opening,) = server.opens
    assert (opening.stream_id, list(opening.skeleton.joints), opening.skeleton.up_axis) == ("arena", list(JOINTS), "-y")
    (blocks,) = server.frames.values()
    np.testing.assert_allclose(
        np.concatenate([block.values for block in blocks]).reshape(40, 4, 2), np.array(poses)[:, :, :2]
    )
    np.testing.assert_allclose(
        np.concatenate([block.confidences for block in blocks if block.confidences is not None]),
        np.array(poses)[:, :, 2],
    )
    times = np.concatenate([block.timestamps_us for block in blocks])
    assert times.tolist() == [1_700_000_000_000_000 + 20_000 * n for n in range(40)]
    assert [event.start_seq for event in came if isinstance(event, Label)] == list(range(1, 41))
    assert (processor.strange, processor.source.dropped) == (0, 0)


class SegmentServer(AnyWidthServer):
    """Ends a segment after each block of frames."""

    def _receive(self, session: ServerSession, message: pb.Frames) -> int:
        frames = super()._receive(session, message)
        session.events.append(SEGMENT)
        return frames


def test_what_the_server_said_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "arena.jsonl"
    with SegmentServer() as server:
        with closing(Processor(JOINTS, stream_id="arena", address=server.address)) as processor:
            assert processor.save(path) == 0
            run_dlclive(processor, 2)
        assert processor.save(path) == 1
    assert set(read_events(path)["arena"]) == {SEGMENT}
    assert processor.save() == 0
    assert processor.save(tmp_path / "no folder" / "arena.jsonl") == 0


def fail(event: Event) -> None:
    raise RuntimeError("the lamp is broken")


def test_a_callback_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with AnyWidthServer() as server, closing(Processor(JOINTS, address=server.address, on_event=fail)) as processor:
        run_dlclive(processor, 5)
    assert sum(len(block) for blocks in server.frames.values() for block in blocks) == 5
    assert "the lamp is broken" in caplog.text


@pytest.mark.parametrize(
    "pose",
    [None, "pose", np.zeros((4, 2)), np.zeros((3, 3)), np.zeros((1, 4, 3)), np.zeros(12), [[1]]],
    ids=["none", "text", "no likelihood", "a joint less", "several", "flat", "list"],
)
def test_what_is_no_pose_is_passed_on_and_counted(pose: Any) -> None:
    with AnyWidthServer() as server, closing(Processor(JOINTS, address=server.address)) as processor:
        assert processor.process(pose) is pose
        assert processor.process(pose, frame_time=float("nan")) is pose
        run_dlclive(processor, 2)
    assert processor.strange == 2
    assert sum(len(block) for blocks in server.frames.values() for block in blocks) == 2


def test_joints_without_a_place_and_images_without_a_time() -> None:
    pose = np.array([[1.0, 2.0, 0.9], [np.inf, 2.0, 2.0], [1e300, 0.0, np.nan], [3.0, 4.0, 0.0]])
    before_us = time.time() * 1e6
    with AnyWidthServer() as server, closing(Processor(JOINTS, address=server.address)) as processor:
        assert processor.process(pose) is pose
    assert processor.strange == 1, "1e300 is no number of 32 bits"
    with AnyWidthServer() as server, closing(Processor(JOINTS, address=server.address)) as processor:
        processor.process(pose[[0, 1, 3, 3]])
    ((block,),) = server.frames.values()
    assert np.isnan(block.values[0]).tolist() == [False, False, True, False, False, False, False, False]
    assert block.confidences is not None
    np.testing.assert_allclose(block.confidences[0], [0.9, 1, 0, 0], rtol=1e-6)
    assert abs(block.timestamps_us[0] - before_us) < 60e6


def test_a_server_that_refuses_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    refusal = Act(status=grpc.StatusCode.NOT_FOUND)
    with ScriptedServer(refusal) as server, closing(Processor(JOINTS, address=server.address)) as processor:
        wait_until(lambda: "no more poses are sent" in caplog.text)
        assert len(run_dlclive(processor, 3)) == 3
        assert processor.source.dropped == 3
    assert "refused on purpose" in caplog.text


def test_nobody_waits_for_a_server_that_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        processor = Processor(JOINTS, address=f"127.0.0.1:{silent.getsockname()[1]}")
        assert len(run_dlclive(processor, 1000)) == 1000
        assert processor.source.dropped == 1000 - 256, "the newest are kept"
    wait_until(lambda: "no more poses are sent" in caplog.text)
    processor.close()
