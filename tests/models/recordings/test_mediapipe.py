"""Landmarks of MediaPipe, from tables and JSON: which coordinates are taken, and where nobody was found."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.recordings.keypoint_names import MEDIAPIPE_33

HIPS = [MEDIAPIPE_33.index("left_hip"), MEDIAPIPE_33.index("right_hip")]


def landmarks(seed: int, world: bool = True, shift: float = 0.0) -> list[dict[str, float]]:
    """A made-up person: in world coordinates around its hips, or in the right half of an image."""
    places = np.random.default_rng(seed).uniform(-0.4, 0.4, (33, 3))
    places[HIPS] = [[0.1, 0, 0], [-0.1, 0, 0]]
    places += 0 if world else [0.55 + shift, 0.5, 0]
    return [{"x": x, "y": y, "z": z, "visibility": 0.9} for x, y, z in places.tolist()]


def read(tmp_path: Path, content: Any, rate_hz: float | None = None) -> Recording:
    (tmp_path / "take.json").write_text(json.dumps(content))
    return read_recording(tmp_path / "take.json", rate_hz)


# -- tables


@pytest.mark.data
def test_world_coordinates_of_a_film_are_taken_and_frames_without_anybody_stay(data_dir: Path) -> None:
    recording = read_recording(data_dir / "camera" / "sports2d_demo_mediapipe.csv")
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.representation) == (MEDIAPIPE_33, "positions")
    assert (skeleton.units, skeleton.up_axis, skeleton.level) == ("m", "-y", False)
    assert recording.frames.shape == (230, 99)
    assert skeleton.rate_hz == pytest.approx(30, abs=0.01)
    lost = np.isnan(recording.frames)
    assert np.flatnonzero(lost.any(axis=1)).size == 9
    assert lost.any(axis=1).tolist() == lost.all(axis=1).tolist()
    assert recording.confidences is not None
    assert recording.confidences[lost[:, ::3]].max() == 0
    places = recording.frames.reshape(230, 33, 3)
    assert np.nanmax(np.abs(places[:, HIPS].mean(axis=1))) < 0.02  # metres from the middle of the hips
    assert np.nanmedian(places[:, MEDIAPIPE_33.index("left_ankle"), 1] - places[:, 0, 1]) > 1  # y points down
    [note] = recording.notes
    assert note.startswith("columns left out: nose_ix, nose_iy, left_eye_inner_ix")
    assert note.endswith(" and 60 more")


@pytest.mark.data
def test_nine_landmarks_in_an_image(data_dir: Path) -> None:
    recording = read_recording(data_dir / "mediapipe" / "squat_model_train.csv")
    skeleton = recording.skeleton
    assert recording.frames.shape == (4160, 18)
    assert (skeleton.representation, skeleton.units, skeleton.up_axis) == ("positions2d", "image", "-y")
    assert skeleton.joints[:3] == ("nose", "left_shoulder", "right_shoulder")
    assert skeleton.rate_hz == 30
    assert recording.frames[0, :2].tolist() == pytest.approx([0.60025, 0.43327], abs=1e-5)
    assert recording.confidences is not None
    assert recording.confidences[0, 1] == pytest.approx(0.99412, abs=1e-5)
    for said in ("taken for 30 Hz", "coordinates: image", "label (labels)", "z left out"):
        assert any(said in note for note in recording.notes), said
    assert read_recording(data_dir / "mediapipe" / "squat_model_train.csv", 25.0).timestamps_us[1] == 40_000


def test_landmarks_that_have_only_numbers_get_their_names(tmp_path: Path) -> None:
    header = ["class", *(f"{axis}{n}" for n in range(1, 34) for axis in "xyzv")]
    rows = [["squat", *(str(n % 7 / 7) for n in range(132))]] * 3
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in [header, *rows]))
    recording = read_recording(tmp_path / "a.csv")
    assert recording.skeleton.joints == MEDIAPIPE_33
    assert recording.confidences is not None
    assert recording.confidences[0, 1] == 0  # the cell 7 % 7


def test_numbers_of_frames_are_times(tmp_path: Path) -> None:
    joints = ("nose", "left_hip", "right_hip")
    header = ["frame", *(f"{joint}_{axis}" for joint in joints for axis in ("x", "y", "z", "visibility"))]
    rows = [[str(n), *["0.5"] * 12] for n in (4, 5, 6, 8)]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in [header, *rows]))
    recording = read_recording(tmp_path / "a.csv", 10.0)
    assert recording.timestamps_us.tolist() == [0, 100_000, 200_000, 400_000]
    assert "1 frames are missing" in recording.notes


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("many", r"a\.csv:3: expected a number, got 'many' in column left_hip_wy"),
        ("inf", r"a\.csv:3: expected a finite number, got inf in column left_hip_wy"),
        ("1e39", "expected finite numbers, got inf in frame 2, column left_hip.y"),
    ],
)
def test_a_table_with_a_cell_that_is_no_place_is_refused(tmp_path: Path, cell: str, said: str) -> None:
    header = [f"{joint}_{axis}" for joint in ("nose", "left_hip", "right_hip") for axis in ("wx", "wy", "wz")]
    rows = [["0.5"] * 9, ["0.5"] * 4 + [cell] + ["0.5"] * 4]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in [header, *rows]))
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.csv")


# -- JSON


@pytest.mark.parametrize(
    "wrap",
    [
        lambda frames: frames,
        lambda frames: {"worldLandmarks": frames},
        lambda frames: {"pose_world_landmarks": [[frame] if frame else [] for frame in frames]},
        lambda frames: [{"poseWorldLandmarks": f, "poseLandmarks": landmarks(9, world=False)} for f in frames],
        lambda frames: {
            "fps": 25,
            "frames": [{"pose_world_landmarks": {"landmark": f} if f else None} for f in frames],
        },
        lambda frames: [{"landmarks": [landmarks(8, world=False)], "worldLandmarks": [f] if f else []} for f in frames],
    ],
)
def test_world_landmarks_in_any_wrapping(tmp_path: Path, wrap: Any) -> None:
    frames: list[Any] = [landmarks(1), [], landmarks(2)]
    recording = read(tmp_path, wrap(frames))
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.representation, skeleton.up_axis) == (MEDIAPIPE_33, "positions", "-y")
    assert recording.frames.shape == (3, 99)
    assert recording.frames[2, :3].tolist() == pytest.approx([frames[2][0][axis] for axis in "xyz"])
    assert np.isnan(recording.frames[1]).all()
    assert recording.confidences is not None
    assert recording.confidences[:, 0].tolist() == pytest.approx([0.9, 0, 0.9])


def test_landmarks_of_an_image_are_known_by_the_hips(tmp_path: Path) -> None:
    recording = read(tmp_path, [landmarks(n, world=False) for n in range(3)], 10.0)
    assert recording.skeleton.representation == "positions2d"
    assert recording.timestamps_us.tolist() == [0, 100_000, 200_000]
    assert "coordinates: image, by the middle of the hips" in recording.notes


def test_times_beside_the_landmarks_are_taken(tmp_path: Path) -> None:
    frames = [{"timestamp_ms": 40 * n, "landmarks": landmarks(n)} for n in range(4)]
    assert read(tmp_path, frames).timestamps_us.tolist() == [0, 40_000, 80_000, 120_000]
    frames[2]["timestamp_ms"] = [1]
    with pytest.raises(RecordingError, match=r"take\.json: frame 3: expected a timestamp_ms, as in frame 1"):
        read(tmp_path, frames)


def test_of_two_people_the_one_that_is_found_most_is_followed_by_place(tmp_path: Path) -> None:
    one, other = landmarks(1, world=False), landmarks(2, world=False, shift=3.0)
    recording = read(tmp_path, {"frames": [[other, one], [one], [one, other], [], [one]]})
    assert recording.frames[[0, 1, 2, 4], 0].tolist() == pytest.approx([one[0]["x"]] * 4)
    assert "individual: person 2, found in 4 of 5 frames; left out: person 1 (2)" in recording.notes


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "expected frames, got an empty list"),
        ([[{"x": 1, "y": 2, "z": 3}]], "frame 1: expected 33 landmarks, got 1"),
        (
            [landmarks(1), [landmarks(1)[0]] + [1] * 32],
            "frame 2, landmark 1: expected an object with x, y and z, got 1",
        ),
        ([landmarks(1), "x"], 'frame 2: expected a list, got "x"'),
        ([[{"x": "1", "y": 2, "z": 3}] * 33], 'frame 1, landmark 0: expected a number, got "1"'),
        ([[{"x": True, "y": 2, "z": 3}] * 33], "expected a number, got true"),
        ([[{"x": 10**400, "y": 2, "z": 3}] * 33], "expected a number of float64, got one of 401 digits"),
        ([[{"x": 1e39, "y": 2, "z": 3}] * 33], "expected finite numbers, got inf in frame 1"),
        ([[], []], "expected places of joints, found none in 2 frames"),
        ({"speed": 3}, "expected frames of MediaPipe's landmarks, .*, got an object of speed"),
        ([[landmarks(1)] * 101], "expected at most 100 individuals in a frame, got 101"),
    ],
)
def test_json_of_something_else_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(RecordingError, match=rf"take.*{said}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[\n{"x": 1, "y": 2, "z"', r"take\.json:2: expected JSON, got ''"),
        ("[" * 100_000, r"take\.json: expected JSON, got maximum recursion"),
        ("9" * 5000, r"take\.json: expected JSON, got Exceeds"),
        ("", r"take\.json:1: expected JSON"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "take.json").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "take.json")
