"""DeepLabCut: tables of pandas, read without pandas, of one individual or several, in an image or in space."""

import pickle
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import pytest

from motionscribe_models.errors import MissingExtraError, RecordingError
from motionscribe_models.recordings import read_recording

Columns = list[tuple[str, ...]]
ONE: Columns = [("net", part, coord) for part, coord in product(("nose", "tail"), ("x", "y", "likelihood"))]
TWO: Columns = [("net", mouse, *rest) for mouse in ("mouse1", "mouse2") for _, *rest in ONE]
LEVELS = {3: ("scorer", "bodyparts", "coords"), 4: ("scorer", "individuals", "bodyparts", "coords")}


def values_of(columns: Columns) -> np.ndarray:
    """Three frames: all is found in the first, the last two columns of places are 0 with likelihood 0 in the second."""
    values = np.random.default_rng(0).uniform(50, 400, (3, len(columns)))
    values[:, [column[-1] == "likelihood" for column in columns]] = 0.75
    values[1, -3:] = 0
    if len(columns) == len(TWO):
        values[1:, :6] = np.nan
    return values


def write_table(path: Path, columns: Columns, values: np.ndarray) -> Path:
    """As pandas writes format="table"."""
    kind = np.dtype([("index", "<i8"), ("values_block_0", "<f8", (len(columns),))])
    rows = np.zeros(len(values), kind)
    rows["index"], rows["values_block_0"] = np.arange(len(values)), values
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = b"frame_table"
        table = group.create_dataset("table", data=rows)
        table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(columns, 0))
    return path


def write_fixed(path: Path, columns: Columns, values: np.ndarray) -> Path:
    """As pandas writes format="fixed"."""
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs.update({"pandas_type": b"frame", "nblocks": 1, "block0_items_nlevels": len(columns[0])})
        group["block0_values"], group["axis1"] = values, np.arange(len(values))
        for n, level in enumerate(zip(*columns, strict=True)):
            names = sorted(set(level))
            group[f"block0_items_level{n}"] = np.array(names, "S")
            group[f"block0_items_label{n}"] = np.array([names.index(name) for name in level], np.int8)
    return path


def write_csv(path: Path, columns: Columns, values: np.ndarray) -> Path:
    path = path.with_suffix(".csv")
    names = zip(LEVELS[len(columns[0])], *columns, strict=True)
    rows = [[str(n), *("" if np.isnan(value) else repr(float(value)) for value in row)] for n, row in enumerate(values)]
    path.write_text("\n".join(",".join(row) for row in [*names, *rows]))
    return path


Write = Callable[[Path, Columns, np.ndarray], Path]
WRITERS = [write_table, write_fixed, write_csv]


@pytest.mark.data
def test_real_tables_in_an_image_and_in_space(data_dir: Path) -> None:
    flat = read_recording(data_dir / "dlc" / "reaching" / "reachingDEMO_2D.h5")
    assert flat.frames.shape == (800, 66)
    assert flat.skeleton.joints[:3] == ("nose", "Left_wrist", "left_backofhand")
    assert (flat.skeleton.units, flat.skeleton.up_axis, flat.skeleton.rate_hz) == ("px", "-y", 30)
    assert not np.isnan(flat.frames).any()
    assert flat.confidences is not None
    assert flat.confidences.mean() == pytest.approx(0.85076, abs=1e-5)
    space = read_recording(data_dir / "dlc" / "reaching" / "reachingDEMO_3D.h5", 100.0)
    assert space.skeleton.joints == flat.skeleton.joints
    assert (space.skeleton.representation, space.skeleton.up_axis) == ("positions", "y")
    assert space.frames.shape == (800, 99)
    assert space.confidences is None
    lost = np.isnan(space.frames).reshape(800, 33, 3)
    assert lost.mean() == pytest.approx(0.1752, abs=1e-4)
    assert (lost.any(axis=2) == lost.all(axis=2)).all()
    assert space.timestamps_us[1] == 10_000


@pytest.mark.parametrize("write", WRITERS)
def test_one_individual(tmp_path: Path, write: Write) -> None:
    values = values_of(ONE)
    recording = read_recording(write(tmp_path / "a.h5", ONE, values))
    assert recording.skeleton.joints == ("nose", "tail")
    assert recording.skeleton.representation == "positions2d"
    np.testing.assert_allclose(recording.frames[0], values[0, [0, 1, 3, 4]], rtol=1e-6)
    assert np.isnan(recording.frames[1]).tolist() == [False, False, True, True]
    assert recording.confidences is not None
    assert recording.confidences.tolist() == [[0.75, 0.75], [0.75, 0], [0.75, 0.75]]
    assert recording.notes == ("no times in the file: taken for 30 Hz",)


@pytest.mark.parametrize("write", WRITERS)
def test_of_several_the_one_that_is_found_in_most_frames(tmp_path: Path, write: Write) -> None:
    values = values_of(TWO)
    recording = read_recording(write(tmp_path / "a.h5", TWO, values))
    np.testing.assert_allclose(recording.frames[2], values[2, [6, 7, 9, 10]], rtol=1e-6)
    assert "individual: mouse2, found in 3 of 3 frames; left out: mouse1 (1)" in recording.notes


