"""BVH files: places equal to those of other programs and of a slow twin; units and up axis by the rest pose."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording
from motionscribe_models.recordings.bvh import world_places
from motionscribe_models.recordings.bvh_hierarchy import Joint


@pytest.mark.data
def test_places_are_those_that_another_program_computed(data_dir: Path) -> None:
    recording = read_recording(data_dir / "bvh" / "walk01.bvh")
    with (data_dir / "bvh" / "walk01_pos.csv").open() as file:
        header, *rows = csv.reader(file)
    assert [column.lower() for column in recording.skeleton.columns] == [name.lower() for name in header[1:]]
    expected = np.array(rows, np.float64)
    assert np.abs(recording.frames - expected[:, 1:]).max() < 1e-3
    assert np.abs(recording.timestamps_us / 1e6 - expected[:, 0]).max() < 1e-4
    with (data_dir / "bvh" / "walk01_hierarchy.csv").open() as file:
        parents = [row["parent"].lower() for row in csv.DictReader(file)]
    joints = [name.lower() for name in recording.skeleton.joints]
    assert [joints[parent] if parent >= 0 else "" for parent in recording.skeleton.parents] == parents
    assert (recording.skeleton.up_axis, recording.skeleton.units, recording.skeleton.rate_hz) == ("y", "cm", 24.0)


@pytest.mark.data
def test_another_programs_file_is_read(data_dir: Path) -> None:
    recording = read_recording(data_dir / "bvh" / "test_freebvh.bvh")
    skeleton = recording.skeleton
    assert (recording.frames.shape, len(skeleton.joints)) == ((69, 210), 70)
    assert (skeleton.joints[:2], skeleton.rate_hz) == (("mixamorig:Hips", "mixamorig:Spine"), 30.0)
    assert "mixamorig:HeadTop_End_end" in skeleton.joints
    assert recording.notes == (
        "up axis: y, along which the rest pose stands",
        "units: cm, by the way from foot to head: a body of about 1.83 m",
    )
    head, foot = (
        recording.frames[:, 3 * skeleton.joints.index(f"mixamorig:{name}") + 1] for name in ("Head", "LeftFoot")
    )
    assert np.all(head - foot > 120)


def bvh(frame: str = "1 2 3 0 0 0 0 0 0", size: float = 1.0, up: str = "y", frame_time: str = "0.0083333") -> str:
    """A body of a hip, a foot and a head, about 1.7 m tall where a unit is a metre."""

    def along(length: float) -> str:
        return " ".join(f"{length * size * (axis == up):.4f}" for axis in "xyz")

    places = "Xposition Yposition Zposition"
    return (
        f"HIERARCHY\nROOT Hips\n{{\n OFFSET 0 0 0\n CHANNELS 6 {places} Zrotation Xrotation Yrotation\n"
        f" JOINT Foot\n {{\n  OFFSET {along(-0.9)}\n  CHANNELS 0\n }}\n"
        f" JOINT Head {{\n  OFFSET {along(0.7)}\n  CHANNELS 3 Xrotation Yrotation Zrotation\n"
        f"  End Site\n  {{\n   OFFSET {along(0.1)}\n  }}\n }}\n}}\n"
        f"MOTION\nFrames: 1\nFrame Time: {frame_time}\n{frame}\n"
    )


def written(folder: Path, text: str) -> Path:
    (folder / "a.bvh").write_text(text)
    return folder / "a.bvh"


def test_joints_parents_end_sites_and_turns(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, bvh("1 2 3 90 0 0 0 0 90")))
    assert recording.skeleton.joints == ("Hips", "Foot", "Head", "Head_end")
    assert recording.skeleton.parents == (-1, 0, 0, 2)
    # a quarter turn about z takes what was up to -x, and the second one to -y
    expected = np.array([[1, 2, 3], [1.9, 2, 3], [0.3, 2, 3], [0.3, 1.9, 3]])
    assert np.allclose(recording.frames.reshape(4, 3), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "units"), [(1, "m"), (100, "cm"), (1000, "mm"), (1 / 0.0254, "inch"), (0.45 / 0.0254, "0.05644 m")]
)
def test_units_by_the_size_of_the_body(tmp_path: Path, size: float, units: str) -> None:
    recording = read_recording(written(tmp_path, bvh(size=size)))
    assert recording.skeleton.units == units
    assert recording.skeleton.metres_per_unit * size == pytest.approx(1)
    assert recording.notes[1] == f"units: {units}, by the way from foot to head: a body of about 1.55 m"


def test_units_of_a_giant_and_of_strange_names_are_in_doubt(tmp_path: Path) -> None:
    assert read_recording(written(tmp_path, bvh(size=1.7))).notes[1].endswith("about 2.63 m; in doubt")
    strange = bvh().replace("Head", "Kopf").replace("Foot", "Fuss")
    assert read_recording(written(tmp_path, strange)).notes == (
        "up axis: y, which is usual; the rest pose does not tell",
        "units: m, by the size of the rest pose: a body of about 1.70 m",
    )


def test_the_rest_pose_tells_which_axis_is_up(tmp_path: Path) -> None:
    assert read_recording(written(tmp_path, bvh(up="z"))).skeleton.up_axis == "z"
    assert read_recording(written(tmp_path, bvh(up="x"))).skeleton.up_axis == "y"
    # bones along z at rest, which every frame puts upright along y
    assert read_recording(written(tmp_path, bvh("1 2 3 0 -90 0 0 0 0", up="z"))).skeleton.up_axis == "y"


@pytest.mark.parametrize(
    ("frame_time", "rate"),
    [("0.008333", 120.0), ("0.0083333", 120.0), (".0333333", 30.0), ("0.016683", 1 / 0.016683), ("2", 0.5)],
)
def test_the_frame_time_gives_the_rate(tmp_path: Path, frame_time: str, rate: float) -> None:
    path = written(tmp_path, bvh(frame_time=frame_time))
    assert read_recording(path).skeleton.rate_hz == pytest.approx(rate, rel=1e-12)
    assert read_recording(path, rate_hz=50.0).skeleton.rate_hz == 50.0


def test_frames_beyond_those_promised_are_read_and_said(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, bvh() + "\n4 5 6 0 0 0 0 0 0\n"))
    assert recording.frames[:, 0].tolist() == [1, 4]
    assert recording.notes[2:] == ("2 frames, not 1",)


KINDS = [(kind, axis) for kind in ("position", "rotation") for axis in range(3)]
NUMBERS = st.floats(-200, 200)
CHANNELS = st.lists(st.sampled_from(KINDS), unique=True).map(tuple)


@st.composite
def trees(draw: st.DrawFn) -> list[Joint]:
    size = draw(st.integers(1, 6))
    return [
        Joint(f"j{i}", draw(st.integers(-1, i - 1)), draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)), draw(CHANNELS))
        for i in range(size)
    ]


@given(joints=trees(), data=st.data())
def test_any_tree_moves_as_its_slow_twin(joints: list[Joint], data: st.DataObject) -> None:
    width = sum(len(joint.channels) for joint in joints)
    motion = np.array(data.draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=3)))
    places = world_places(joints, motion)
    for frame, numbers in enumerate(motion.tolist()):
        turns: list[Rotation] = []
        for i, joint in enumerate(joints):
            offset, own = np.array(joint.offset), Rotation.identity()
            for kind, axis in joint.channels:
                number = numbers.pop(0)
                if kind == "position":
                    offset[axis] = number
                else:
                    own = own * Rotation.from_euler("XYZ"[axis], number, degrees=True)
            above, start = (turns[joint.parent], places[frame, joint.parent]) if joint.parent >= 0 else (None, 0)
            expected = start + (above.apply(offset) if above else offset)
            assert np.allclose(places[frame, i], expected, rtol=0, atol=1e-9)
            turns.append(above * own if above else own)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("MOTION", ""), "a.bvh:21: expected ROOT or MOTION, got 'Frames: 1'"),
        (
            ("MOTION\nFrames: 1\nFrame Time: 0.0083333\n1 2 3 0 0 0 0 0 0\n", ""),
            "a.bvh: expected a BVH file: .* no line MOTION",
        ),
        (("OFFSET 0.0000 0.7000 0.0000", "OFFSET 0.0000 up 0.0000"), "a.bvh:12: expected a number, got 'up'"),
        (("OFFSET 0.0000 0.7000 0.0000", "OFFSET 0.0000"), "a.bvh:12: expected JOINT, End Site, OFFSET x y z"),
        (("OFFSET 0.0000 0.7000 0.0000", ""), "a.bvh:11: expected an OFFSET of Head, got none"),
        (("CHANNELS 3", "CHANNELS 2"), "a.bvh:13: expected CHANNELS, how many"),
        (("CHANNELS 3 Xrot", "CHANNELS 3 Wrot"), "a.bvh:13: expected CHANNELS, how many"),
        (("JOINT Foot", "ROOT Foot"), "a.bvh:6: expected ROOT outside of all joints"),
        (("JOINT Foot", "JOINT Hips"), "a.bvh: expected a name of its own for each joint, got 'Hips'"),
        ((" }\n}\n", "}\n"), "a.bvh:19: expected } after Hips, got MOTION"),
        (("}\nMOTION", "}\n}\nMOTION"), "a.bvh:20: expected ROOT or MOTION, got '}'"),
        (("Frames: 1", "Frames: 2"), "a.bvh: expected 2 frames, got 1: the file is cut off"),
        (("Frames: 1", "Frames: many"), "a.bvh:21: expected a number, got ' ?many'"),
        (("Frame Time: 0.0083333", "Frame Time: 0"), "a.bvh:22: expected a frame time in seconds, got '0'"),
        (("1 2 3 0 0 0 0 0 0", "1 2 3 0 0 0 0 0"), "a.bvh:23: expected 9 numbers, one a channel, got 8"),
        (("1 2 3 0 0 0 0 0 0", "1 2 3 0 0 x 0 0 0"), "a.bvh:23: expected a number, got 'x'"),
        (("1 2 3 0 0 0 0 0 0", "1 2 3 0 0 nan 0 0 0"), "a.bvh:23: expected a finite number, got nan"),
        (("1 2 3 0 0 0 0 0 0", "1 2 1e300 0 0 0 0 0 0"), "expected finite numbers, got inf in frame 1"),
        (("1 2 3 0 0 0 0 0 0\n", ""), "a.bvh: expected 1 frames, got 0: the file is cut off"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    changed = bvh().replace(*change)
    assert changed != bvh()
    with pytest.raises(RecordingError, match=said):
        read_recording(written(tmp_path, changed))


def test_numbers_too_large_to_add_are_no_lost_joints(tmp_path: Path) -> None:
    huge = bvh("1e308 2 3 0 0 0 0 0 0").replace("OFFSET 0.0000 0.7000", "OFFSET 1.7e308 -1.7e308")
    with pytest.raises(RecordingError, match="numbers too large to add up"):
        read_recording(written(tmp_path, huge))


def test_joints_that_nothing_moves_are_few(tmp_path: Path) -> None:
    idle = "".join(f" JOINT idle{n} {{\n OFFSET 0 0 0\n }}\n" for n in range(40))
    with pytest.raises(RecordingError, match="expected joints that move, got 44 with 9 channels in all"):
        read_recording(written(tmp_path, bvh().replace(" JOINT Foot", idle + " JOINT Foot")))


@pytest.mark.data
@pytest.mark.parametrize("share", [0.01, 0.03, 0.2, 0.9, 0.99])
def test_a_truncated_file_is_refused(data_dir: Path, tmp_path: Path, share: float) -> None:
    whole = (data_dir / "bvh" / "walk01.bvh").read_text()
    with pytest.raises(RecordingError, match=r"a\.bvh(:\d+)?: expected"):
        read_recording(written(tmp_path, whole[: int(len(whole) * share)]))
