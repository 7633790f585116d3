"""Files of formats that others read: typed tables, NWB's own validator, scales as netCDF has them, rows of CSV."""

import csv
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from pyarrow import parquet

from motionscribe.errors import BadFile
from motionscribe.events import Anomaly, Gap, SegmentEnded
from motionscribe.sinks import StreamInfo, appended, movement_labels
from motionscribe.sinks.addresses import PLACES, Place, is_file, parse_place
from motionscribe.sinks.movement_labels import write_movement_labels
from motionscribe.sinks.nwb import write_nwb
from motionscribe.sinks.parquet import write_parquet
from motionscribe.sinks.record import Record, Span
from motionscribe_models.errors import MissingExtraError

SPANS: list[Span] = [
    SegmentEnded(1, 1, "walk", 1, 241, 5_000_000, 7_000_400),
    SegmentEnded(2, 2, "w\u00e4ve\u202e", 241, 361, 7_000_400, 8_000_000, guessed=True),
    Anomaly(
        *(1, False, 1, 2, 7_200_000, 7_900_000, "sensor fault", "jump", "ended"),
        *(0.025, ("left_wrist", "head"), (6.5, 4.0), 0),
    ),
    Gap(361, 361, 8_000_000, 9_000_000),
    SegmentEnded(3, 4, "walk", 361, 481, 9_000_000, 9_500_000),
]
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""Of SPANS where a clock tells it: two seconds before the second stream."""
OFFSET_US = int(BEGAN.timestamp()) * 1_000_000 - 5_000_000
LATER = SegmentEnded(1, 1, "walk", 1, 100, 100_000_000, 101_000_000)
RECORDS = {"gym/1": Record(SPANS, [OFFSET_US] * 5), "gym:1": Record([LATER], [OFFSET_US - 93_000_000])}


def test_a_table_has_types_and_times_of_the_day(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", {**RECORDS, "file": Record(SPANS[:1], [])})
    table = parquet.read_table(tmp_path / "a.parquet")
    assert str(table.schema.field("start_time").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("joints").type).startswith("list<")
    assert {str(table.schema.field(name).type) for name in ("id", "cluster", "start_seq")} == {"int64"}
    rows = table.to_pylist()
    assert [row["event"] for row in rows] == ["segment", "segment", "alarm", "gap", "segment", "segment", "segment"]
    assert (rows[0]["start_s"], rows[0]["end_s"], rows[0]["start_time"]) == (5.0, 7.0004, BEGAN)
    assert (rows[1]["name"], rows[1]["guessed"], rows[1]["cluster"]) == ("w\u00e4ve\\u202e", True, 2)
    alarm = rows[2]
    assert [alarm[name] for name in ("event", "id", "cluster", "name", "guessed")] == ["alarm", 1, None, None, None]
    assert (alarm["kind"], alarm["detector"], alarm["joints"]) == ("sensor fault", "jump", ["left_wrist", "head"])
    assert (alarm["start_s"], alarm["end_seq"], alarm["false_alarms_per_hour"]) == (7.2, 2, 0.025)
    assert rows[3]["id"] is rows[3]["kind"] is None
    assert (rows[6]["stream"], rows[6]["start_time"]) == ("file", None)


def test_nwb_is_valid_and_read_back(tmp_path: Path) -> None:
    import ndx_ethogram
    import pynwb

    write_nwb(tmp_path / "a.nwb", RECORDS)
    write_nwb(tmp_path / "empty.nwb", {"a": Record([], [])})
    assert [pynwb.validate(path=str(tmp_path / f"{name}.nwb")) for name in ("a", "empty")] == [[], []]
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", "r") as io:
        file = io.read()
        assert file.session_start_time == BEGAN
        behavior = file.processing["behavior"]
        first, second = (behavior[f"bouts_gym_1_{n}"] for n in (1, 2))
        assert isinstance(first, ndx_ethogram.EthogramBouts)
        shown = ["walk (cluster 1)", "w\u00e4ve\\u202e", "walk (cluster 4)"]
        assert list(first["label"][:]) == shown
        np.testing.assert_allclose(first["start_time"][:], [0, 2.0004, 4])
        np.testing.assert_allclose(first["stop_time"][:], [2.0004, 3, 4.5])
        assert list(first.id[:]) == [1, 2, 3]
        assert (first.labeling_method, first.ethogram.exclusive) == ("automated", True)
        assert list(first.ethogram["behavior"][:]) == shown
        assert list(first.ethogram["native_code"][:]) == [1, 2, 4]
        np.testing.assert_allclose(second["start_time"][:], [2])
        alarms = behavior["alarms_gym_1_1"].to_dataframe()
        what = ["sensor fault", "jump", "left_wrist, head", 0.025]
        assert alarms.iloc[0].to_list() == [pytest.approx(2.2), pytest.approx(2.9), *what]


def test_labels_over_time_have_the_dimensions_of_movement(tmp_path: Path) -> None:
    late = SegmentEnded(1, 7, "", 1, 9, 9_450_000, 9_750_000)
    write_movement_labels(tmp_path / "a.nc", {"gym": Record(SPANS, []), "b": Record([late], [])})
    with h5py.File(tmp_path / "a.nc") as file:
        assert dict(file.attrs) == {"fps": 10.0, "time_unit": "seconds", "source_software": "motionscribe"}
        for name, dims in (("cluster", ["time", "individuals"]), ("name", ["time", "individuals", "name_length"])):
            scales = [axis[0] for axis in file[name].dims]
            assert [scale.name.strip("/") for scale in scales] == dims
            assert all(scale.is_scale for scale in scales)
            assert list(file[name].attrs["_Netcdf4Coordinates"]) == [scale.attrs["_Netcdf4Dimid"] for scale in scales]
        assert list(file["individuals"].asstr()[:]) == ["gym", "b"]
        times = file["time"][:]
        # no moment within the gap, and none without a segment
        np.testing.assert_allclose(times, [*np.arange(50, 80) / 10, *np.arange(90, 98) / 10])
        clusters = dict(zip(times.round(1).tolist(), file["cluster"][:].tolist(), strict=True))
        assert [clusters[t] for t in (5.0, 7.0, 7.1, 7.9, 9.0, 9.4, 9.5, 9.7)] == [
            *([1, 0], [1, 0], [2, 0], [2, 0], [4, 0], [4, 0], [0, 7], [0, 7]),
        ]
        texts = file["name"][:]
        names = [b"".join(letters).decode(file["name"].attrs["_Encoding"]) for letters in texts[:, 0]]
        assert [names[0], names[29], names[-1]] == ["walk", "w\u00e4ve\\u202e", ""]


def test_a_long_stream_has_coarser_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movement_labels, "MOST_BYTES", 500)  # 50 rows of a cluster and a letter
    minute = [SegmentEnded(n, n, "a", n, n + 1, n * 1_000_000, (n + 1) * 1_000_000) for n in range(1, 20)]
    write_movement_labels(tmp_path / "a.nc", {"a": Record(minute, [])})
    with h5py.File(tmp_path / "a.nc") as file:
        assert file.attrs["fps"] == 2.5
        np.testing.assert_allclose(np.diff(file["time"][:]), 0.4)
        assert file["cluster"].shape == (48, 1)
        assert file["cluster"][:4, 0].tolist() == [1, 1, 1, 2]


def rows_of(path: Path) -> list[tuple[str, ...]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [(row["stream"], row["segment"], row["name"]) for row in csv.DictReader(file)]


def save(path: Path, *streams: str) -> None:
    place, address = parse_place(str(path))
    with place.open(address) as make:
        for stream_id in streams:
            sink = make(StreamInfo(stream_id, ""))
            for event in SPANS:
                sink.write(event)
                if isinstance(event, SegmentEnded):  # at once, for who follows the file
                    assert rows_of(path)[-1][:2] == (stream_id, str(event.segment))
            sink.close()


def test_rows_are_added_as_segments_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    save(path, "a", "b")
    with path.open("a") as file:  # a kill in the middle of a row
        file.write("b,4,1,wa")
    save(path, "c")
    save(tmp_path / "empty.csv")
    rows = [(name, str(n)) for name in ("a", "b") for n in (1, 2, 3)] + [
        ("b", "4"),
        *(("c", str(n)) for n in (1, 2, 3)),
    ]
    assert [row[:2] for row in rows_of(path)] == rows
    assert path.read_text("utf-8").count("duration_s") == 1
    assert not (tmp_path / "empty.csv").exists()


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("head_x,head_y\n1,2\n")
    with pytest.raises(BadFile, match="expected a new file, or one of segments to go on with"):
        save(tmp_path / "a.csv", "a")


def test_a_disk_without_room_stops_no_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "full.csv").symlink_to("/dev/full")
    place, address = parse_place(str(tmp_path / "full.csv"))

    def stream() -> int:
        taken = 0
        with place.open(address) as make:
            sink = make(StreamInfo("a", ""))
            for event in SPANS * 3:
                sink.write(event)
                taken += 1
            assert taken == 15, "every event was taken"
        return taken

    with pytest.raises(OSError, match="No space left"):
        stream()
    assert caplog.text.count("it is tried again") == 1


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_file_that_goes_gets_a_new_one_in_its_place(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(appended, "LOOK_S", 0.0)
    path, moved = tmp_path / "folder" / name, tmp_path / name
    path.parent.mkdir()
    place, address = parse_place(str(path))
    event = SegmentEnded(1, 1, "walk", 1, 241, 5_000_000, 7_000_400)
    with place.open(address) as make:
        sink = make(StreamInfo("a", ""))
        for number in range(1, 7):
            if number == 2:  # what was written since the last look goes on with the new file
                path.unlink()
            elif number == 3:
                path.rename(moved)
            elif number == 4:  # waits
                shutil.rmtree(path.parent)
            elif number == 6:
                path.parent.mkdir()
            sink.write(replace(event, segment=number))
            if number == 2:
                assert segments_of(path) == ["1", "2"]
        assert segments_of(path) == ["3", "4", "5", "6"]
    assert segments_of(moved) == ["1", "2"]
    assert segments_of(path) == ["3", "4", "5", "6"]
    assert caplog.text.count("was removed or moved away") == 3
    assert caplog.text.count("is not written: expected a folder") == 1


def test_lines_of_a_folder_that_stays_away_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.csv"
    path.parent.mkdir()
    place, address = parse_place(str(path))

    def stream() -> None:
        with place.open(address) as make:
            sink = make(StreamInfo("a", ""))
            shutil.rmtree(path.parent)
            sink.write(SPANS[0])

    with pytest.raises(FileNotFoundError, match="expected a folder"):
        stream()


def segments_of(path: Path) -> list[str]:
    if path.suffix == ".csv":
        return [row[1] for row in rows_of(path)]
    return [str(json.loads(line)["segment"]) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("place", [p for p in PLACES if is_file(p) and p.extra], ids=lambda place: place.key)
def test_a_missing_extra_says_the_command(tmp_path: Path, place: Place, hide: Callable[[str], None]) -> None:
    for module in ("h5py", "pyarrow", "pynwb"):
        hide(module)
    with (
        pytest.raises(MissingExtraError, match=rf'pip install "motionscribe\[{place.extra}\]"'),
        place.open(str(tmp_path / f"a{place.key}")),
    ):
        pass


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a module look as if it were not installed."""
    return lambda module: monkeypatch.setitem(sys.modules, module, None)