@pytest.mark.parametrize(("factor", "unit"), [(1, "m"), (100, "cm"), (1000, "mm")])
def test_in_space_unit_and_up_axis_are_those_of_a_body(tmp_path: Path, factor: float, unit: str) -> None:
    columns: Columns = [("net", part, axis) for part in ("LAnkle", "hip", "Nose") for axis in "xyz"]
    values = np.array([[0, 0, 0.1, 0, 0, 0.9, 0, 0.2, 1.6]] * 3) * factor
    skeleton = read_recording(write_table(tmp_path / "a.h5", columns, values)).skeleton
    assert (skeleton.units, skeleton.up_axis, skeleton.level) == (unit, "z", True)
    turned = read_recording(write_table(tmp_path / "b.h5", columns, -values[:, [0, 2, 1, 3, 5, 4, 6, 8, 7]]))
    assert (turned.skeleton.up_axis, turned.skeleton.level) == ("-y", False)


def test_numbers_of_frames_that_are_missing_are_missing_time(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a", ONE, values_of(ONE)[[0, 1, 2, 0]])
    path.write_text(path.read_text().replace("\n3,", "\n5,"))
    recording = read_recording(path, 10.0)
    assert recording.timestamps_us.tolist() == [0, 100_000, 200_000, 500_000]
    assert "2 frames are missing" in recording.notes


def test_images_that_people_labelled_have_a_path(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a", ONE, values_of(ONE))
    lines = [line.split(",") for line in path.read_text().splitlines()]
    rows = [[row[0], "", "", *row[1:]] for row in lines[:3]]
    rows += [["labeled-data", "film", f"img{n}.png", *row[1:]] for n, row in enumerate(lines[3:])]
    path.write_text("\n".join(",".join(row) for row in rows))
    assert read_recording(path).frames.shape == (3, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scorer,a\nbodyparts,nose\n0,1\n", r"a\.csv: expected rows scorer, bodyparts and coords"),
        ("scorer,a,a\nbodyparts,nose,nose\ncoords,x,y\n", "expected frames, got only names of columns"),
        ("scorer,a,a\nbodyparts,nose,nose\ncoords,x,y\n0,1,many\n", r"a\.csv:4: expected a number, got 'many'"),
        ("scorer,a,a\nbodyparts,nose,nose\ncoords,x,y\n0,1\n", r"a\.csv:4: expected 3 columns, got 2"),
        ("scorer,a,a\nbodyparts,nose,nose\ncoords,x,x\n0,1,2\n", "expected each column once, got a/nose/x again"),
        (
            "scorer,a,a\nbodyparts,nose,nose\ncoords,x,q\n0,1,2\n",
            "expected columns of x, y, z, likelihood, got a/nose/q",
        ),
        ("scorer,a\nbodyparts,nose\ncoords,x\n0,1\n", "expected x, y of nose, got x"),
        ("scorer,a,a\nbodyparts,nose,nose\ncoords,x,y\n0,,\n", "expected places of joints, found none in 1 frames"),
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "a.csv")


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def broken(path: Path, change: str) -> None:
    """A good file that then holds something else."""
    write_table(path, ONE, values_of(ONE))
    with h5py.File(path, "r+") as file:
        table = file["df_with_missing/table"]
        match change:
            case "evil":
                table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps([Evil()], 0))
            case "names":
                table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(ONE[:2], 0))
            case "flat":
                table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(["a"], 0))
            case "cut":
                table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(ONE, 0)[:40])
            case "elsewhere":
                del file["df_with_missing/table"]
                file["df_with_missing/table"] = h5py.ExternalLink("other.h5", "/x")
            case "huge":
                del file["df_with_missing"]
                group = file.create_group("df_with_missing")
                group.attrs.update({"pandas_type": b"frame", "nblocks": 1, "block0_items_nlevels": 0})
                group.create_dataset("block0_values", shape=(10**9, 10**3), dtype="f8", chunks=(1000, 1000))
            case "other":
                del file["df_with_missing"]
                file["weights"] = np.zeros(3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("evil", "got GLOBAL in a pickle, which is not read"),
        ("names", "expected a name for each column of /df_with_missing, got 2 names"),
        ("flat", "expected names of columns of several levels"),
        ("cut", "expected an HDF5 file, got"),
        ("elsewhere", "expected a dataset table in /df_with_missing, got table"),
        ("huge", "expected at most 134217728 numbers in /df_with_missing/block0_values"),
        ("other", "expected a table of DeepLabCut, or tracks and node_names of SLEAP, got weights"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, said: str) -> None:
    broken(tmp_path / "a.h5", change)
    with pytest.raises(RecordingError, match=rf"a\.h5: .*{said}"):
        read_recording(tmp_path / "a.h5")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    whole = write_table(tmp_path / "a.h5", ONE, values_of(ONE)).read_bytes()
    (tmp_path / "a.h5").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecordingError, match=r"a\.h5: expected an HDF5 file"):
        read_recording(tmp_path / "a.h5")


def test_h5_without_h5py_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.h5").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[h5\]"'):
        read_recording(tmp_path / "a.h5")
