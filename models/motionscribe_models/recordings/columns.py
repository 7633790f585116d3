"""What the columns of a table with a header hold, by their names and cells: numbers that were measured, or others.

Others are times, numbers of rows, and labels: columns of words, and those called so.
"""

import re

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.table import MISSING, Table, counts_rows
from motionscribe_models.recordings.times import is_moment, is_time, words_of

_AS_NUMBERS = re.compile(r"[-+]?\d[\d.,'\s]*%?")
"""What people write for a number, in whatever country."""
LABELS = {"label", "labels", "action", "actions", "activity", "class", "anomaly", "anomalies", "changepoint"}
LABELS |= {"changepoints", "outlier", "annotation", "groundtruth"}
_BESIDE_LABELS = {"is", "true", "ground", "truth", "name", "id", "type", "target"}
_DATE = re.compile(r"\d{4}([-/])\d\d\1\d\d")
COUNTS = {"frame", "frames", "index", "idx", "row", "sample", "seq"}
_BESIDE_COUNTS = {"number", "no", "nr", "num", "id", "count", "counter", "sample", "video"}


def check_header(table: Table, header: tuple[str, ...]) -> None:
    """Raises RecordingError unless each column has a name of its own, and none is a number."""
    unnamed = [i for i, name in enumerate(header) if not name]
    # pandas leaves an index of dates without a name
    if len(set(header)) != len(header) or (unnamed and not (unnamed == [0] and is_moment(table.rows[0][0]))):
        raise RecordingError(
            f"{table.path}: expected a name of its own for each column, got {', '.join(map(repr, header))[:80]}"
        )
    numbers = [name for name in header if re.fullmatch(r"[+-]?\d*[.,]\d+(e[+-]?\d+)?", name.lower())]
    if numbers:
        raise RecordingError(f"{table.path}: expected a first line that names the columns, got {numbers[0]} in it")


def kind_of(table: Table, column: int) -> str:
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


def times_of(table: Table, timed: list[int]) -> tuple[str, list[str], list[int]]:
    """Name and cells of the first column of times, and the columns that they are of: a date has its time beside it."""
    header, first = table.header or (), table.rows[0]
    date = next((i for i in timed if _DATE.fullmatch(first[i])), None)
    time = next((i for i in timed if ":" in first[i] and is_moment(f"2000-01-01 {first[i]}")), None)
    if date is not None and time is not None:
        cells = [f"{row[date]} {row[time]}" for row in table.rows]
        return f"{header[date]}, {header[time]}", cells, [date, time]
    return header[timed[0]], table.column(timed[0]), timed[:1]
