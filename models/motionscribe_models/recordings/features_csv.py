"""Tables of plain features with a header line, separated by `;` or `,`, as machines log them (SKAB for one).

Each column is a feature by its header's name. A column `datetime` (ISO 8601, UTC where it says nothing) or
`time` or `timestamp` (seconds) gives the times; `anomaly` and `changepoint` are annotations and are left out.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.table import read_lines, read_number, read_numbers, split_rows
from motionscribe_models.skeleton import feature_skeleton

TIMES = ("datetime", "time", "timestamp")
ANSWERS = ("anomaly", "changepoint")


def has_header(path: Path) -> bool:
    """Whether the first cell is not a number. Raises RecordingError for a file that is not text, or empty."""
    cell = read_lines(path)[0].replace(";", ",").split(",")[0]
    try:
        float(cell)
    except ValueError:
        return True
    return False


def read_features_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for ragged lines, cells that are no numbers, and a table without times or `rate_hz`."""
    lines = read_lines(path)
    separator = ";" if ";" in lines[0] else ","
    header = [name.strip() for name in lines[0].split(separator)]
    if len(set(header)) != len(header) or "" in header:
        raise RecordingError(f"{path}:1: expected a name of its own for each column, got {lines[0][:80]!r}")
    rows = split_rows(lines[1:], separator, len(header), path, 2)
    if not rows:
        raise RecordingError(f"{path}: expected frames, got only a header")
    timed = [i for i, name in enumerate(header) if name.lower() in TIMES]
    chosen = [i for i, name in enumerate(header) if name.lower() not in TIMES + ANSWERS]
    if not chosen:
        raise RecordingError(f"{path}:1: expected columns of features, got only {', '.join(header)}")
    values = read_numbers([[row[i] for i in chosen] for row in rows], path, 2)
    if rate_hz is not None:
        times = even_times(len(rows), rate_hz)
    elif timed and len(rows) > 1:
        times = np.array([_time_us(row[timed[0]], f"{path}:{n}") for n, row in enumerate(rows, 2)], dtype=np.int64)
        steps = np.diff(times)
        if steps.min() <= 0:
            raise RecordingError(f"{path}:{int(steps.argmin()) + 3}: expected times to increase, got a step backwards")
        rate_hz = 1e6 / float(np.median(steps))
    else:
        raise RecordingError(f"{path}: expected a column datetime or timestamp and two rows, or a rate in Hz")
    skeleton = feature_skeleton("features", tuple(header[i] for i in chosen), rate_hz)
    return Recording(path.stem, values.astype(np.float32), times, skeleton)


def _time_us(cell: str, place: str) -> int:
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        return round(read_number(cell, place) * 1e6)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6)
