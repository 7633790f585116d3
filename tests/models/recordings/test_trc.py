"""TRC files: places, times, units and lost markers as the file says; up by the body that the markers name."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording


@pytest.mark.data
def test_real_files_are_read_cell_by_cell(data_dir: Path) -> None:
    files = sorted((data_dir / "openpose_trc").rglob("*.trc"))
    assert len(files) == 6
    for file in files:
        recording = read_recording(file)
        lines = file.read_text().splitlines()
        rows = np.array([line.split("\t")[: 2 + recording.skeleton.width] for line in lines[5:] if line.strip()], float)
        assert np.array_equal(recording.frames, rows[:, 2:].astype(np.float32))
        assert np.array_equal(recording.timestamps_us, np.rint(rows[:, 1] * 1e6))
        skeleton = recording.skeleton
        assert list(skeleton.joints) == [name for name in lines[3].split("\t")[2:] if name]
        assert (skeleton.units, skeleton.up_axis, skeleton.rate_hz) == ("m", "y", 60.0)
        assert set(skeleton.parents) == {-1}
        assert recording.notes == ("up axis: y, along which the body stands",)


MARKERS = ("L Heel", "Nose")
ROWS = [["1", "0.00", *"123456"], ["2", "0.02", *"123", "", "", ""], ["4", "0.06", *"123", "NaN", "5", "6"]]


def trc(
    rows: list[list[str]] = ROWS,
    markers: tuple[str, ...] = MARKERS,
    units: str = "mm",
    count: str = "",
    end: str = "\n",
) -> str:
    return end.join(
        [
            "PathFileType\t4\t(X/Y/Z)\ta.trc",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
            f"50.00\t50.00\t{len(rows)}\t{count or len(markers)}\t{units}\t50.00\t1\t{len(rows)}",
            "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
            "\t\t" + "\t".join(f"{axis}{n}" for n in range(1, 1 + len(markers)) for axis in "XYZ"),
            "",
            *("\t".join(row) for row in rows),
            "",
        ]
    )


def written(folder: Path, text: str) -> Path:
    (folder / "a.trc").write_bytes(text.encode())
    return folder / "a.trc"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t\r\n"])
def test_markers_that_are_lost_are_nan(tmp_path: Path, end: str) -> None:
    recording = read_recording(written(tmp_path, trc(end=end)))
    lost = np.nan
    expected = np.array([[1, 2, 3, 4, 5, 6], [1, 2, 3, lost, lost, lost], [1, 2, 3, lost, lost, lost]])
    assert np.array_equal(recording.frames, expected, equal_nan=True)
    assert recording.timestamps_us.tolist() == [0, 20_000, 60_000]
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.units, skeleton.metres_per_unit) == (MARKERS, "mm", 0.001)
    assert skeleton.rate_hz == 50.0


def test_the_body_tells_which_axis_is_up(tmp_path: Path) -> None:
    standing = [["1", "0.0", "0", "100", "10", "0", "150", "1700"]]
    assert read_recording(written(tmp_path, trc(standing))).skeleton.up_axis == "z"
    unknown = read_recording(written(tmp_path, trc(standing, markers=("one", "two"))))
    assert unknown.skeleton.up_axis == "y"
    assert unknown.notes == ("up axis: y, as OpenSim has it; the names of the markers do not tell",)


def test_a_rate_that_is_given_replaces_the_times(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, trc()), rate_hz=100.0)
    assert recording.timestamps_us.tolist() == [0, 10_000, 20_000]
    assert recording.skeleton.rate_hz == 100.0


@given(places=arrays(np.float32, st.tuples(st.integers(1, 4), st.just(6)), elements=st.floats(-1e6, 1e6, width=32)))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, places: np.ndarray) -> None:
    rows = [[str(n), f"{n / 50}", *map(repr, row.tolist())] for n, row in enumerate(places)]
    recording = read_recording(written(tmp_path_factory.mktemp("trc"), trc(rows)))
    assert np.array_equal(recording.frames, places)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.trc: expected frames, got an empty file"),
        ("time\tx\n0\t1\n", "a.trc: expected a TRC file: .*, got 'time"),
        (trc(units="furlong"), "a.trc:3: expected units of m, cm, mm or inches, got 'furlong'"),
        (trc(units=""), "a.trc:3: expected a value of Units"),
        (trc(count="3"), "a.trc:4: expected Frame#, Time and 3 names of markers"),
        (trc(count="many"), "a.trc:3: expected a number, got 'many'"),
        (trc().replace("50.00", "0"), "a.trc:3: expected a DataRate above 0 Hz"),
        (trc(markers=("a", "a")), "a.trc:4: expected a name of its own for each joint, got 'a'"),
        (trc([]), "a.trc: expected frames, got only a header"),
        (trc([["1", "0", *"12345"]]), "a.trc:7: expected 8 columns between tabs, got 7"),
        (trc([["1", "0", *"12345x"]]), "a.trc:7: expected a number, got 'x'"),
        (trc([["1", "0", *"12345", "inf"]]), "a.trc:7: expected a finite number, got inf"),
        (trc([["1", "", *"123456"]]), "a.trc:7: expected a number, got ''"),
        (trc([["1", "1e300", *"123456"]]), r"a.trc: expected times in seconds, got 1e\+300"),
        (trc([ROWS[1], ROWS[0]]), "a.trc:8: expected times to increase, got 0 s after 0.02 s"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(written(tmp_path, text))
