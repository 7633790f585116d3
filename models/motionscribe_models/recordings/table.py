"""A text file of numbers, one row a line, with the line number in each complaint. Text in, (n, C) float64 out."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError


def read_lines(path: Path) -> list[str]:
    """All lines, blank ones at the end left out. Raises RecordingError for a file that is not text, or empty."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path}: expected a text file, got byte {error.start} that is no text") from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise RecordingError(f"{path}: expected frames, got an empty file")
    return lines


def read_number(cell: str, place: str) -> float:
    """A finite number. `place` is `file:line` for the RecordingError."""
    try:
        number = float(cell)
    except ValueError:
        raise RecordingError(f"{place}: expected a number, got {cell.strip()[:40]!r}") from None
    if not math.isfinite(number):
        raise RecordingError(f"{place}: expected a finite number, got {cell.strip()}")
    return number


def split_rows(lines: list[str], separator: str, width: int, path: Path, first_line: int) -> list[list[str]]:
    """Lines to rows of `width` cells. Raises RecordingError with the line that has another number of them."""
    rows = [line.split(separator) for line in lines]
    for number, row in enumerate(rows, first_line):
        if len(row) != width:
            raise RecordingError(f"{path}:{number}: expected {width} columns, got {len(row)}")
    return rows


def read_numbers(rows: list[list[str]], path: Path, first_line: int) -> NDArray[np.float64]:
    """Rows of cells to (n, C) float64. Raises RecordingError with the line of the first that is no finite number."""
    return np.array([[read_number(cell, f"{path}:{n}") for cell in row] for n, row in enumerate(rows, first_line)])
