"""Tables of plain features with a header, as machines and programs log them (SKAB for one).

Each column of numbers is a feature by its header's name. A column of times (times.py) gives the times. Left out, and
said in the recording's notes, are other times, numbers of rows, and labels: columns of words, and those called so.
"""

import re
from pathlib import Path

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.table import MISSING, Table, counts_rows, read_table
from motionscribe_models.recordings.times import is_moment, is_time, read_times, unit_of, words_of
from motionscribe_models.skeleton import feature_skeleton

_AS_NUMBERS = re.compile(r"[-+]?\d[\d.,'\s]*%?")
"""What people write for a number, in whatever country."""
LABELS = {"label", "labels", "action", "actions", "activity", "class", "anomaly", "anomalies", "changepoint"}
LABELS |= {"changepoints", "outlier", "annotation", "groundtruth"}
_BESIDE_LABELS = {"is", "true", "ground", "truth", "name", "id", "type", "target"}
_DATE = re.compile(r"\d{4}([-/])\d\d\1\d\d")
COUNTS = {"frame", "frames", "index", "idx", "row", "sample", "seq"}
_BESIDE_COUNTS = {"number", "no", "nr", "num", "id", "count", "counter", "sample", "video"}


def has_header(path: Path) -> bool:
    """Whether a line names the columns. Raises RecordingError for a file that is no table."""
    return read_table(path).header is not None


def read_features_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for ragged rows, cells that are no numbers, and a table without times or `rate_hz`."""
    table = read_table(path)
    header = table.header or ()
    if not table.rows:
        raise RecordingError(f"{path}: expected frames, got only a header")
    _check_header(table, header)
    kinds = [_kind(table, column) for column in range(len(header))]
    chosen = [column for column, kind in enumerate(kinds) if not kind]
    if not chosen:
        raise RecordingError(f"{path}: expected columns of features, got only {', '.join(header)}")
    rows = [row for row, cells in enumerate(table.rows) if any(cells[i].lower() not in MISSING for i in chosen)]
    if not rows:
        raise RecordingError(f"{path}: expected frames, got rows without values")
    values = table.numbers(chosen, rows)
    timed = [column for column, kind in enumerate(kinds) if kind == "times"]
    notes = [f"{len(table.rows) - len(rows)} rows without values left out"] if len(rows) < len(table.rows) else []
    if rate_hz is not None:
        times = even_times(len(table.rows), rate_hz)
    elif timed and len(table.rows) > 1:
        name, cells, used = _times_of(table, timed)
        times, read_as = read_times(name, cells, table.place, table.decimal_comma)
        rate_hz = 1e6 / float(np.median(np.diff(times)))
        timed = [column for column in timed if column not in used]
        if unit_of(name) is None:
            notes.append(f"{name} read as {read_as}")
    else:
        raise RecordingError(
            f"{path}: expected a column datetime or timestamp (or time_ms and the like) and two rows, or a rate in Hz"
        )
    left_out = [f"{header[i]} ({kind})" for i, kind in enumerate(kinds) if kind and (kind != "times" or i in timed)]
    if left_out:
        notes.append(f"columns left out: {', '.join(left_out)}")
    skeleton = feature_skeleton("features", tuple(header[i] for i in chosen), rate_hz)
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which Recording refuses
        frames = values.astype(np.float32)
    return Recording(path.stem, frames, times[rows], skeleton, tuple(notes))


def _check_header(table: Table, header: tuple[str, ...]) -> None:
    unnamed = [i for i, name in enumerate(header) if not name]
    # pandas leaves an index of dates without a name
    if len(set(header)) != len(header) or (unnamed and not (unnamed == [0] and is_moment(table.rows[0][0]))):
        raise RecordingError(
            f"{table.path}: expected a name of its own for each column, got {', '.join(map(repr, header))[:80]}"
        )
    numbers = [name for name in header if re.fullmatch(r"[+-]?\d*[.,]\d+(e[+-]?\d+)?", name.lower())]
    if numbers:
        raise RecordingError(f"{table.path}: expected a first line that names the columns, got {numbers[0]} in it")


def _kind(table: Table, column: int) -> str:
    """What a column holds that is no feature: times, labels, numbers of rows, nothing; "" for a feature."""
    header = table.header or ()
    name, cells = header[column], table.column(column)
    words = set(words_of(name))
    temperature = name == "T" and any(is_time(other) for other in header if other != name)
    if not name or (is_time(name) and not temperature):
        return "times"
    # a glove has a finger called index
    if words & COUNTS and words <= COUNTS | _BESIDE_COUNTS and ("frame" in name.lower() or counts_rows(cells)):
        return "numbers of rows"
    written = [cell for cell in cells if cell.lower() not in MISSING]
    if not written:
        return "nothing"
    called_so = bool(words & LABELS) and words <= LABELS | _BESIDE_LABELS
    if not called_so and all(_AS_NUMBERS.fullmatch(cell) and table.number(cell) is None for cell in written):
        raise RecordingError(
            f"{table.path}: expected numbers in column {name}, got {written[0]!r}: write them without separators of "
            "thousands, and with the same decimal sign in all columns"
        )
    return "labels" if called_so or all(table.number(cell) is None for cell in written) else ""


def _times_of(table: Table, timed: list[int]) -> tuple[str, list[str], list[int]]:
    """Name and cells of the first column of times, and the columns that they are of: a date has its time beside it."""
    header, first = table.header or (), table.rows[0]
    date = next((i for i in timed if _DATE.fullmatch(first[i])), None)
    time = next((i for i in timed if ":" in first[i] and is_moment(f"2000-01-01 {first[i]}")), None)
    if date is not None and time is not None:
        cells = [f"{row[date]} {row[time]}" for row in table.rows]
        return f"{header[date]}, {header[time]}", cells, [date, time]
    return header[timed[0]], table.column(timed[0]), timed[:1]
