"""Recordings are read exactly, and what is no recording is refused with file, expected and got."""

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat
from scipy.spatial.transform import Rotation

from motionscribe_models.errors import MissingExtraError, RecordingError
from motionscribe_models.recordings import (
    CMU_EXPMAP,
    CMU_EXPMAP_117,
    H36M_EXPMAP_99,
    Recording,
    endings,
    even_times,
    read_recording,
    write_recording,
)
from motionscribe_models.rotations import rotation_matrix, rotation_vector
from motionscribe_models.skeleton import Skeleton


def tiny(frames: int = 5) -> Recording:
    values = np.random.default_rng(0).normal(size=(frames, 96)).astype(np.float32)
    return Recording("tiny", values, even_times(frames, 120.0), CMU_EXPMAP)


# -- what a recording is


def test_even_times_round_each_for_itself() -> None:
    times = even_times(120 * 3600 + 1, 120.0)
    assert times[1] == 8333
    assert times[3] == 25000
    assert times[-1] == 3600 * 1_000_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frames": np.zeros((5, 95), np.float32)}, "96 columns"),
        ({"frames": np.zeros((5, 96))}, "float32"),
        ({"frames": np.zeros((0, 96), np.float32), "timestamps_us": np.zeros(0, np.int64)}, "got none"),
        ({"timestamps_us": np.arange(4)}, "5 int64 times"),
        ({"timestamps_us": np.array([0, 1, 2, 2, 3])}, "frame 4 after 2 us"),
    ],
)
def test_recording_refuses_what_contradicts_itself(change: dict[str, object], said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        replace(tiny(), **change)  # type: ignore[arg-type]  # each value fits its own field


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_recording_says_where_it_is_not_finite(bad: float) -> None:
    frames = tiny().frames.copy()
    frames[2, 4] = bad
    with pytest.raises(RecordingError, match=r"frame 3, column root\.ey"):
        replace(tiny(), frames=frames)


# -- layouts


@pytest.mark.parametrize(
    ("skeleton", "width", "joints"), [(CMU_EXPMAP, 96, 31), (CMU_EXPMAP_117, 117, 38), (H36M_EXPMAP_99, 99, 32)]
)
def test_layouts_are_whole(skeleton: Skeleton, width: int, joints: int) -> None:
    assert skeleton.width == width
    assert len(set(skeleton.joints)) == len(skeleton.offsets) == joints
    assert len(set(skeleton.columns)) == width
    assert Skeleton.from_json(skeleton.to_json()) == skeleton


@pytest.mark.parametrize("skeleton", [CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99])
def test_layouts_are_symmetric(skeleton: Skeleton) -> None:
    pairs = [("lfemur", "rfemur"), ("lradius", "rradius"), ("LeftLeg", "RightLeg"), ("LThumb", "RThumb")]
    found = [(skeleton.joints.index(a), skeleton.joints.index(b)) for a, b in pairs if a in skeleton.joints]
    assert found
    for left, right in found:
        assert np.allclose(np.array(skeleton.offsets[left]) * (-1, 1, 1), skeleton.offsets[right])


@pytest.mark.data
@pytest.mark.parametrize("file", ["sub86/01.mat", "sub86/10.mat", "cmu8/walking_1.txt", "cmu8/running_2.txt"])
def test_up_axis_and_inversion_hold_on_people_who_walk_and_turn(data_dir: Path, file: str) -> None:
    recording = read_recording(data_dir / file)
    frames = recording.frames[1:500]  # the first frame of the 117 columns is a T pose
    metres = frames[:, :3] * recording.skeleton.metres_per_unit
    assert 0.8 < metres[:, recording.skeleton.up].mean() < 1.2
    reach = np.ptp(metres, axis=0)
    assert reach[recording.skeleton.up] < 0.3 < 1.5 < reach.max()
    stored = rotation_matrix(frames[:, 3:6])
    up_in_body = stored[:, :, recording.skeleton.up]
    assert recording.skeleton.inverted
    assert up_in_body.mean(axis=0)[1] > 0.95
    if file.startswith("sub86"):  # who turns: the wrong reading of the rotation wanders
        assert up_in_body.std(axis=0).max() < 0.5 * stored[:, recording.skeleton.up, :].std(axis=0).max()


@pytest.mark.data
def test_joints_of_117_columns_bend_where_their_names_say(data_dir: Path) -> None:
    files = sorted((data_dir / "cmu8").glob("*_1.txt"))
    spread = np.max([read_recording(file).frames[1:].std(axis=0) for file in files], axis=0)[3:].reshape(38, 3)
    of = {joint: spread[i] for i, joint in enumerate(CMU_EXPMAP_117.joints)}
    for joint, motion in of.items():
        if joint.endswith("Site") or joint in ("LHipJoint", "RHipJoint"):
            assert motion.max() < 1e-6, joint
    for side in ("Left", "Right"):
        assert of[f"{side}Arm"].min() > 0.2  # a shoulder turns every way
        assert of[f"{side}ForeArm"][1] > 0.2
        assert of[f"{side}ForeArm"][0] < 1e-5  # an elbow does not
        assert of[f"{side}Leg"][2] < 1e-5  # nor does a knee
        assert of[f"{side}Hand"][0] > 0.2


# -- MATLAB and Acclaim


@pytest.mark.data
@pytest.mark.parametrize(("mat", "amc"), [("01", "86_01"), ("09", "86_09")])
def test_acclaim_equals_the_set_made_from_it(data_dir: Path, mat: str, amc: str) -> None:
    made = loadmat(data_dir / "sub86" / f"{mat}.mat")["expmapchannels"]
    recording = read_recording(data_dir / "cmu_raw" / f"{amc}.amc")
    assert recording.frames.shape == made.shape
    assert np.abs(recording.frames[:, 3:] - made[:, 3:]).max() < 1e-6
    assert np.abs(recording.frames[:, :3] - made[:, :3]).max() < 4e-6  # float32 at 60 units
    assert np.array_equal(recording.timestamps_us, even_times(len(made), 120.0))


@pytest.mark.data
def test_acclaim_follows_the_rule_in_scipy_words(data_dir: Path) -> None:
    path = data_dir / "cmu_amc" / "02_03.amc"
    freedoms = {"lfemur": "xyz", "lfoot": "xz", "ltibia": "x", "rwrist": "y", "root": "xyz"}
    rows: dict[str, list[list[float]]] = {}
    for line in path.read_text().splitlines():
        name, *numbers = line.split()
        if name in freedoms:
            rows.setdefault(name, []).append([float(n) for n in numbers])
    recording = read_recording(path)
    for name, axes in freedoms.items():
        angles = np.zeros((len(recording.frames), 3))
        for column, axis in enumerate(axes):
            angles[:, "xyz".index(axis)] = np.array(rows[name])[:, column - len(axes)]
        expected = -Rotation.from_euler("xyz", angles, degrees=True).as_rotvec()
        joint = recording.skeleton.joints.index(name)
        assert np.abs(recording.frames[:, 3 + 3 * joint : 6 + 3 * joint] - expected).max() < 1e-6


@pytest.mark.data
def test_acclaim_without_its_skeleton_is_read_as_cmu(data_dir: Path, tmp_path: Path) -> None:
    alone = tmp_path / "86_09.amc"
    shutil.copy(data_dir / "cmu_raw" / "86_09.amc", alone)
    with_asf, without = read_recording(data_dir / "cmu_raw" / "86_09.amc"), read_recording(alone)
    assert np.array_equal(with_asf.frames, without.frames)
    assert without.skeleton == CMU_EXPMAP
    assert with_asf.skeleton.joints == CMU_EXPMAP.joints
    assert with_asf.skeleton.parents == CMU_EXPMAP.parents
    assert with_asf.skeleton.metres_per_unit == pytest.approx(CMU_EXPMAP.metres_per_unit)
    # the built-in body is a rounded one of the same build
    assert np.abs(np.array(with_asf.skeleton.offsets) - CMU_EXPMAP.offsets).max() < 0.6
    assert np.allclose(with_asf.skeleton.axes, CMU_EXPMAP.axes, atol=1e-6)


@pytest.mark.data
def test_every_cmu_file_at_hand_is_read(data_dir: Path) -> None:
    files = [*sorted((data_dir / "cmu_amc").glob("0[23]_0[123].amc")), data_dir / "mocap6" / "amc" / "13_30.amc"]
    assert len(files) >= 6
    for file in files:
        assert read_recording(file).skeleton.name == "cmu-expmap"
    prepared = np.load(data_dir / "mocap6" / "expmap" / "13_30.npz")["expmap"]
    assert np.abs(read_recording(data_dir / "mocap6" / "amc" / "13_30.amc").frames - prepared).max() < 1e-6


def small_asf(length: str = "0.45", **bones: str) -> str:
    data = {
        "spine": "direction 0 1 0\nlength 5\naxis 0 0 0 XYZ\ndof rx ry rz",
        "arm": "direction 1 0 0\nlength 3\naxis 0 0 90 XYZ\ndof rz",
        **bones,
    }
    text = "".join(f"begin\nid 1\nname {name}\n{lines}\nend\n" for name, lines in data.items())
    return (
        f":units\nmass 1.0\nlength {length}\nangle deg\n:root\norder TX TY TZ RX RY RZ\naxis XYZ\n"
        f":bonedata\n{text}:hierarchy\nbegin\nroot spine\nspine arm\nend\n"
    )


SMALL_AMC = (
    ":FULLY-SPECIFIED\n:DEGREES\n"
    "1\nroot 1 2 3 0 90 0\nspine 10 0 0\narm 45\n"
    "2\nroot 1 2 4 0 90 0\nspine 11 0 0\narm 46\n"
)


def small(folder: Path, asf: str | None = None, amc: str = SMALL_AMC) -> Path:
    (folder / "7.asf").write_text(small_asf() if asf is None else asf)
    (folder / "7_02.amc").write_text(amc)
    return folder / "7_02.amc"


def test_any_acclaim_skeleton_gives_its_own_layout(tmp_path: Path) -> None:
    recording = read_recording(small(tmp_path))
    assert recording.skeleton.joints == ("root", "spine", "arm")
    assert recording.skeleton.parents == (-1, 0, 1)
    assert recording.skeleton.name == "7"
    assert recording.skeleton.offsets[2] == (3.0, 0.0, 0.0)
    assert recording.frames.shape == (2, 12)
    assert recording.frames[1] == pytest.approx([1, 2, 4, *np.deg2rad([0, -90, 0, -11, 0, 0, 0, 0, -46])], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("spine 10 0 0\n", ""), r"7_02\.amc:3: expected a frame of the 3 moving bones.*spine"),
        (("spine 11 0 0\n", ""), r"7_02\.amc:9: .*got 2: the file is cut off"),
        (("arm 46\n", ""), r"7_02\.amc:9: .*cut off"),
        (("spine 11 0 0", "spine 11 0"), r"7_02\.amc:9: expected spine and 3 numbers, got 'spine 11 0'"),
        (("spine 11 0 0", "spine 11 x 0"), r"7_02\.amc:9: expected a number, got 'x'"),
        (("spine 11 0 0", "spine 11 nan 0"), r"7_02\.amc:9: expected a finite number"),
        (("spine 11 0 0", "leg 11 0 0"), r"7_02\.amc:9: expected spine"),
        (("\n2\n", "\n3\n"), r"7_02\.amc:7: expected frame 2, got '3'"),
        ((":DEGREES", ":RADIANS"), "expected an AMC file: a line :DEGREES"),
        ((SMALL_AMC, "nothing of the kind\n"), "expected an AMC file"),
        ((SMALL_AMC, ""), "empty file"),
    ],
)
def test_a_broken_amc_is_refused_with_its_line(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    changed = SMALL_AMC.replace(*change)
    assert changed != SMALL_AMC
    with pytest.raises(RecordingError, match=said):
        read_recording(small(tmp_path, amc=changed))


@pytest.mark.parametrize(
    ("asf", "said"),
    [
        ("junk\n", "expected an ASF file"),
        (small_asf().replace("angle deg", "angle rad"), r"7\.asf:4: expected angle deg"),
        (small_asf().replace("TX TY TZ", "TX TY"), "root has the order"),
        (small_asf().replace("dof rz", "dof rz l"), r"dof of rx, ry, rz only, got rz l \(arm\)"),
        (small_asf().replace("direction 1 0 0", "direction 1 0"), "expected a bone with name"),
        (small_asf().replace("axis 0 0 90 XYZ", "axis 0 0 90 ZYX"), "axis x y z XYZ"),
        (small_asf().replace("spine arm\n", ""), "differ in arm"),
        (small_asf().replace("spine arm\n", "tail arm\n"), "tree of bones"),
        (small_asf(length="0"), "length above 0"),
        (small_asf(length="long"), r"7\.asf:3: expected a number, got 'long'"),
    ],
)
def test_a_broken_asf_is_refused(tmp_path: Path, asf: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(small(tmp_path, asf=asf))


@pytest.mark.data
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_acclaim_file_is_refused(data_dir: Path, tmp_path: Path, share: float) -> None:
    whole = (data_dir / "cmu_amc" / "02_03.amc").read_bytes()
    (tmp_path / "cut.amc").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecordingError, match=r"cut\.amc:\d+: expected"):
        read_recording(tmp_path / "cut.amc")


@pytest.mark.data
@pytest.mark.parametrize("share", [0.001, 0.3, 0.95])
def test_a_truncated_mat_file_is_refused(data_dir: Path, tmp_path: Path, share: float) -> None:
    whole = (data_dir / "sub86" / "01.mat").read_bytes()
    (tmp_path / "cut.mat").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecordingError, match=r"cut\.mat: expected"):
        read_recording(tmp_path / "cut.mat")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"other": np.zeros((3, 96))}, "expected a variable expmapchannels, got other"),
        ({"expmapchannels": np.zeros((3, 62))}, "expected 96 columns of expmapchannels, got 62"),
        ({"expmapchannels": "text"}, "expected expmapchannels to be a matrix of numbers"),
        ({"expmapchannels": np.full((3, 96), np.nan)}, "expected finite numbers, got nan in frame 1"),
        ({"expmapchannels": np.full((3, 96), 1e300)}, "expected finite numbers, got inf in frame 1"),
    ],
)
def test_a_foreign_mat_file_is_refused(tmp_path: Path, content: dict[str, object], said: str) -> None:
    savemat(tmp_path / "x.mat", content)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "x.mat")


