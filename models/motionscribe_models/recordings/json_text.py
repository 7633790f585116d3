"""JSON of other programs: a file goes in, plain values come out, or a RecordingError that says where they are wrong."""

import json
import re
from pathlib import Path
from typing import Any

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.text import read_text


def mentions(path: Path, *keys: str) -> bool:
    """Whether all these keys are in a file, without the work of parsing it. Raises RecordingError for no text."""
    text = read_text(path)
    return all(re.search(rf'"{re.escape(key)}"\s*:', text) for key in keys)


def read_json(path: Path) -> Any:
    """Raises RecordingError with the line where a file is no JSON."""
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RecordingError(f"{path}:{error.lineno}: expected JSON, got {text[error.pos :][:20]!r}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of brackets
        raise RecordingError(f"{path}: expected JSON, got {error}") from error


def as_list(value: object, place: str) -> list[Any]:
    """Raises RecordingError for what is no list. `place` is the file, and where in it."""
    if not isinstance(value, list):
        raise RecordingError(f"{place}: expected a list, got {kind_of_json(value)}")
    return value


def as_object(value: object, place: str) -> dict[str, Any]:
    """Raises RecordingError for what is no object."""
    if not isinstance(value, dict):
        raise RecordingError(f"{place}: expected an object, got {kind_of_json(value)}")
    return value


def as_number(value: object, place: str) -> float:
    """Any number, NaN for null, as programs write one that they lack. Raises RecordingError for other things."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecordingError(f"{place}: expected a number, got {kind_of_json(value)}")
    try:
        return float(value)
    except OverflowError:
        raise RecordingError(f"{place}: expected a number of float64, got one of {len(str(value))} digits") from None


def kind_of_json(value: object) -> str:
    """A few words for an error."""
    if isinstance(value, dict):
        keys = ", ".join(str(key)[:20] for key in list(value)[:5])
        return f"an object of {keys}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return json.dumps(value)[:40]
