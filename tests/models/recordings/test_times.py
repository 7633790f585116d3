"""Times come back from a table however they are written; what nobody can tell is refused and says the way out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.recordings.times import is_time, read_times, unit_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = {
    "seconds": ["time_s", "Time (s)", "Time[s]", "seconds", "t_sec", "Elapsed Time (sec)", "elapsed_seconds"],
    "milliseconds": ["time_ms", "TimestampMs", "timestamp [ms]", "Milliseconds", "timeMS", "# timems", "t (msec)"],
    "microseconds": ["timestamp_us", "Time (µs)", "micros", "unix_time_us"],
    "nanoseconds": ["timestamp_ns", "TimeStampNs", "Time [ns]", "system_time_ns"],
}
SILENT = ["time", "Time", "timestamp", "TIMESTAMPS", "# times", "t", "elapsed", "Unix Time", "frame_time"]
US = {
    "seconds": Decimal(10**6),
    "milliseconds": Decimal(1000),
    "microseconds": Decimal(1),
    "nanoseconds": Decimal("0.001"),
}


def in_zone(minutes: int) -> Callable[[int], str]:
    zone = timezone(timedelta(minutes=minutes))
    return lambda us: (EPOCH + timedelta(microseconds=us)).astimezone(zone).isoformat()


def clock(us: int) -> str:
    seconds, rest = divmod(us, 10**6)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:06d}"


def table(folder: Path, name: str, cells: list[str], separator: str = ",") -> Path:
    path = folder / "t.csv"
    rows = [separator.join([name, "a"]), *(separator.join([cell, str(k % 7)]) for k, cell in enumerate(cells))]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def refused(folder: Path, name: str, cells: list[str]) -> str:
    with pytest.raises(RecordingError) as error:
        read_recording(table(folder, name, cells))
    return str(error.value)


STEPS = st.lists(st.integers(1_000, 400_000), min_size=1, max_size=20)
STARTS = st.one_of(st.just(0), st.integers(0, 10**9), st.integers(10**15, 4 * 10**15))


@given(data=st.data(), start=STARTS, steps=STEPS, comma=st.booleans())
def test_a_named_unit_reads_to_the_same_microseconds(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, start: int, steps: list[int], comma: bool
) -> None:
    unit = data.draw(st.sampled_from(list(NAMES)))
    name = data.draw(st.sampled_from(NAMES[unit]))
    times = np.cumsum([start, *steps]).tolist()
    cells = [format(Decimal(time) / US[unit], "f") for time in times]
    if comma:
        cells = [cell.replace(".", ",") for cell in cells]
    recording = read_recording(table(tmp_path_factory.mktemp("t"), name, cells, ";" if comma else ","))
    assert recording.timestamps_us.tolist() == times
    assert recording.skeleton.joints == ("a",)
    assert recording.notes == ()


@given(
    name=st.sampled_from(SILENT),
    unit=st.sampled_from(list(US)),
    start=st.one_of(st.just(0), st.integers(0, 9 * 10**7), st.integers(10**15, 4 * 10**15)),
    rate=st.sampled_from([24, 25, 29.97, 30, 59.94, 60, 75, 90, 119.88, 120, 144, 240]),
    count=st.integers(2, 40),
)
def test_a_silent_unit_is_told_by_size_and_step(
    tmp_path_factory: pytest.TempPathFactory, name: str, unit: str, start: int, rate: float, count: int
) -> None:
    times = [start + round(k * 1e6 / rate) for k in range(count)]
    cells = [format(Decimal(time) / US[unit], "f") for time in times]
    recording = read_recording(table(tmp_path_factory.mktemp("t"), name, cells))
    assert recording.timestamps_us.tolist() == times
    assert recording.skeleton.rate_hz == pytest.approx(rate, rel=0.01)
    (note,) = recording.notes
    assert note.endswith(f"read as {unit}" + (" since 1970" if start >= 10**15 else ""))


@given(
    start=st.integers(0, 4 * 10**15),
    steps=STEPS,
    write=st.sampled_from([in_zone(0), in_zone(330), in_zone(-480), lambda us: in_zone(0)(us).replace("+00:00", "Z")]),
    name=st.sampled_from(["datetime", "Date", "timestamp", "DateTime", "utc"]),
)
def test_dates_read_to_the_same_microseconds(
    tmp_path_factory: pytest.TempPathFactory, start: int, steps: list[int], write: Callable[[int], str], name: str
) -> None:
    times = np.cumsum([start, *steps]).tolist()
    recording = read_recording(table(tmp_path_factory.mktemp("t"), name, [write(time) for time in times]))
    assert recording.timestamps_us.tolist() == times


@given(start=st.one_of(st.just(0), st.integers(86_400 * 10**6 - 1000, 86_400 * 10**6 - 1)), steps=STEPS)
def test_times_of_day_go_on_past_midnight(
    tmp_path_factory: pytest.TempPathFactory, start: int, steps: list[int]
) -> None:
    times = np.cumsum([start, *steps]).tolist()
    cells = [clock(time % (86_400 * 10**6)) for time in times]
    assert read_recording(table(tmp_path_factory.mktemp("t"), "Time", cells)).timestamps_us.tolist() == times


def test_a_date_and_its_time_in_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Date;Time (UTC);a\n2024/04/01;10:00:00,5;1\n2024/04/01;10:00:01,0;2\n")
    recording = read_recording(tmp_path / "a.csv")
    assert np.diff(recording.timestamps_us).tolist() == [500_000]
    assert recording.skeleton.joints == ("a",)


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_an_unnamed_index_of_dates_gives_the_times(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"{name},a\n2024-01-01 00:00:00+00:00,1\n2024-01-01 00:00:00.040000+00:00,2\n")
    assert np.diff(read_recording(tmp_path / "a.csv").timestamps_us).tolist() == [40_000]


@pytest.mark.parametrize(
    "stamp", [lambda k: 20240101 + k * 30, lambda k: k * 1000, lambda k: k * 10, lambda k: k * 10**9]
)
def test_a_unit_that_nobody_can_tell_is_refused_with_the_way_out(tmp_path: Path, stamp: Callable[[int], int]) -> None:
    said = refused(tmp_path, "timestamp", [str(stamp(k)) for k in range(9)])
    assert "t.csv:2: expected times whose unit is plain" in said
    assert "timestamp_ms" in said
    assert "--rate" in said
    path = table(tmp_path, "timestamp", [str(stamp(k)) for k in range(9)])
    assert read_recording(path, 50.0).timestamps_us[1] == 20_000


@pytest.mark.parametrize(
    ("name", "cells", "said"),
    [
        (
            "time_s",
            ["1764350000000", "1764350000033"],
            "t.csv:2: expected seconds before the year 2100, got 1764350000000",
        ),
        ("time", ["1e400", "1e500"], "t.csv:2: expected"),
        ("time", ["0.0", "nan"], "t.csv:3: expected a number, got 'nan' in column time"),
        ("time", ["0.0", ""], "t.csv:3: expected a number, got '' in column time"),
        ("time", ["0.0", "2024-01-01"], "t.csv:3: expected a number, got '2024-01-01'"),
        ("date", ["01/02/2024", "02/02/2024"], "t.csv:2: expected a number, a date (ISO 8601) or HH:MM:SS"),
        ("time", ["10:00:00", "2024-01-01"], "t.csv:3: expected HH:MM:SS, got '2024-01-01'"),
        ("time", ["0.1", "0.1"], "t.csv:3: expected times to increase, got the same time twice"),
        ("time_ns", ["10", "20"], "t.csv:3: expected times to increase, got the same time twice"),
        ("time", ["9" * 30 + ":00:00", "9" * 31 + ":00:00"], "t.csv:2: expected a number"),
    ],
)
def test_cells_that_are_no_times_are_refused(tmp_path: Path, name: str, cells: list[str], said: str) -> None:
    assert said in refused(tmp_path, name, cells)


@given(cells=st.lists(st.text(max_size=12), min_size=2, max_size=4), name=st.text(max_size=12))
def test_noise_gives_times_or_an_error(cells: list[str], name: str) -> None:
    try:
        times, _ = read_times(name, cells, lambda row: f"x:{row}")
    except RecordingError:
        return
    assert np.all(np.diff(times) > 0)


@pytest.mark.parametrize("name", [*SILENT, *(name for names in NAMES.values() for name in names)])
def test_names_of_times_are_known(name: str) -> None:
    assert is_time(name)
    assert is_time(name.lower())


@pytest.mark.parametrize("name", ["reaction_time", "Temperature", "a", "ms_left", "timer_x", "thumb_t", "lead time"])
def test_other_names_are_not(name: str) -> None:
    assert not is_time(name)


def test_minutes_are_read_where_they_are_named(tmp_path: Path) -> None:
    recording: Recording = read_recording(table(tmp_path, "Time (min)", ["0", "0.5", "1"]))
    assert recording.timestamps_us.tolist() == [0, 30_000_000, 60_000_000]
    assert unit_of("time") is None


@pytest.mark.parametrize(
    ("column", "stamp"),
    [("time", lambda k: 45_992.5 + k / 86_400 / 10), ("time_ms", lambda k: k / 30)],
    ids=["day numbers of Excel", "seconds that are called milliseconds"],
)
def test_rows_that_come_faster_than_anything_are_in_another_unit(
    tmp_path: Path, column: str, stamp: Callable[[int], float]
) -> None:
    rows = "".join(f"{stamp(k):.10f},{k % 7}\n" for k in range(90))
    (tmp_path / "t.csv").write_text(f"{column},a\n{rows}")
    with pytest.raises(RecordingError, match=r"t.csv:2: expected at most 10000 rows a second, got .* in column time"):
        read_recording(tmp_path / "t.csv")
