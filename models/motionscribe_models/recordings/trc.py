"""Marker files of OpenSim and its relatives (TRC): the place of each marker, with times and units as the file says.

A cell that is empty or `NaN` is a marker that was not seen. The format names no up axis: where the markers' names tell
feet from head, the body does, else it is y, as OpenSim has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.places import (
    Unit,
    check_names,
    places_recording,
    places_skeleton,
    read_places,
    times_of,
    unit_called,
)
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.standing import up_of
from motionscribe_models.recordings.table import read_number
from motionscribe_models.recordings.text import read_lines

_BESIDE = 2
"""Columns before the markers': the frame's number and its time."""
_HEADER = 5
"""Lines of the header: the kind of file, names and values of its settings, names of markers, names of columns."""


@dataclass(frozen=True)
class _Header:
    """What the first lines say."""

    rate_hz: float
    unit: Unit
    markers: list[str]


def read_trc(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the line where the file is no TRC, a row is too short, or times do not increase."""
    lines = read_lines(path)
    header = _read_header(lines, path)
    rows = [(n, line) for n, line in enumerate(lines[_HEADER:], _HEADER + 1) if line.strip()]
    seconds, places = _read_rows(rows, len(header.markers), path)
    notes = []
    if rate_hz is not None:
        times, header_rate = even_times(len(rows), rate_hz), rate_hz
    else:
        times, header_rate = times_of(seconds, [n for n, _ in rows], path), header.rate_hz
    up = up_of(header.markers, places)
    if up in ("y", "z"):
        notes.append(f"up axis: {up}, along which the body stands")
    else:
        up = "y"
        notes.append("up axis: y, as OpenSim has it; the names of the markers do not tell")
    skeleton = places_skeleton("trc", header.markers, header.unit, up, header_rate)
    return places_recording(path, places, times, skeleton, notes)


def _read_header(lines: Sequence[str], path: Path) -> _Header:
    if not lines[0].startswith("PathFileType") or len(lines) < _HEADER:
        raise RecordingError(
            f"{path}: expected a TRC file: PathFileType, settings, names of markers, got {lines[0].strip()[:40]!r}"
        )
    names, values = ([cell.strip() for cell in line.split("\t")] for line in lines[1:3])
    settings = dict(zip(names, values, strict=False))
    wanted = ("DataRate", "NumMarkers", "Units")
    absent = [name for name in wanted if not settings.get(name)]
    if absent:
        raise RecordingError(f"{path}:3: expected a value of {', '.join(absent)}, got {lines[2].strip()[:60]!r}")
    rate_hz, count = (read_number(settings[name], f"{path}:3") for name in wanted[:2])
    if not 0 < rate_hz < 1e6:
        raise RecordingError(f"{path}:3: expected a DataRate above 0 Hz and below 1 MHz, got {settings['DataRate']}")
    cells = [cell.strip() for cell in lines[3].rstrip().split("\t")]
    markers = cells[_BESIDE::3]
    if cells[1:2] != ["Time"] or len(markers) != count or any(cells[_BESIDE + 1 :: 3] + cells[_BESIDE + 2 :: 3]):
        raise RecordingError(
            f"{path}:4: expected Frame#, Time and {settings['NumMarkers']} names of markers, each above three columns, "
            f"got {len(markers)}: {' '.join(filter(None, cells))[:60]!r}"
        )
    check_names(markers, f"{path}:4")
    return _Header(rate_hz, unit_called(settings["Units"], f"{path}:3"), markers)


def _read_rows(rows: Sequence[tuple[int, str]], markers: int, path: Path) -> tuple[Array, Array]:
    """Seconds (n,) and places (n, markers, 3)."""
    if not rows:
        raise RecordingError(f"{path}: expected frames, got only a header")
    width = _BESIDE + 3 * markers
    seconds, numbers = [], []
    for line, text in rows:
        cells = text.split("\t")
        if len(cells) == width + 1 and not cells[-1].strip():
            cells.pop()
        if len(cells) != width:
            raise RecordingError(f"{path}:{line}: expected {width} columns between tabs, got {len(cells)}")
        place = f"{path}:{line}"
        seconds.append(read_number(cells[1], place))
        numbers.append(read_places(cells[_BESIDE:], place))
    return np.array(seconds), np.array(numbers).reshape(len(rows), markers, 3)
