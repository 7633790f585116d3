"""Tables of joints' places: which names of columns are such, what stays features, unit and axes."""

from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.recordings.joint_columns import joint_columns

BODY = {"Head": (0.0, 0.0, 1.7), "MidHip": (0.0, 0.1, 0.95), "LAnkle": (0.1, 0.0, 0.1), "RAnkle": (-0.1, 0.0, 0.1)}
"""An upright person, metres, z up."""


def write(
    folder: Path, names: list[str], rows: list[list[float | str]], times: list[str] | None = None, time: str = "time_s"
) -> Path:
    lines = [",".join([time, *names] if times else names)]
    lines += [",".join(map(str, [times[n], *row] if times else row)) for n, row in enumerate(rows)]
    (folder / "a.csv").write_text("\n".join(lines))
    return folder / "a.csv"


Three = tuple[int, int, int]


def body(factor: float = 1.0, turn: Three = (0, 1, 2), signs: Three = (1, 1, 1)) -> list[float]:
    """All joints' places, with axes exchanged and turned round."""
    return [factor * sign * place[axis] for place in BODY.values() for axis, sign in zip(turn, signs, strict=True)]


def read_body(folder: Path, spelling: str = "{j}_{a}", values: list[float] | None = None) -> Recording:
    names = [spelling.format(j=joint, a=axis, A=axis.upper()) for joint in BODY for axis in "xyz"]
    return read_recording(write(folder, names, [list(values or body())] * 3, ["0", "0.02", "0.04"]))


@pytest.mark.parametrize(
    "spelling", ["{j}_{a}", "{j}.{a}", "{a}_{j}", "{j}:{A}", "{j}_{A}", "{j} {A}", "{j}-{a}", "{A}.{j}", "{j} - {a}"]
)
def test_names_in_many_spellings(tmp_path: Path, spelling: str) -> None:
    recording = read_body(tmp_path, spelling)
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.representation) == (tuple(BODY), "positions")
    assert (skeleton.units, skeleton.up_axis, skeleton.level, skeleton.rate_hz) == ("m", "z", True, 50)
    assert recording.frames[0].tolist() == pytest.approx(body())
    assert recording.notes == (
        "no unit given: joints of one frame spread over 1.62, taken for m",
        "up axis: z, where heads are above feet",
    )


@pytest.mark.parametrize(("factor", "unit"), [(1, "m"), (0.5, "m"), (100, "cm"), (60, "cm"), (1000, "mm"), (700, "mm")])
def test_the_unit_is_the_one_in_which_a_body_is_as_large_as_a_body(tmp_path: Path, factor: float, unit: str) -> None:
    skeleton = read_body(tmp_path, values=body(factor)).skeleton
    assert skeleton.units == unit
    assert skeleton.metres_per_unit == {"m": 1, "cm": 0.01, "mm": 0.001}[unit]


@pytest.mark.parametrize(
    ("turn", "signs", "up", "level"),
    [((0, 2, 1), (1, 1, 1), "y", True), ((0, 2, 1), (1, -1, 1), "-y", False), ((2, 0, 1), (1, 1, 1), "x", True)],
)
def test_up_is_where_heads_are_above_feet(tmp_path: Path, turn: Three, signs: Three, up: str, level: bool) -> None:
    skeleton = read_body(tmp_path, values=body(1, turn, signs)).skeleton
    assert (skeleton.up_axis, skeleton.level) == (up, level)


def test_without_heads_or_feet_up_is_y(tmp_path: Path) -> None:
    names = [f"m{n}_{axis}" for n in range(3) for axis in "xyz"]
    recording = read_recording(write(tmp_path, names, [[*map(float, range(9))]] * 2))
    assert recording.skeleton.up_axis == "y"
    assert "up axis: taken for y" in recording.notes
    assert recording.timestamps_us.tolist() == [0, 33_333]


