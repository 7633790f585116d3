"""Joint angles of OpenSim move a body as its models do."""

from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.body.mapping import find_mapping, mapped
from motionscribe_models.errors import RecordingError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import read_recording

ARMS = ("arm_flex_r", "arm_add_r", "arm_rot_r", "elbow_flex_r", "arm_flex_l", "arm_add_l", "arm_rot_l", "elbow_flex_l")
LEGS = tuple(
    f"{name}_{side}" for side in "rl" for name in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle")
)
NAMES = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz", *LEGS, *ARMS)


def mot(folder: Path, names: tuple[str, ...] = NAMES, degrees: str = "yes", **values: float) -> Path:
    """Four frames of 1/100 s of one pose, as OpenSim's inverse kinematics writes it."""
    rows = ["\t".join(f"{v:.8f}" for v in (k / 100, *(values.get(name, 0.0) for name in names))) for k in range(4)]
    head = f"Coordinates\nversion=1\nnRows=4\nnColumns={len(names) + 1}\ninDegrees={degrees}\n\nUnits are S.I. units\n"
    (folder / "ik.mot").write_text(head + "\nendheader\n" + "\n".join(["\t".join(["time", *names]), *rows]) + "\n")
    return folder / "ik.mot"


def pose(path: Path) -> dict[str, np.ndarray]:
    recording = read_recording(path)
    return dict(zip(recording.skeleton.joints, joint_positions(recording.skeleton, recording.frames)[0], strict=True))


def test_at_rest_a_body_stands(tmp_path: Path) -> None:
    recording = read_recording(mot(tmp_path, pelvis_ty=0.95))
    assert (recording.skeleton.up_axis, recording.skeleton.units, recording.skeleton.rate_hz) == ("y", "m", 100.0)
    assert find_mapping(recording.skeleton).missing == ()
    at = pose(tmp_path / "ik.mot")
    heights = [at[name][1] for name in ("left_ankle", "left_knee", "left_hip", "pelvis", "left_shoulder", "head")]
    assert heights == sorted(heights)
    assert 0 < heights[0] < 0.12
    assert at["left_hip"][2] < 0 < at["right_hip"][2]
    assert at["left_wrist"][1] < at["left_elbow"][1] < at["left_shoulder"][1]
    assert recording.notes[0].startswith("bones are those of an average body")


@pytest.mark.parametrize("bent", [60.0, -60.0])
def test_a_knee_bends_backwards_in_both_families_of_models(tmp_path: Path, bent: float) -> None:
    at = pose(mot(tmp_path, knee_angle_r=bent, knee_angle_l=bent))
    assert at["right_ankle"][0] < at["right_knee"][0] - 0.3


def test_coordinates_move_what_they_are_called_after(tmp_path: Path) -> None:
    at = pose(mot(tmp_path, hip_flexion_l=90, arm_flex_r=90, elbow_flex_l=90, lumbar_extension=0))
    np.testing.assert_allclose(at["left_knee"] - at["left_hip"], [0.41, 0, 0], atol=1e-6)  # to the front
    assert at["right_elbow"][0] > at["right_shoulder"][0] + 0.25
    assert at["left_wrist"][0] > at["left_elbow"][0] + 0.2


@pytest.mark.parametrize("side", ["left", "right"])
def test_adduction_brings_a_limb_to_the_middle(tmp_path: Path, side: str) -> None:
    letter = side[0]
    rest = pose(mot(tmp_path))
    at = pose(mot(tmp_path, NAMES, "yes", **{f"hip_adduction_{letter}": 20.0, f"arm_add_{letter}": -80.0}))
    assert abs(at[f"{side}_knee"][2]) < abs(rest[f"{side}_knee"][2])
    assert abs(at[f"{side}_elbow"][2]) > abs(rest[f"{side}_elbow"][2]) + 0.2


def test_the_pelvis_turns_about_z_then_x_then_y_and_radians_are_read(tmp_path: Path) -> None:
    at = pose(mot(tmp_path, degrees="no", pelvis_rotation=np.pi / 2, pelvis_tx=2.0))
    assert at["right_hip"][0] > 2.0 > at["left_hip"][0]  # turned to the left: the right side is in front


def test_a_model_without_arms_has_none(tmp_path: Path) -> None:
    recording = read_recording(mot(tmp_path, tuple(name for name in NAMES if name not in ARMS)))
    assert find_mapping(recording.skeleton).missing == ("left_elbow", "right_elbow", "left_wrist", "right_wrist")
    assert np.isfinite(mapped(recording).frames).any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("hip_flexion_l", "ground_force_vx"),
            "expected joint angles .*got none of hip_flexion_l .*export the markers",
        ),
        (("endheader", ""), "expected a line endheader"),
        (("0.01000000", "x"), r"ik\.mot:12: expected a number, got 'x'"),
        (("0.02000000", "0.00500000"), r"ik\.mot:13: expected times to increase"),
        (("0.03000000\t", ""), r"ik\.mot:14: expected 23 columns, got 22"),
        (("pelvis_list", "pelvis_tilt"), r"ik\.mot:10: expected a name of its own"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = mot(tmp_path)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(RecordingError, match=said):
        read_recording(path)
