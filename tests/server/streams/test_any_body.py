"""Feeds of any skeleton on a real server of the body model: mapped, labelled, with lost joints and nobody in sight."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tests.support.caller import Caller
from tests.support.serving import Served, labels_by_frame, serving, wired
from tests.support.waiting import PATIENCE_S

from motionscribe import Client
from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.mapping import Mapping, mapped
from motionscribe_models.recordings import Recording, read_recording, write_recording
from motionscribe_models.skeleton import Skeleton, feature_skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_proto.events import Event, Gap, Restarted, SegmentEnded
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

ROOT = Path(__file__).parents[3]
PLAY = perform([("walk", 4.0), ("squat", 4.0), ("walk", 4.0)], seed=3).recording


@pytest.fixture(scope="module")
def body_model() -> Path:
    return ROOT / "models" / "body" / "1"


def camera(frames: int | None = None) -> Recording:
    """The performance as a depth camera would see it: joints of its own names, millimetres, z up."""
    body = mapped(PLAY)
    places = body.frames[::4][:frames, :-1].reshape(-1, 15, 3)[:, 2:]
    seen = places[..., [0, 2, 1]] * [1000, -1000, 1000]
    names = tuple("".join(word.capitalize() for word in joint.split("_")[::-1]) for joint in SEEN)  # ShoulderLeft
    skeleton = Skeleton("depth", names, (-1,) * len(names), "positions", "mm", 0.001, "z", 30.0)
    values = seen.reshape(len(seen), -1).astype(np.float32)
    return Recording("camera", values, body.timestamps_us[::4][:frames], skeleton)


def expected_of(served: Served, recording: Recording) -> list[Event]:
    options = SessionOptions(provisional=False, rate_hz=recording.skeleton.rate_hz)
    return wired(e.event for e in replay(served.model.served, served.engine, mapped(recording), options))


async def open_as(served: Served, skeleton: Skeleton, **fields: Any) -> Caller:
    caller = served.call()
    await caller.open(skeleton=skeleton_to_message(skeleton), rate_hz=skeleton.rate_hz, **fields)
    return caller


def test_frames_of_a_camera_are_mapped_and_labelled(body_model: Path, tmp_path: Path) -> None:
    recording = camera()

    async def run() -> None:
        async with serving(body_model, tmp_path) as served:
            caller = await open_as(served, recording.skeleton)
            assert "left_wrist: WristLeft" in caller.opened.mapping
            await caller.send(recording)
            events = await caller.finish()
            assert events == expected_of(served, recording)
            ended = [event for event in events if isinstance(event, SegmentEnded)]
            assert len({event.cluster for event in ended}) >= 2
            assert ended[0].cluster == ended[-1].cluster, "it walks before and after"

    asyncio.run(run())


def test_a_large_message_is_mapped_while_others_are_served(
    body_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mapping ends only after another call was answered."""
    recording, answered, apply = camera(), threading.Event(), Mapping.apply

    def patient(self: Mapping, *values: Any) -> Any:
        assert answered.wait(PATIENCE_S), "nobody else is served"
        return apply(self, *values)

    monkeypatch.setattr(Mapping, "apply", patient)

    async def run() -> None:
        async with serving(body_model, tmp_path) as served:
            caller = await open_as(served, recording.skeleton)
            await caller.send(recording, block=len(recording.frames))
            await asyncio.sleep(0.1)  # the message is there before the other call
            await served.models.ListModels(pb.ListModelsRequest())
            answered.set()
            events = await caller.finish()
            monkeypatch.undo()
            assert events == expected_of(served, recording)

    asyncio.run(run())


def test_a_durable_stream_of_a_camera_survives_its_server(body_model: Path, tmp_path: Path) -> None:
    recording = camera()

    async def run() -> None:
        async with serving(body_model, tmp_path) as first, serving(body_model, tmp_path) as second:
            caller = await open_as(first, recording.skeleton, delivery=2)
            await caller.send(recording, 0, 210)
            await first.computed(210)
            await first.stream("lab").checkpoint()
            again = await open_as(
                second,
                recording.skeleton,
                delivery=2,
                resume_token=caller.opened.resume_token,
                last_event=caller.numbers[-1] if caller.numbers else 0,
            )
            await again.send(recording, again.opened.next_seq - 1)
            assert caller.events + await again.finish() == expected_of(second, recording)

    asyncio.run(run())


