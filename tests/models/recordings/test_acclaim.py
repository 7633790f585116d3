"""Acclaim recordings are read exactly, and broken ones refused with file, line, expected and got."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.spatial.transform import Rotation

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import CMU_EXPMAP, even_times, read_recording


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
        (("spine 11 0 0", "spine 11 0"), r"7_02\.amc:9: expected spine and 3 numbers.*\(7\.asf\).*got 'spine 11 0'"),
        (("spine 11 0 0", "spine 11 x 0"), r"7_02\.amc:9: expected a number, got 'x'"),
        (("spine 11 0 0", "spine 11 nan 0"), r"7_02\.amc:9: expected a finite number"),
        (
            ("spine 11 0 0", "leg 11 0 0"),
            r"7_02\.amc:7: expected a frame of the 3 moving bones.*\(7\.asf\).*leg, spine",
        ),
        (("spine 11 0 0", "arm 11"), r"7_02\.amc:10: expected each bone once in frame 2, got arm"),
        (("\n2\n", "\n1\n"), r"7_02\.amc:7: expected frame 2 or a later one, got '1'"),
        ((":DEGREES", ":GRADIANS"), "expected an AMC file: a line :DEGREES"),
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
        (small_asf().replace("angle deg", "angle grad"), r"7\.asf:4: expected angle deg"),
        (small_asf().replace("TX TY TZ", "TX TY"), "root has the order"),
        (small_asf().replace("dof rz", "dof rz l"), r"dof of rx, ry, rz only, got rz l \(arm\)"),
        (small_asf().replace("direction 1 0 0", "direction 1 0"), "expected a bone with name"),
        (small_asf().replace("axis 0 0 90 XYZ", "axis 0 0 90 ZYZ"), "axis x y z XYZ"),
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