@pytest.mark.parametrize("sure", ["confidence", "likelihood", "visibility", "score", "c"])
def test_pairs_are_places_in_an_image(tmp_path: Path, sure: str) -> None:
    names = [f"{joint}_{kind}" for joint in BODY for kind in ("x", "y", sure)]
    rows: list[list[float | str]] = [[400, 300, 0.9] * 4, [410, 310, 0.9, *[0, 0, 0], *["", "", ""], 20, 30, 0]]
    recording = read_recording(write(tmp_path, names, rows, ["0", "40"], "time_ms"))
    skeleton = recording.skeleton
    assert (skeleton.representation, skeleton.units, skeleton.up_axis) == ("positions2d", "px", "-y")
    assert recording.timestamps_us.tolist() == [0, 40_000]
    assert np.isnan(recording.frames[1, ::2]).tolist() == [False, True, True, False]
    assert recording.confidences is not None
    assert recording.confidences[1].tolist() == pytest.approx([0.9, 0, 0, 0])


def test_a_row_without_places_stays_and_a_joint_that_is_never_found_too(tmp_path: Path) -> None:
    names = [f"{joint}_{axis}" for joint in BODY for axis in "xyz"]
    rows: list[list[float | str]] = [[*body()[:9], "", "", ""], [""] * 12, [*body()[:9], "nan", "NaN", ""]]
    recording = read_recording(write(tmp_path, names, rows, ["0", "1", "2"]))
    assert recording.skeleton.joints == tuple(BODY)
    assert np.isnan(recording.frames.reshape(3, 4, 3)).all(axis=2).tolist() == [
        [False, False, False, True],
        [True] * 4,
        [False, False, False, True],
    ]


@pytest.mark.parametrize(
    "names",
    [
        ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z", "mag_x", "mag_y", "mag_z"],
        ["chest_acc_x", "chest_acc_y", "chest_acc_z", "arm_acc_x", "arm_acc_y", "arm_acc_z", "a_x", "a_y", "a_z"],
        ["head_x", "head_y", "hip_x", "hip_y"],  # two joints
        ["head_x", "head_y", "hip_x", "hip_y", "foot_x", "foot_y", "load"],
        ["head_x", "head_y", "head_z", "hip_x", "hip_y", "hip_z", "foot_x", "foot_y"],
        ["head_x", "head_z", "hip_x", "hip_z", "foot_x", "foot_z"],
        ["head_x", "head_y", "hip_x", "hip_y", "foot_x", "foot_y", "door_score"],
        ["head_x", "head_y", "hip_x", "hip_y", "foot_x", "foot_y", "head.x"],
        ["hand_rotation_x", "hand_rotation_y", "arm_rotation_x", "arm_rotation_y", "leg_rotation_x", "leg_rotation_y"],
        ["x" * 5000 + "_x", "a_x", "a_y", "b_x", "b_y", "c_x", "c_y"],
    ],
)
def test_other_columns_stay_features(tmp_path: Path, names: list[str]) -> None:
    assert joint_columns(names) is None
    rows: list[list[float | str]] = [[float(n + i) for i in range(len(names))] for n in range(3)]
    recording = read_recording(write(tmp_path, names, rows, ["0", "1", "2"]))
    assert recording.skeleton.representation == "features"
    assert recording.skeleton.joints == tuple(names)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["1"] * 12, ["1"] * 11], r"a\.csv:3: expected 12 columns, got 11"),
        ([["1"] * 12, ["1"] * 11 + ["near"]], r"a\.csv:3: expected a number, got 'near' in column RAnkle_z"),
        ([["1"] * 12, ["1"] * 11 + ["inf"]], r"a\.csv:3: expected a finite number, got inf in column RAnkle_z"),
        ([["1"] * 12, ["1"] * 11 + ["1e39"]], r"expected finite numbers, got inf in frame 2, column RAnkle\.z"),
        ([[""] * 11 + ["1"]] * 2, "expected places of joints, found none in 2 frames"),
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, rows: list[list[float | str]], said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(write(tmp_path, [f"{joint}_{axis}" for joint in BODY for axis in "xyz"], rows))