def test_lost_joints_are_no_error_and_change_little(body_model: Path, tmp_path: Path) -> None:
    whole = camera()
    values = whole.frames.reshape(len(whole.frames), -1, 3).copy()
    values[40:70, 5] = np.nan
    values[100:130, 6] = 0
    holed = replace(whole, frames=values.reshape(len(values), -1))

    async def run() -> None:
        async with serving(body_model, tmp_path) as served:
            caller = await open_as(served, holed.skeleton)
            await caller.send(holed)
            events = await caller.finish()
            assert events == expected_of(served, holed)
            truth = labels_by_frame(expected_of(served, whole), len(values))
            assert (labels_by_frame(events, len(values)) == truth).mean() > 0.9

    asyncio.run(run())


@pytest.mark.parametrize("seconds", [0.2, 2.0])
def test_nobody_in_sight_is_as_if_no_frame_had_come(body_model: Path, tmp_path: Path, seconds: float) -> None:
    whole = camera()
    values = whole.frames.copy()
    away = slice(150, 150 + round(30 * seconds))
    values[away] = np.nan
    kept = np.delete(np.arange(len(values)), np.arange(away.start, away.stop))
    empty = replace(whole, frames=values)

    async def run() -> None:
        async with serving(body_model, tmp_path) as served:
            caller = await open_as(served, empty.skeleton)
            await caller.send(empty)
            events = await caller.finish()
            assert events == expected_of(served, empty)
            gaps = [event for event in events if isinstance(event, Gap)]
            assert bool(gaps) is (seconds > 1)
            if gaps:
                assert (gaps[0].start_seq, gaps[0].end_seq) == (151, 151 + round(30 * seconds))
                assert any(isinstance(event, Restarted) for event in events)
            assert labels_by_frame(events, len(values))[kept].all()

    asyncio.run(run())


BAD: dict[str, tuple[Skeleton, str]] = {
    "a machine": (feature_skeleton("rig", ("torque", "heat"), 30.0), "expected joints of a body, got columns"),
    "half a body": (
        Skeleton("hand", ("wrist", "thumb"), (-1, 0), "positions", "m", 1.0, "y", 30.0),
        "found no left_shoulder, right_shoulder, left_hip, right_hip, left_knee, right_knee among its joints: wrist",
    ),
    "an image": (
        replace(camera(1).skeleton, representation="positions2d", up_axis="-y"),
        "expected joints in space, got places in an image, which have no depth: the model body2d takes those",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_body_is_refused_with_what_is_missing(body_model: Path, tmp_path: Path, what: str) -> None:
    skeleton, expected = BAD[what]

    async def run() -> None:
        async with serving(body_model, tmp_path) as served:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await open_as(served, skeleton)
            assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert expected in (caught.value.details() or "")

    asyncio.run(run())


@pytest.mark.data
def test_a_bvh_file_gets_labels_with_one_call(body_model: Path, tmp_path: Path, data_dir: Path) -> None:
    """And an exponential map of CMU, and a file of the project's own: none of them was trained on by its user."""
    recording = camera()
    write_recording(recording, tmp_path / "camera.npz")
    files = [data_dir / "bvh" / "walk01.bvh", data_dir / "cmu_raw" / "86_01.amc", tmp_path / "camera.npz"]

    async def run() -> None:
        async with serving(body_model, tmp_path) as served:

            def stream(path: Path) -> list[Event]:
                with Client(f"127.0.0.1:{served.server.port}") as client:
                    return list(client.stream(path, provisional=False))

            for path in files:
                events = await asyncio.to_thread(stream, path)
                frames = len(read_recording(path).frames)
                assert labels_by_frame(events, frames).all(), path

    asyncio.run(run())
