"""Tables of plain features with a header, as machines and programs log them (SKAB for one).

Each column of numbers is a feature by its header's name. A column of times (times.py) gives the times. What is no
feature (columns.py) is left out, and said in the recording's notes.
"""

from pathlib import Path

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.columns import check_header, kind_of, times_of
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.table import MISSING, read_table
from motionscribe_models.recordings.times import read_times, unit_of
from motionscribe_models.skeleton import feature_skeleton


def has_header(path: Path) -> bool:
    """Whether a line names the columns. Raises RecordingError for a file that is no table."""
    return read_table(path).header is not None


def read_features_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for ragged rows, cells that are no numbers, and a table without times or `rate_hz`."""
    table = read_table(path)
    header = table.header or ()
    if not table.rows:
        raise RecordingError(f"{path}: expected frames, got only a header")
    check_header(table, header)
    kinds = [kind_of(table, column) for column in range(len(header))]
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
        name, cells, used = times_of(table, timed)
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
