"""Feeds of places in an image on a real server: mapped and labelled by body2d, which takes no others."""

import asyncio
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
from tests.support.serving import labels_by_frame, serving, wired

from motionscribe import Client
from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording, read_recording, write_recording
from motionscribe_models.repository import read_bundle
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_proto.events import Degraded, Event, SegmentEnded
from motionscribe_server.engine.messages import EngineInfo
from motionscribe_server.server import Server
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.settings import Settings
from motionscribe_server.streams.catalog import Catalog, LoadedModel
from motionscribe_training.data.views import seen_from

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "models"
PLAY = mapped(perform([("walk", 4.0), ("squat", 5.0), ("walk", 4.0)], seed=3).recording)


def web_camera() -> Recording:
    """The performance in an image of 1280 by 720 pixels, y down, of joints by COCO's names."""
    seen = seen_from(PLAY, yaw=35, pitch=5, nearest_m=4.0)
    places = seen.frames[::4, :-1].reshape(-1, 15, 2)[:, 2:] * [1, -1] + [640, 360]
    skeleton = Skeleton("coco", SEEN, (-1,) * len(SEEN), "positions2d", "px", 1.0, "-y", 30.0, level=False)
    return Recording("webcam", places.reshape(len(places), -1).astype(np.float32), seen.timestamps_us[::4], skeleton)


def test_places_in_an_image_are_mapped_and_labelled(tmp_path: Path) -> None:
    recording = web_camera()
    recording.frames[100:110, :20] = np.nan
    wrist = SEEN.index("left_wrist")
    recording.frames[200:260, 2 * wrist : 2 * wrist + 2] = np.nan

    async def run() -> None:
        async with serving(MODELS / "body2d" / "1", tmp_path) as served:
            caller = served.call()
            await caller.open(skeleton=skeleton_to_message(recording.skeleton), rate_hz=30.0)
            assert "left_wrist: left_wrist" in caller.opened.mapping
            await caller.send(recording)
            events = await caller.finish()
            options = SessionOptions(provisional=False, rate_hz=30.0)
            replayed = replay(served.model.served, served.engine, mapped(recording), options)
            assert events == wired(emitted.event for emitted in replayed)
            lost = [event for event in events if isinstance(event, Degraded) and not event.ongoing]
            assert [(event.joints, event.start_seq, event.end_seq) for event in lost] == [(("left_wrist",), 201, 261)]
            ended = [event for event in events if isinstance(event, SegmentEnded)]
            assert len({event.cluster for event in ended}) >= 2
            assert ended[0].cluster == ended[-1].cluster, "it walks before and after"

    asyncio.run(run())


def test_the_command_says_what_is_wrong_with_a_body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a camera that is not sure of anything nothing is labelled: whoever sent it must learn why."""
    recording = web_camera()
    doubtful = replace(recording, confidences=np.full((len(recording.frames), len(SEEN)), 0.1, np.float32))
    write_recording(doubtful, path := tmp_path / "webcam.npz")

    async def run() -> int:
        async with serving(MODELS / "body2d" / "1", tmp_path) as served:
            return await asyncio.to_thread(main, ["stream", str(path), "--address", f"127.0.0.1:{served.server.port}"])

    assert asyncio.run(run()) == 0
    assert f"{path}: not plausible: nobody was seen in any frame" in capsys.readouterr().err.splitlines()


def test_joints_are_called_what_a_file_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = web_camera()
    points = tuple(f"P{number}" for number in range(len(SEEN)))
    odd = replace(recording, skeleton=replace(recording.skeleton, joints=points))
    write_recording(odd, path := tmp_path / "webcam.npz")
    (names := tmp_path / "joints.txt").write_text("\n".join(f"{joint}: P{n}" for n, joint in enumerate(SEEN)))

    async def run() -> list[int]:
        async with serving(MODELS / "body2d" / "1", tmp_path) as served:
            send = ["stream", str(path), "--address", f"127.0.0.1:{served.server.port}", "--json"]
            return [await asyncio.to_thread(main, [*send, *more]) for more in ([], ["--joints", str(names)])]

    assert main(["skeleton", str(path), "--joints", str(names)]) == 0
    assert "left_wrist: left_wrist" in capsys.readouterr().out
    assert asyncio.run(run()) == [1, 0]
    out, err = capsys.readouterr()
    assert "expected a body" in err
    assert "SegmentEnded" in out


def test_a_body_in_space_is_refused_and_told_where_to_go(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(MODELS / "body2d" / "1", tmp_path) as served:
            caller = served.call()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await caller.open(skeleton=skeleton_to_message(PLAY.skeleton))
            assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            expected = "body2d/1: expected places in an image, which have no depth, got joints in space: the model body"
            assert expected in (caught.value.details() or "")

    asyncio.run(run())


@pytest.mark.parametrize(("representation", "model"), [("positions2d", "body2d"), ("positions", "body"), ("", "body")])
def test_who_names_no_model_gets_the_one_of_the_own_kind(representation: str, model: str) -> None:
    loaded = [
        LoadedModel(ServedModel(read_bundle(MODELS / name / "1")), EngineInfo("fp32", "cpu", "", ()))
        for name in ("body", "body2d", "cmu-expmap")
    ]
    assert Catalog(loaded).find("", "", representation).manifest.name == model


def stream_unnamed(paths: list[Path], folder: Path) -> list[tuple[str, list[Event]]]:
    """Files on a server of both models, no model named: which one each got, and what came."""
    settings = Settings.model_validate(
        {
            "server": {"models": MODELS, "load": ("body", "body2d"), "port": 0, "workers": 1},
            "storage": {"location": folder / "s.sqlite"},
            "model": {"batch_sizes": (1, 4)},
        }
    )

    async def run() -> list[tuple[str, list[Event]]]:
        server = Server(settings, [ServedModel(read_bundle(MODELS / name / "1")) for name in ("body", "body2d")])
        await server.start()

        def stream(path: Path) -> tuple[str, list[Event]]:
            with Client(f"127.0.0.1:{server.port}") as client:
                live = client.stream(path, provisional=False)
                return live.opened.model.name, list(live)

        try:
            return [await asyncio.to_thread(stream, path) for path in paths]
        finally:
            await server.stop()

    return asyncio.run(run())


@pytest.mark.data
def test_files_of_other_makers_get_labels_with_one_call(tmp_path: Path, data_dir: Path) -> None:
    """OpenPose's folder and MediaPipe's landmarks in an image go to body2d, a BVH file to body; nobody names either."""
    balancing = data_dir / "openpose_trc" / "S00_P00_SingleParticipant" / "S00_P00_T01_BalancingTrial"
    squats = data_dir / "mediapipe" / "squat_model_train.csv"
    files = [balancing / "pose" / "cam01_json", squats, data_dir / "bvh" / "walk01.bvh"]
    found = stream_unnamed(files, tmp_path)
    assert [model for model, _ in found] == ["body2d", "body2d", "body"]
    for path, (_, events) in zip(files, found, strict=True):
        assert labels_by_frame(events, len(read_recording(path).frames)).all(), path