def test_mat_without_scipy_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.mat").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[mat\]"'):
        read_recording(tmp_path / "x.mat")


# -- comma separated exponential maps


@pytest.mark.parametrize(("width", "name"), [(96, "cmu-expmap"), (117, "cmu-expmap-117")])
def test_exponential_maps_are_known_by_their_width(tmp_path: Path, width: int, name: str) -> None:
    values = np.random.default_rng(1).normal(size=(4, width))
    np.savetxt(tmp_path / "a.txt", values, delimiter=",")
    recording = read_recording(tmp_path / "a.txt", rate_hz=30.0)
    assert recording.skeleton.name == name
    assert recording.skeleton.rate_hz == 30.0
    assert recording.timestamps_us.tolist() == [0, 33333, 66667, 100000]
    assert np.allclose(recording.frames, values, atol=1e-6)


def test_human36m_increments_are_added_up(tmp_path: Path) -> None:
    """A walk in a circle, taken apart into steps in the body's axes, comes back whole."""
    angle = np.linspace(0, 2 * np.pi, 60)
    place = np.stack([1000 * (1 - np.cos(angle)), 5 * np.sin(4 * angle), 1000 * np.sin(angle)], axis=1)
    stored = rotation_matrix(np.stack([0.1 * np.sin(angle), -angle, 0 * angle], axis=1))  # world to body
    stored = stored @ stored[0].T
    rows = np.zeros((60, 99))
    for k in range(1, 60):
        rows[k, :3] = stored[k - 1] @ (place[k] - place[k - 1])
        rows[k, 3:6] = rotation_vector(stored[k] @ stored[k - 1].T)
    rows[:, 6:] = np.random.default_rng(0).normal(size=(60, 93))
    np.savetxt(tmp_path / "walking_1.txt", rows, delimiter=",", fmt="%.9f")
    recording = read_recording(tmp_path / "walking_1.txt")
    assert recording.skeleton == H36M_EXPMAP_99
    assert np.abs(recording.frames[:, :3] - place).max() < 1e-3
    assert np.abs(rotation_matrix(recording.frames[:, 3:6]) - stored).max() < 1e-5
    assert np.allclose(recording.frames[:, 6:], rows[:, 6:], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty file"),
        ("\n\n", "empty file"),
        ("1,2,3\n", r"a\.txt:1: expected exponential maps of 96 .* 99 .* 117 .*got 3"),
        ("0," * 95 + "0\n" + "0," * 94 + "0\n", r"a\.txt:2: expected 96 columns, got 95"),
        ("0," * 95 + "0\n\n" + "0," * 95 + "0\n", r"a\.txt:2: expected 96 columns, got 1"),
        ("0," * 95 + "0\n" + "0," * 95 + "zero\n", r"a\.txt:2: expected a number, got 'zero'"),
        ("0," * 95 + "nan\n", r"a\.txt:1: expected a finite number, got nan"),
        ("0," * 95 + "1e39\n", "expected finite numbers, got inf in frame 1"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.txt")


# -- tables of features


@pytest.mark.data
def test_skab_becomes_features_at_its_own_times(data_dir: Path) -> None:
    recording = read_recording(data_dir / "skab" / "valve1" / "2.csv")
    assert recording.skeleton.representation == "features"
    assert recording.skeleton.joints[0] == "Accelerometer1RMS"
    assert len(recording.skeleton.joints) == 8
    assert recording.skeleton.rate_hz == 1.0
    assert np.diff(recording.timestamps_us).max() == 76_000_000  # the set has a hole there
    assert recording.frames[0, -1] == np.float32(31.001)
    faster = read_recording(data_dir / "skab" / "valve1" / "2.csv", rate_hz=2.0)
    assert np.all(np.diff(faster.timestamps_us) == 500_000)
    assert np.array_equal(faster.frames, recording.frames)


def test_features_know_seconds_and_time_zones(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Timestamp,a,b\n0.5,1,2\n0.75,3,4\n1,5,6\n")
    recording = read_recording(tmp_path / "a.csv")
    assert recording.timestamps_us.tolist() == [500_000, 750_000, 1_000_000]
    assert recording.skeleton.rate_hz == 4.0
    assert recording.frames.tolist() == [[1, 2], [3, 4], [5, 6]]
    (tmp_path / "b.csv").write_text("datetime;a\n2024-01-01T00:00:00+01:00;1\n2023-12-31 23:00:01.5;2\n")
    assert np.diff(read_recording(tmp_path / "b.csv").timestamps_us).tolist() == [1_500_000]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;b\n1;2\n3;4\n", "expected a column datetime or timestamp"),
        ("datetime;a\n", "got only a header"),
        ("datetime;anomaly\n2024-01-01;0\n2024-01-02;0\n", "expected columns of features, got only datetime, anomaly"),
        ("datetime;a\n2024-01-02;1\n2024-01-01;1\n", r"a\.csv:3: expected times to increase"),
        ("datetime;a\n2024-01-01;1\nsoon;1\n", r"a\.csv:3: expected a number, got 'soon'"),
        ("datetime;a\n2024-01-01;1\n2024-01-02;many\n", r"a\.csv:3: expected a number, got 'many'"),
        ("datetime;a;a\n2024-01-01;1;1\n", "expected a name of its own for each column"),
        ("datetime;a\n2024-01-01;1\n2024-01-02\n", r"a\.csv:3: expected 2 columns, got 1"),
    ],
)
def test_a_broken_table_of_features_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.csv")


# -- the project's own file


@settings(deadline=None)
@given(
    frames=hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(96)), elements=st.floats(-1e6, 1e6, width=32)),
    rate=st.floats(1.0, 500.0),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, frames: np.ndarray, rate: float
) -> None:
    path = tmp_path_factory.mktemp("npz") / "walk.npz"
    skeleton = replace(CMU_EXPMAP, rate_hz=rate)
    write_recording(Recording("x", frames, even_times(len(frames), rate) + 17, skeleton), path)
    back = read_recording(path)
    assert back.name == "walk"
    assert back.skeleton == skeleton
    assert np.array_equal(back.frames, frames)
    assert np.array_equal(back.timestamps_us, even_times(len(frames), rate) + 17)


