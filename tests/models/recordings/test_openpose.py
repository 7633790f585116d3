"""Folders of OpenPose: frames by the numbers of files, points by the model, and who is who."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.recordings.keypoint_names import BODY_25, COCO_18
from motionscribe_training.data.dataset import find_recordings


def person(x: float, points: int = 25, person_id: int = -1) -> dict[str, Any]:
    """A body 200 pixels high around x, whose last point was not found."""
    numbers = [[x + 10 * (n % 3), 100 + 200 * n / points, 0.5] for n in range(points - 1)]
    return {"person_id": [person_id], "pose_keypoints_2d": [*np.ravel(numbers).tolist(), 0, 0, 0]}


def write(folder: Path, frames: dict[int, list[dict[str, Any]]], name: str = "film_{:012}_keypoints.json") -> Path:
    folder.mkdir(exist_ok=True)
    for number, people in frames.items():
        (folder / name.format(number)).write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


@pytest.mark.data
@pytest.mark.parametrize(("camera", "lost"), [("cam01", 0.036), ("cam02", 0.0024)])
def test_a_real_film(data_dir: Path, camera: str, lost: float) -> None:
    trial = data_dir / "openpose_trc" / "S00_P00_SingleParticipant" / "S00_P00_T01_BalancingTrial"
    recording = read_recording(trial / "pose" / f"{camera}_json", 60.0)
    skeleton = recording.skeleton
    assert skeleton.joints == BODY_25
    assert (skeleton.representation, skeleton.units, skeleton.up_axis) == ("positions2d", "px", "-y")
    assert recording.frames.shape == (100, 50)
    assert recording.timestamps_us[-1] == 99e6 / 60
    assert np.isnan(recording.frames).mean() == pytest.approx(lost, abs=1e-4)
    assert recording.confidences is not None
    assert (recording.confidences[np.isnan(recording.frames[:, ::2])] == 0).all()
    steps = np.abs(np.diff(recording.frames.reshape(100, 25, 2)[:, BODY_25.index("MidHip")], axis=0))
    assert np.nanmax(steps) < 40  # one and the same person throughout: the other one is 200 pixels away
    [note] = recording.notes
    assert note.startswith("individual: person 1, found in 100 of 100 frames; left out: person 2 (100)")


def test_a_folder_and_one_of_its_files_are_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path / "take", {9: [person(100)], 10: [], 12: [person(120, person_id=3)]})
    recording = read_recording(folder)
    assert recording.name == "take"
    assert recording.skeleton.joints == BODY_25
    assert recording.timestamps_us.tolist() == [0, 33_333, 100_000]
    assert recording.frames[:, 0].tolist() == pytest.approx([100, np.nan, 120], nan_ok=True)
    assert np.isnan(recording.frames[:, -1]).all()
    assert recording.confidences is not None
    assert recording.confidences[:, [0, -1]].tolist() == [[0.5, 0], [0, 0], [0.5, 0]]
    assert recording.notes == ("1 frames are missing", "no times in the file: taken for 30 Hz")
    alone = read_recording(folder / "film_000000000010_keypoints.json")
    np.testing.assert_array_equal(alone.frames, recording.frames)
    assert find_recordings([folder]) == [folder]


def test_coco_has_18_points_and_shares_of_the_image_are_no_pixels(tmp_path: Path) -> None:
    people = [person(100, 18), person(110, 18)]
    for one in people:
        one["pose_keypoints_2d"] = [n / 400 if i % 3 < 2 else n for i, n in enumerate(one["pose_keypoints_2d"])]
    recording = read_recording(write(tmp_path / "take", {0: people[:1], 1: people[1:]}))
    assert recording.skeleton.joints == COCO_18
    assert recording.skeleton.units == "image"


def many(ids: bool) -> dict[int, list[dict[str, Any]]]:
    """One walks from left to right, past another one who stands, and is hidden for two frames."""
    frames: dict[int, list[dict[str, Any]]] = {}
    for n in range(20):
        here = [person(20.0 * n, person_id=7 if ids else -1)] if n not in (8, 9) else []
        there = [person(205, person_id=2 if ids else -1)] if n < 15 else []
        frames[n] = there + here if n % 2 else here + there
    return frames


@pytest.mark.parametrize(("ids", "names"), [(False, "person 1, .* person 2"), (True, "person 7, .* person 2")])
def test_who_is_found_most_is_followed_by_place_or_by_id(tmp_path: Path, ids: bool, names: str) -> None:
    recording: Recording = read_recording(write(tmp_path / "take", many(ids)))
    expected = [20.0 * n if n not in (8, 9) else np.nan for n in range(20)]
    assert recording.frames[:, 0].tolist() == pytest.approx(expected, nan_ok=True)
    said = names.replace(", .*", ", found in 18 of 20 frames; left out:") + " (15)"
    assert f"individual: {said}" in recording.notes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"people": {}}, r"f_1_keypoints\.json: people: expected a list, got an empty object"),
        ({"people": [3]}, r"f_1_keypoints\.json: people\[0\]: expected an object, got 3"),
        ({"people": [{}]}, r"people\[0\]\.pose_keypoints_2d: expected a list, got null"),
        ({"people": [{"pose_keypoints_2d": [1] * 76}]}, "expected 75 or 54 numbers, got 76"),
        ({"people": [{"pose_keypoints_2d": ["x"] * 75}]}, 'pose_keypoints_2d: expected a number, got "x"'),
        ({"people": [person(1, 18)]}, "take: expected people of equally many points, got 18 and 25"),
        ({"people": [person(1)] * 101}, "take: expected at most 100 individuals in a frame, got 101"),
    ],
)
def test_a_frame_that_is_none_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    folder = write(tmp_path / "take", {0: [person(1)]}, "f_{}_keypoints.json")
    (folder / "f_1_keypoints.json").write_text(json.dumps(content))
    with pytest.raises(RecordingError, match=said):
        read_recording(folder)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a_1_keypoints.json", "b_1_keypoints.json"], "expected frames of one video, got 'a_', 'b_'"),
        (["a_1_keypoints.json", "a_01_keypoints.json"], "expected each frame once, got two files of its number"),
        (["a_1_keypoints.json", "a_2000000001_keypoints.json"], "expected numbers of frames, got 1 to 2000000001"),
        (["notes.txt"], "expected a file, or a folder of OpenPose's JSON files, got another folder"),
        ([], "got another folder"),
    ],
)
def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).write_text(json.dumps({"people": [person(1)]}))
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path)


def test_nobody_in_any_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="expected people of equally many points, got nobody in 2 frames"):
        read_recording(write(tmp_path / "take", {0: [], 1: []}))
