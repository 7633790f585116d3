"""The skeleton of an Acclaim motion: found in every usual place, said, and refused where it does not fit."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.models.recordings.test_acclaim import SMALL_AMC, small, small_asf

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import CMU_EXPMAP, read_recording
from motionscribe_models.recordings.acclaim import CMU
from motionscribe_models.rotations import rotation_matrix


def cmu_amc(frames: int = 3) -> str:
    rows = [f"{name} {' '.join(['1.5'] * len(freedoms))}" for name, freedoms in CMU.freedoms.items()]
    return ":FULLY-SPECIFIED\n:DEGREES\n" + "".join(f"{n + 1}\n" + "\n".join(rows) + "\n" for n in range(frames))


@pytest.mark.parametrize(
    ("asf", "amc"),
    [
        ("86_01.asf", "86_01.amc"),
        ("86.asf", "86_01.amc"),
        ("86_01.ASF", "86_01.AMC"),
        ("Rory.Asf", "rory_walk 01.amc"),
        ("HDM_bd.asf", "HDM_bd_01-01_01_120.amc"),
        ("subject 3.asf", "subject 3 take 2.amc"),
        ("whatever.asf", "take.amc"),
    ],
)
def test_the_skeleton_beside_a_motion_is_found(tmp_path: Path, asf: str, amc: str) -> None:
    (tmp_path / f"._{asf}").write_bytes(b"\x00\x05\x16\x07")  # as macOS leaves it
    (tmp_path / asf).write_text(small_asf())
    (tmp_path / amc).write_text(SMALL_AMC)
    recording = read_recording(tmp_path / amc)
    assert recording.skeleton.joints == ("root", "spine", "arm")
    assert recording.notes == (f"skeleton: {asf}",)


@pytest.mark.parametrize(
    "comment", [r"#!OML:ASF C:\Aufnahmen\für Test\Otto.ASF", "#!OML:ASF /home/me/otto.asf", "#! OML:ASF otto.asf "]
)
def test_the_comment_of_a_motion_names_its_skeleton(tmp_path: Path, comment: str) -> None:
    (tmp_path / "otto.asf").write_text(small_asf())
    (tmp_path / "take.asf.bak").write_text("")
    (tmp_path / "other.asf").write_text(small_asf().replace("arm", "leg"))
    (tmp_path / "take_1.amc").write_bytes(f"{comment}\n{SMALL_AMC}".encode("latin-1"))
    assert read_recording(tmp_path / "take_1.amc").notes == ("skeleton: otto.asf",)


def test_the_nearest_name_counts(tmp_path: Path) -> None:
    for stem in ("a", "a_1", "b"):
        (tmp_path / f"{stem}.asf").write_text(small_asf())
    for stem, chosen in (("a_1_2", "a_1"), ("a_2", "a"), ("a_1", "a_1")):
        (tmp_path / f"{stem}.amc").write_text(SMALL_AMC)
        assert read_recording(tmp_path / f"{stem}.amc").notes == (f"skeleton: {chosen}.asf",)


def test_cmus_skeleton_is_assumed_aloud_and_only_where_it_fits(tmp_path: Path) -> None:
    (tmp_path / "1_1.amc").write_text(cmu_amc())
    recording = read_recording(tmp_path / "1_1.amc")
    assert recording.skeleton == CMU_EXPMAP
    assert recording.notes == ("skeleton: built-in CMU",)
    (tmp_path / "7_2.amc").write_text("#!OML:ASF Q:\\otto.ASF\n" + SMALL_AMC)
    with pytest.raises(
        RecordingError,
        match=r"7_2\.amc:4: expected .* \(built-in CMU; no skeleton file is here, tried "
        r"7_2\.asf, otto\.asf, 7\.asf\)",
    ):
        read_recording(tmp_path / "7_2.amc")
    (tmp_path / "1_2.amc").write_text(cmu_amc().replace("lfoot 1.5 1.5", "lfoot 1.5 1.5 1.5"))
    with pytest.raises(RecordingError, match=r"expected lfoot and 2 numbers, by its skeleton \(built-in CMU"):
        read_recording(tmp_path / "1_2.amc")


def test_a_skeleton_that_does_not_fit_is_refused_and_none_guessed(tmp_path: Path) -> None:
    (tmp_path / "1.asf").write_text(small_asf())
    (tmp_path / "1_1.amc").write_text(cmu_amc())
    with pytest.raises(
        RecordingError, match=r"1_1\.amc:3: expected a frame of the 3 moving bones .*\(1\.asf\); differs in arm, "
    ):
        read_recording(tmp_path / "1_1.amc")


def test_orders_position_orientation_and_radians_count(tmp_path: Path) -> None:
    asf = (
        small_asf(
            spine="direction 0 1 0\nlength 5\naxis 0 0 0 ZXY\ndof rx ry rz",
            arm=("direction 1 0 0\nlength 3\naxis 0.1 0.2 0.3 ZYX\ndof rz"),
        )
        .replace("angle deg", "angle rad")
        .replace(
            "order TX TY TZ RX RY RZ\naxis XYZ",
            ("order RZ RY RX TX TY TZ\naxis ZYX\nposition 10 20 30\norientation 0 0 0.5"),
        )
    )
    amc = ":RADIANS\n1\nroot 0.1 0.2 0.3 1 2 3\nspine 0.4 0.5 0.6\narm 0.7\n"
    recording = read_recording(small(tmp_path, asf, amc))
    frame, axes = recording.frames[0].astype(np.float64), np.array(recording.skeleton.axes)
    assert frame[:3] == pytest.approx([11, 22, 33])
    for joint, (order, angles) in enumerate((("zyx", [0.1, 0.2, 0.3]), ("zxy", [0.6, 0.4, 0.5]), ("zyx", [0.7, 0, 0]))):
        expected = Rotation.from_euler(order, angles).inv().as_matrix()
        assert np.allclose(rotation_matrix(frame[3 + 3 * joint : 6 + 3 * joint]), expected, atol=1e-6)
    assert np.allclose(rotation_matrix(axes[2]), Rotation.from_euler("zyx", [0.3, 0.2, 0.1]).as_matrix(), atol=1e-9)
    assert np.allclose(axes[0], [0, 0, 0.5])


def test_frames_that_are_missing_leave_a_gap_and_are_said(tmp_path: Path) -> None:
    frames = cmu_amc(60)
    lines = frames.splitlines()
    head, block = lines[:2], 1 + len(CMU.freedoms)
    kept = [*head, *lines[2 : 2 + 10 * block], "", "# a pause", *lines[2 + 50 * block :], ""]
    (tmp_path / "a.amc").write_text("\r\n".join(kept))
    recording = read_recording(tmp_path / "a.amc")
    assert len(recording.frames) == 20
    assert recording.timestamps_us[10] == round(50 * 1e6 / 120)
    assert recording.notes == ("skeleton: built-in CMU", "40 frames are missing")


def test_bones_may_come_in_any_order(tmp_path: Path) -> None:
    straight = read_recording(small(tmp_path))
    other = SMALL_AMC.replace("spine 11 0 0\narm 46\n", "arm 46\nspine 11 0 0\n")
    assert np.array_equal(read_recording(small(tmp_path, amc=other)).frames, straight.frames)