def test_a_foreign_npz_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=np.zeros(3))
    with pytest.raises(RecordingError, match="expected the arrays frames, skeleton, timestamps_us, got frames"):
        read_recording(tmp_path / "a.npz")
    pickled = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "b.npz", frames=pickled, skeleton="{}", timestamps_us=np.zeros(1, np.int64))
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "b.npz")
    np.savez(
        tmp_path / "c.npz", frames=np.zeros((1, 3), np.float32), skeleton="[]", timestamps_us=np.zeros(1, np.int64)
    )
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "c.npz")
    (tmp_path / "d.npz").write_bytes(b"not a zip file")
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "d.npz")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_npz_is_refused(tmp_path: Path, share: float) -> None:
    write_recording(tiny(200), tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "a.npz")


@pytest.mark.parametrize("position", [0.2, 0.4, 0.6])
def test_a_damaged_npz_is_refused(tmp_path: Path, position: float) -> None:
    write_recording(tiny(200), tmp_path / "a.npz")
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[int(len(content) * position)] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(RecordingError, match="expected a recording written by motionscribe"):
        read_recording(tmp_path / "a.npz")


# -- the door


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("walk.xyz", re.escape(f"expected a file ending in {', '.join(endings())}, got .xyz")),
        ("walk", "got no ending"),
        ("absent.amc", "expected a file, found none"),
    ],
)
def test_the_door_names_what_it_knows(tmp_path: Path, name: str, said: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / name)


@pytest.mark.parametrize("suffix", endings())
@settings(deadline=None)
@given(content=st.binary(max_size=300))
def test_noise_is_no_recording(tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / f"noise{suffix}"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="noise"):
        read_recording(path)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: float) -> None:
    write_recording(tiny(), tmp_path / "a.npz")
    with pytest.raises(RecordingError, match="expected a rate above 0 Hz"):
        read_recording(tmp_path / "a.npz", rate_hz=rate)
