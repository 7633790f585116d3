"""Tables of Motive, as OptiTrack's manual describes them: places of bones and markers; other tables stay tables."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording

SETTINGS = (
    "Format Version,1.23,Take Name,Take 1,Capture Frame Rate,100.000000,Export Frame Rate,50.000000,"
    "Rotation Type,Quaternion,Length Units,Millimeters,Coordinate Space,Global"
)
BONE = ["Rotation"] * 4 + ["Position"] * 3
COLUMNS = [  # type, name, id, parent, kinds, axes
    ("Bone", "Kim:Hip", "5A:1", "Root", BONE, "XYZWXYZ"),
    ("Bone", "Kim:Ab", "5A:2", "5A:1", BONE, "XYZWXYZ"),
    ("Rigid Body", "Kim:Racket", "7", "", [*BONE, "Mean Marker Error"], [*"XYZWXYZ", ""]),
    ("Rigid Body Marker", "Racket:Marker1", "8", "7", ["Position"] * 3 + ["Marker Quality"], [*"XYZ", ""]),
    ("Marker", "Racket:Marker1", "9", "", ["Position"] * 3, "XYZ"),
    ("Marker", "Unlabeled 1000", "10", "", ["Position"] * 3, "XYZ"),
    ("Marker", "Kim:Toe", "11", "", ["Position"] * 3, "XYZ"),
]
JOINTS = ("Kim:Hip", "Kim:Ab", "Kim:Racket", "Racket:Marker1", "Kim:Toe")
PLACES = np.arange(30).reshape(2, 5, 3) / 4


def motive(
    places: NDArray[np.floating] = PLACES, settings: str = SETTINGS, parents: bool = True, step: float = 0.02
) -> str:
    """A file whose other numbers are all 99, and NaN an empty cell."""
    spread = [(column, kind, axis) for column in COLUMNS for kind, axis in zip(column[4], column[5], strict=True)]
    rows = [[",Type", *(c[0] for c, _, _ in spread)], [",Name", *(f'"{c[1]}"' for c, _, _ in spread)]]
    rows += [[",ID", *(c[2] for c, _, _ in spread)]]
    rows += [[",Parent", *(c[3] for c, _, _ in spread)]] if parents else []
    rows += [[",", *(kind for _, kind, _ in spread)], ["Frame,Time (Seconds)", *(axis for _, _, axis in spread)]]
    wanted = [
        (joint, "XYZ".index(axis)) if kind == "Position" and (column[0], column[1]) in KEPT else None
        for column, kind, axis in spread
        for joint in [JOINTS.index(column[1]) if column[1] in JOINTS else -1]
    ]
    for n, frame in enumerate(places):
        cells = ["99" if at is None else repr(float(frame[at])) for at in wanted]
        rows.append([str(n), f"{n * step:.6f}", *("" if cell == "nan" else cell for cell in cells)])
    return "\n".join([settings, "", *(",".join(row) for row in rows), ""])


KEPT = {(kind, name) for kind, name, *_ in COLUMNS} - {("Marker", "Racket:Marker1")}


def written(folder: Path, text: str) -> Path:
    (folder / "a.csv").write_text(text)
    return folder / "a.csv"


def test_places_of_bones_and_markers(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, motive()))
    assert np.array_equal(recording.frames, PLACES.reshape(2, 15))
    assert recording.timestamps_us.tolist() == [0, 20_000]
    skeleton = recording.skeleton
    assert (skeleton.joints, skeleton.parents) == (JOINTS, (-1, 0, -1, 2, -1))
    assert (skeleton.units, skeleton.up_axis, skeleton.rate_hz) == ("mm", "y", 50.0)
    assert recording.notes == (
        "up axis: y, as Motive has it",
        "1 markers without a label left out",
        "1 markers left out that are there under the same name",
    )


def test_files_without_parents_and_without_an_export_rate(tmp_path: Path) -> None:
    settings = SETTINGS.replace("Export Frame Rate,50.000000,", "").replace("Millimeters", "Meters")
    skeleton = read_recording(written(tmp_path, motive(settings=settings, parents=False))).skeleton
    assert set(skeleton.parents) == {-1}
    assert (skeleton.units, skeleton.rate_hz) == ("m", 100.0)
    assert read_recording(tmp_path / "a.csv", rate_hz=10.0).timestamps_us.tolist() == [0, 100_000]


def test_a_joint_that_was_not_seen_is_nan(tmp_path: Path) -> None:
    places = PLACES.copy()
    places[1, 4] = np.nan
    places[0, 3, 1] = np.nan
    expected = places.copy()
    expected[0, 3] = np.nan
    recording = read_recording(written(tmp_path, motive(places)))
    assert np.array_equal(recording.frames, expected.reshape(2, 15), equal_nan=True)


@given(
    places=arrays(
        np.float32, st.tuples(st.integers(1, 4), st.just(5), st.just(3)), elements=st.floats(-1e5, 1e5, width=32)
    )
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, places: NDArray[np.float32]) -> None:
    recording = read_recording(written(tmp_path_factory.mktemp("motive"), motive(places)))
    assert np.array_equal(recording.frames, places.reshape(len(places), 15))


def test_other_tables_stay_tables(tmp_path: Path) -> None:
    recording = read_recording(written(tmp_path, "time,Format Version\n0,1.23\n1,1.5\n"))
    assert recording.skeleton.representation == "features"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            motive(settings=SETTINGS.replace("Millimeters", "Yards")),
            "a.csv:1: Length Units: expected units of .*'Yards'",
        ),
        (motive(settings="Format Version,1.23"), "a.csv:1: Length Units: expected units of .*, got ''"),
        (
            motive(settings=SETTINGS.replace("Global", "Local")),
            "a.csv:1: expected the Coordinate Space Global, got Local",
        ),
        (
            motive(settings=SETTINGS.replace("Export Frame Rate,50.0", "Export Frame Rate,0.0")),
            "a.csv:1: expected an Export",
        ),
        (
            motive(settings=SETTINGS.replace("Frame Rate", "Rate")),
            "a.csv:1: Export Frame Rate: expected a number, got ''",
        ),
        (SETTINGS, "a.csv: expected a line Frame,Time,X,Y,Z after the header, got none"),
        (motive().replace(",Name,", ",Label,"), "a.csv:8: expected lines Type, Name and Position above Frame"),
        (motive().replace("Position", "Place"), "a.csv:8: expected columns of positions X Y Z, got none"),
        (motive()[: motive().index("\n0,0.0")], "a.csv: expected frames, got only a header"),
        (motive().replace(",99,", ",99,,", 1), "a.csv:9: expected 37 columns, got 38"),
        (motive().replace("0.25", "x", 1), "a.csv:9: expected a number, got 'x'"),
        (motive().replace("0.25", "inf", 1), "a.csv:9: expected a finite number, got inf"),
        (motive().replace("0,0.000000", "0,"), "a.csv:9: expected a number, got ''"),
        (motive(step=0.0), "a.csv:10: expected times to increase, got 0 s after 0 s"),
        (motive().replace("1,0.020000", "1,1e300"), "a.csv: expected times in seconds"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_recording(written(tmp_path, text))
