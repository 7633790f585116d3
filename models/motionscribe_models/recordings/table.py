"""A text file of rows, separated by `;`, tabs or `,`. Text in, cells out, with the line of each for complaints.

Blank lines and comments (`#`) are passed over. A header is the first row, or the last comment before it, as numpy
writes one. An unnamed first column that counts rows, as pandas writes one, is left out. What columns mean is the
readers' matter.
"""

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.text import read_lines, read_text, split_lines
from motionscribe_models.recordings.times import is_moment

SEPARATORS = (";", "\t", ",")
MISSING = {"", "nan", "na", "n/a", "null", "none"}
"""Cells without a value, in lower case."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of equal width."""

    path: Path
    header: tuple[str, ...] | None
    """A name for each column, None where no line names them."""
    rows: list[list[str]]
    lines: list[int]
    """The line of the file that each row is, from 1."""
    decimal_comma: bool

    @property
    def width(self) -> int:
        """How many columns."""
        return len(self.rows[0]) if self.rows else len(self.header or ())

    def column(self, number: int) -> list[str]:
        """All cells of a column, counted from 0."""
        return [row[number] for row in self.rows]

    def place(self, row: int) -> str:
        """`file:line` of a row, for an error."""
        return f"{self.path}:{self.lines[row]}"

    def number(self, cell: str) -> float | None:
        """The cell as a number, None where it is none."""
        if self.decimal_comma:
            if "." in cell:
                return None  # thousands or a fraction: nobody can tell
            cell = cell.replace(",", ".")
        try:
            return float(cell)
        except ValueError:
            return None

    def numbers(self, columns: Sequence[int], rows: Sequence[int]) -> NDArray[np.float64]:
        """Chosen rows and columns as (r, c) float64. Raises RecordingError with the place of what is no number."""
        return np.array([[self._finite(row, column) for column in columns] for row in rows], np.float64)

    def numbers_or_nan(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Chosen columns of all rows as (n, c) float64, NaN for an empty cell. Raises RecordingError as `numbers`."""
        wanted = [
            [math.nan if cells[column].lower() in MISSING else self._finite(row, column) for column in columns]
            for row, cells in enumerate(self.rows)
        ]
        return np.array(wanted, np.float64).reshape(len(self.rows), len(columns))

    def _finite(self, row: int, column: int) -> float:
        cell = self.rows[row][column]
        number = self.number(cell)
        if number is not None and math.isfinite(number):
            return number
        name = f"column {self.header[column]}" if self.header else f"column {column + 1}"
        if number is not None:
            raise RecordingError(f"{self.place(row)}: expected a finite number, got {cell} in {name}")
        wanted = "a number with a decimal comma, as elsewhere" if self.decimal_comma and "." in cell else "a number"
        raise RecordingError(f"{self.place(row)}: expected {wanted}, got {cell[:40]!r} in {name}")


def read_table(path: Path) -> Table:
    """Raises RecordingError for a file that is no text, has no rows, or has a row of another width."""
    comment, body, separator = find_rows(read_lines(path))
    if not body:
        raise RecordingError(f"{path}: expected frames, got only comments")
    cells = [split(line, separator) for _, line in body]
    header = None
    if not _is_data(cells[0]):
        header, cells, body = cells[0], cells[1:], body[1:]
    elif comment and len(split(comment, separator)) == len(cells[0]) > 1:
        header = split(comment, separator)
    width = len(header if header is not None else cells[0])
    kept = [(n, row) for (n, _), row in zip(body, cells, strict=True) if any(row)]
    for number, row in kept:
        if len(row) != width:
            raise RecordingError(f"{path}:{number}: expected {width} columns, got {len(row)}")
    lines, rows = [n for n, _ in kept], [row for _, row in kept]
    if header is not None:
        header[0] = "" if header[0].lower().startswith("unnamed:") else header[0]  # pandas reads its own index so
        left = _named_columns(header, rows)
        header, rows = [header[i] for i in left], [[row[i] for i in left] for row in rows]
        if rows and header and header == [str(n) for n in range(len(header))]:
            header = None
    elif len(rows) > 1 < width and rows[0] == [str(n) for n in range(width)]:
        rows, lines = rows[1:], lines[1:]  # pandas numbers columns that have no names
    comma = separator != "," and any(_DECIMAL_COMMA.fullmatch(cell) for row in rows for cell in row)
    return Table(path, None if header is None else tuple(header), rows, lines, comma)


_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


def counts_rows(cells: list[str]) -> bool:
    """Whether cells are whole numbers that rise, mostly by one."""
    if not all(re.fullmatch(r"\d{1,15}(?:\.0*)?", cell) for cell in cells):
        return False
    steps = np.diff([int(float(cell)) for cell in cells])
    return bool(np.all(steps > 0)) and (not len(steps) or float(np.median(steps)) == 1)


def find_rows(lines: list[str]) -> tuple[str, list[tuple[int, str]], str]:
    """The comment that may be a header, the rows that follow with their line numbers, and what separates cells."""
    comment, separator = "", ""
    body: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if number == 1 and (hint := re.fullmatch(r'"?sep=(.)"?\s*', line)):
            separator = hint[1]  # as Excel reads it
        elif line.lstrip().startswith("#"):
            comment = comment if body else line.lstrip("# ")
        elif line.strip():
            body.append((number, line))
    return comment, body, separator or _separator([line for _, line in body[:2]])


def first_row(path: Path) -> list[str]:
    """The cells of the first row, or the header; none of an empty file. Raises RecordingError for what is no text."""
    _, body, separator = find_rows(split_lines(read_text(path)))
    return split(body[0][1], separator) if body else []


def split(line: str, separator: str) -> list[str]:
    """A line to its cells, without quotes and space around them."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    except csv.Error:  # a cell longer than any number
        return [line]


def read_number(cell: str, place: str) -> float:
    """A finite number. `place` is `file:line` for the RecordingError."""
    try:
        number = float(cell)
    except ValueError:
        raise RecordingError(f"{place}: expected a number, got {cell.strip()[:40]!r}") from None
    if not math.isfinite(number):
        raise RecordingError(f"{place}: expected a finite number, got {cell.strip()}")
    return number


def read_numbers(cells: Sequence[str], place: str) -> NDArray[np.float64]:
    """Finite numbers (n,), as `read_number` reads each."""
    try:
        numbers = np.array(list(map(float, cells)), np.float64)
    except ValueError:
        numbers = np.array([math.nan])
    if not np.isfinite(numbers).all():
        return np.array([read_number(cell, place) for cell in cells], np.float64)
    return numbers


def _separator(lines: list[str]) -> str:
    """The one that cuts the first two lines into equally many cells; else the first that cuts the first line."""
    counts = {sign: [len(split(line, sign)) for line in lines] for sign in SEPARATORS}
    cutting = [sign for sign in SEPARATORS if counts[sign] and counts[sign][0] > 1]
    even = [sign for sign in cutting if len(set(counts[sign])) == 1]
    return (even or cutting or [","])[0]


def _is_data(cells: list[str]) -> bool:
    """Whether a first row is one of data: its first cell is a number or a time."""
    return _is_number(cells[0]) or is_moment(cells[0])


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _named_columns(header: list[str], rows: list[list[str]]) -> list[int]:
    """All columns but unnamed ones without cells, and a first one that has no name and counts rows."""
    left = [i for i, name in enumerate(header) if name or not rows or any(row[i] for row in rows)]
    index = not header[0] and left[:1] == [0] and counts_rows([row[0] for row in rows])
    return left[1:] if index else left
