"""Files of AMASS: SMPL's joints, turned as scipy turns them; our own .npz files stay ours."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from tests.support.tiny_recording import tiny

from motionscribe_models.errors import RecordingError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import read_recording, write_recording
from motionscribe_models.recordings.amass import REST

UPRIGHT = Rotation.from_euler("x", 90, degrees=True).as_rotvec()
"""Turns a body that stands along y to one that stands along z, as files of AMASS do."""
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""Of SMPL's body joints, as its paper has them."""


def written(folder: Path, **change: Any) -> Path:
    poses = np.zeros((4, 156))
    poses[:, :3] = UPRIGHT
    content = {"poses": poses, "trans": np.tile([1.0, 2.0, 0.9], (4, 1)), "mocap_framerate": np.array(120.0)}
    content |= {"betas": np.zeros(16), "gender": np.array("female"), **change}
    np.savez(folder / "a.npz", allow_pickle=True, **{key: value for key, value in content.items() if value is not None})
    return folder / "a.npz"


def test_a_body_stands_as_people_do(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path))
    skeleton = recording.skeleton
    assert skeleton.parents == PARENTS
    assert (skeleton.units, skeleton.up_axis, skeleton.rate_hz) == ("m", "z", 120.0)
    at = dict(zip(skeleton.joints, joint_positions(skeleton, recording.frames)[0].tolist(), strict=True))
    assert at["pelvis"] == pytest.approx([1, 2, 0.9])
    assert at["left_wrist"][0] > at["left_shoulder"][0] > at["right_shoulder"][0] > at["right_wrist"][0]
    assert at["left_foot"][1] < at["left_ankle"][1]  # it looks along -y
    heights = [at[name][2] for name in ("left_foot", "left_ankle", "left_knee", "left_hip", "pelvis", "neck", "head")]
    assert heights == sorted(heights)
    assert 1.4 < at["head"][2] - at["left_foot"][2] < 1.6
    assert recording.notes[0] == "up axis: z, as AMASS has it"
    assert "average body of 1.7 m" in recording.notes[1]


@given(poses=arrays(np.float64, (2, 156), elements=st.floats(-3, 3)))
def test_joints_turn_as_their_slow_twin(tmp_path_factory: pytest.TempPathFactory, poses: NDArray[np.float64]) -> None:
    recording = read_recording(written(tmp_path_factory.mktemp("amass"), poses=poses, trans=poses[:, :3]))
    there = joint_positions(recording.skeleton, recording.frames)
    for frame, pose in enumerate(poses):
        turns, places = [Rotation.from_rotvec(pose[:3])], [pose[:3]]
        for joint, parent in enumerate(PARENTS[1:], 1):
            places.append(places[parent] + turns[parent].apply(REST.offsets[joint]))
            turns.append(turns[parent] * Rotation.from_rotvec(pose[3 * joint : 3 * joint + 3]))
        assert np.allclose(there[frame], places, atol=1e-5)


@pytest.mark.parametrize("width", [66, 72, 156, 165])
def test_relatives_with_more_joints_and_the_other_key(tmp_path: Path, width: int) -> None:
    path = written(tmp_path, poses=np.zeros((4, width)), mocap_framerate=None, mocap_frame_rate=np.array([60]))
    recording = read_recording(path)
    assert recording.frames.shape == (4, 69)
    assert recording.skeleton.rate_hz == 60.0
    assert read_recording(path, rate_hz=30.0).timestamps_us[1] == 33333


def test_our_own_files_stay_ours(tmp_path: Path) -> None:
    write_recording(tiny(), tmp_path / "b.npz")
    assert read_recording(tmp_path / "b.npz").skeleton == tiny().skeleton


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"poses": np.zeros((4, 63))}, r"a.npz: expected poses of 66 or more columns, .* got \(4, 63\) and \(4, 3\)"),
        ({"poses": np.zeros(156)}, "a.npz: expected poses of 66 or more columns"),
        ({"trans": np.zeros((3, 3))}, r"got \(4, 156\) and \(3, 3\)"),
        ({"poses": np.full((4, 156), np.nan)}, "a.npz: expected finite numbers below 1000 in poses"),
        ({"trans": np.full((4, 3), 1e300)}, "a.npz: expected finite numbers below 1000 in trans"),
        ({"poses": np.full((4, 156), "x")}, "a.npz: expected numbers in poses, got <U1"),
        ({"poses": np.full((4, 156), None)}, "a.npz: expected a file of AMASS, got Object arrays cannot be loaded"),
        ({"mocap_framerate": None}, "a.npz: expected mocap_framerate or mocap_frame_rate above 0 Hz .* got 0"),
        ({"mocap_framerate": np.zeros(0)}, "a.npz: expected mocap_framerate or mocap_frame_rate above 0 Hz"),
        ({"mocap_framerate": np.array("fast")}, "a.npz: expected numbers in mocap_framerate"),
        ({"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))}, "expected frames, got none"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(written(tmp_path, **change))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(RecordingError, match=r"a\.npz: expected a recording written by motionscribe"):
        read_recording(path)


def test_damage_inside_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = bytearray(path.read_bytes())
    content[200:204] = b"oops"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.npz: expected a file of AMASS"):
        read_recording(path)
