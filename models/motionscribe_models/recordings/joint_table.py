"""Tables with a header whose columns are places of joints. A file goes in; joints, times and notes come out.

Whether they are such is the matter of joint_columns.py, and of what they are its readers': mediapipe_csv.py knows one
program, positions_csv.py takes all others. A row without places stays, as a frame in which nobody was found.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.columns import check_header, kind_of, times_of
from motionscribe_models.recordings.joint_columns import FEWEST, JointColumns, joint_columns
from motionscribe_models.recordings.keypoints import Clock, Keypoints, even_clock, frame_clock, timed_clock
from motionscribe_models.recordings.table import Table, counts_rows, first_row, read_table
from motionscribe_models.recordings.times import read_times, unit_of


@dataclass(frozen=True, eq=False)
class JointTable:
    """What such a table holds."""

    found: Keypoints
    coordinates: str
    """`world`, `image`, or "" where the names of the columns do not say."""
    clock: Clock
    notes: tuple[str, ...]


def joints_of(path: Path) -> JointColumns | None:
    """The joints of a table's columns; None where it is no such table. Raises RecordingError for what is no text."""
    axes = [name for name in first_row(path) if name.lower().rstrip("0123456789")[-1:] in ("x", "y")]
    starts = [name for name in first_row(path) if name.lower().startswith(("x", "y"))]
    if max(len(axes), len(starts)) < 2 * FEWEST:
        return None  # without the work of reading it all
    table = read_table(path)
    return None if table.header is None or not table.rows else _joints(table, _kinds(table))


def read_joint_table(path: Path, rate_hz: float | None) -> JointTable:
    """Raises RecordingError for ragged rows, cells that are no numbers, and times that cannot be read."""
    table = read_table(path)
    header = table.header or ()
    if not table.rows:
        raise RecordingError(f"{path}: expected frames, got only a header")
    check_header(table, header)
    kinds = _kinds(table)
    columns = _joints(table, kinds)
    if columns is None:
        raise RecordingError(f"{path}: expected columns of joints such as head_x, head_y, got {', '.join(header)[:80]}")
    values = table.numbers_or_nan([column for place in columns.places for column in place])
    places = values.reshape(len(table.rows), len(columns.joints), -1)
    sure = table.numbers_or_nan(columns.sure) if columns.sure else None
    clock, used = _clock(table, kinds, rate_hz)
    left_out = [f"{header[i]} ({kind})" for i, kind in enumerate(kinds) if kind and i not in used]
    left_out += [header[i] for i in columns.left_out]
    # a landmark has six columns: nobody reads them all
    some = ", ".join(left_out[:6]) + (f" and {len(left_out) - 6} more" if len(left_out) > 6 else "")
    notes = (f"columns left out: {some}",) if left_out else ()
    return JointTable(Keypoints(columns.joints, places, sure), columns.coordinates, clock, notes)


def _kinds(table: Table) -> list[str]:
    return [kind_of(table, column) for column in range(table.width)]


def _joints(table: Table, kinds: list[str]) -> JointColumns | None:
    """The joints of those columns that are not of another kind; a joint that is never found has empty columns."""
    header = table.header or ()
    measured = [i for i, kind in enumerate(kinds) if not kind]
    empty = [i for i, kind in enumerate(kinds) if kind == "nothing"]
    for chosen in (sorted(measured + empty), measured):
        columns = joint_columns([header[i] for i in chosen])
        if columns is not None:
            for i in chosen:
                kinds[i] = ""
            return JointColumns(
                columns.joints,
                tuple(tuple(chosen[i] for i in place) for place in columns.places),
                tuple(chosen[i] for i in columns.sure),
                columns.coordinates,
                tuple(chosen[i] for i in columns.left_out),
            )
    return None


def _clock(table: Table, kinds: list[str], rate_hz: float | None) -> tuple[Clock, list[int]]:
    """Times by a column of times, else by numbers of frames, else by the rows; and the columns that were used."""
    timed = [i for i, kind in enumerate(kinds) if kind == "times"]
    if rate_hz is None and timed and len(table.rows) > 1:
        name, cells, used = times_of(table, timed)
        times, read_as = read_times(name, cells, table.place, table.decimal_comma)
        clock = timed_clock(times, None)
        notes = () if unit_of(name) else (f"{name} read as {read_as}",)
        return Clock(clock.times_us, clock.rate_hz, notes), used
    counting = [i for i, kind in enumerate(kinds) if kind == "numbers of rows" and counts_rows(table.column(i))]
    if counting:
        numbers = np.array([int(float(cell)) for cell in table.column(counting[0])], np.int64)
        return frame_clock(table.path, numbers, rate_hz), counting[:1]
    return even_clock(table.path, len(table.rows), rate_hz), []
