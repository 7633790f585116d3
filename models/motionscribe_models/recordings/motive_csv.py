"""CSV files of OptiTrack's Motive: places of bones, rigid bodies and markers, y up, with the file's times and units.

Rotations and errors are passed over. A cell that is empty is a joint that was not seen. Left out, and said in the
notes, are markers without a label, and those that the file has a second time under the same name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.places import (
    places_recording,
    places_skeleton,
    read_places,
    times_of,
    unit_called,
)
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.table import read_number, split
from motionscribe_models.recordings.text import read_lines, read_text

_MARK = "Format Version"
_RATES = ("Export Frame Rate", "Capture Frame Rate")
_HEADER_LINES = 20
"""The names of columns stand in one of these."""


@dataclass(frozen=True)
class _Columns:
    """The rows above the frames, each as wide as they."""

    line: int
    """The last of them."""
    kinds: list[str]
    """`Position`, `Rotation` and others."""
    axes: list[str]
    named: dict[str, list[str]]
    """The rows called type, name, id and parent, where there are."""

    def row(self, name: str) -> list[str]:
        """One of those rows, blank where the file has none."""
        return self.named.get(name, [""] * len(self.axes))


def is_motive_csv(path: Path) -> bool:
    """Whether a table is Motive's. Raises RecordingError for a file that is no text."""
    return read_text(path).startswith((_MARK, f'"{_MARK}"'))


def read_motive_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the line where columns are not as Motive writes them, or times do not increase."""
    lines = read_lines(path)
    settings = _settings(lines[0])
    unit = unit_called(settings.get("Length Units", ""), f"{path}:1: Length Units")
    if settings.get("Coordinate Space", "Global") != "Global":
        raise RecordingError(
            f"{path}:1: expected the Coordinate Space Global, got {settings['Coordinate Space']}: export it so"
        )
    columns = _read_columns(lines, path)
    first, notes = _choose(columns)
    if not first:
        raise RecordingError(f"{path}:{columns.line}: expected columns of positions X Y Z, got none with a name")
    chosen = [column + axis for column in first for axis in range(3)]
    seconds, numbers, at = [], [], []
    for number, line in enumerate(lines[columns.line :], columns.line + 1):
        if not line.strip():
            continue
        cells = split(line, ",")
        if len(cells) != len(columns.axes):
            raise RecordingError(f"{path}:{number}: expected {len(columns.axes)} columns, got {len(cells)}")
        seconds.append(read_number(cells[1], f"{path}:{number}"))
        numbers.append(read_places([cells[i] for i in chosen], f"{path}:{number}"))
        at.append(number)
    if not numbers:
        raise RecordingError(f"{path}: expected frames, got only a header")
    own_rate = next((settings[name] for name in _RATES if settings.get(name)), "")
    rate = rate_hz or read_number(own_rate, f"{path}:1: {_RATES[0]}")
    if not 0 < rate < 1e6:
        raise RecordingError(f"{path}:1: expected an {_RATES[0]} above 0 Hz and below 1 MHz, got {own_rate}")
    times = even_times(len(numbers), rate) if rate_hz else times_of(np.array(seconds), at, path)
    names = [columns.row("name")[column] for column in first]
    skeleton = places_skeleton("motive", names, unit, "y", rate, _parents(columns, first))
    places = np.array(numbers).reshape(len(numbers), len(first), 3)
    return places_recording(path, places, times, skeleton, ["up axis: y, as Motive has it", *notes])


def _settings(line: str) -> dict[str, str]:
    """The first line: a name, its value, the next name and so on."""
    cells = split(line, ",")
    return dict(zip(cells[::2], cells[1::2], strict=False))


def _read_columns(lines: Sequence[str], path: Path) -> _Columns:
    rows = [split(line, ",") for line in lines[:_HEADER_LINES]]
    last = next((n for n, row in enumerate(rows) if row[0] == "Frame" and len(row) > 2), None)
    if last is None:
        raise RecordingError(f"{path}: expected a line Frame,Time,X,Y,Z after the header, got none")
    width = len(rows[last])
    above = [(row + [""] * width)[:width] for row in rows[1:last] if any(row)]
    named = {row[1].lower(): row for row in above if row[1]}
    if not above or "name" not in named:
        raise RecordingError(f"{path}:{last + 1}: expected lines Type, Name and Position above Frame, got none Name")
    return _Columns(last + 1, above[-1], rows[last], named)


def _choose(columns: _Columns) -> tuple[list[int], list[str]]:
    """The first column, that of x, of each joint, and what is left out."""
    names, types = columns.row("name"), columns.row("type")
    first: dict[str, int] = {}
    unlabelled, again = 0, 0
    for column in range(2, len(names) - 2):
        triple = slice(column, column + 3)
        if columns.kinds[triple] != ["Position"] * 3 or columns.axes[triple] != ["X", "Y", "Z"]:
            continue
        name = names[column]
        if not name or (name.startswith("Unlabeled") and "Marker" in types[column]):
            unlabelled += 1
        elif name in first:
            again += 1
        else:
            first[name] = column
    notes = [f"{unlabelled} markers without a label left out"] if unlabelled else []
    notes += [f"{again} markers left out that are there under the same name"] if again else []
    return list(first.values()), notes


def _parents(columns: _Columns, first: Sequence[int]) -> list[int]:
    """Of each joint, where the file names one that comes before it by its ID or name; else -1."""
    known: dict[str, int] = {}
    parents = []
    for joint, column in enumerate(first):
        parents.append(known.get(columns.row("parent")[column], -1))
        known |= {key: joint for row in ("id", "name") if (key := columns.row(row)[column])}
    return parents
