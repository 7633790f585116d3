"""HDF5 files that may be hostile: a path goes in, arrays and names come out, or a RecordingError. Needs the extra `h5`.

Nothing is read beyond the file itself, and nothing larger than any real recording.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import ContractError, MissingExtraError, RecordingError
from motionscribe_models.recordings.keypoints import MOST_NUMBERS
from motionscribe_models.recordings.text import first_line

_MOST_NAMES = 100_000


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """The file as h5py has it. Raises MissingExtraError, and RecordingError for whatever h5py cannot read in it."""
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("h5", f"reading {path.name}") from None
    try:
        with h5py.File(path, "r") as file:
            yield file
    except ContractError:
        raise
    except Exception as error:  # h5py raises whatever its parser happens to trip over
        raise RecordingError(f"{path}: expected an HDF5 file, got {first_line(error)}") from error


def dataset(path: Path, group: Any, name: str) -> Any:
    """The dataset `name` in a group. Raises RecordingError where there is none, or its values are in another file."""
    import h5py

    link = group.get(name, getlink=True)
    found = group[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
        there = ", ".join(list(group)[:8]) or "nothing"
        raise RecordingError(f"{path}: expected a dataset {name} in {group.name}, got {there}")
    return found


def numbers(path: Path, found: Any, field: str = "") -> NDArray[np.float64]:
    """All values of a dataset, or of one field of it, as float64. Raises RecordingError for others than numbers."""
    kind = found.dtype[field] if field else found.dtype
    shape = (*found.shape, *kind.shape)
    if kind.base.kind not in "fiu" or int(np.prod(shape, dtype=object)) > MOST_NUMBERS:
        raise RecordingError(f"{path}: expected at most {MOST_NUMBERS} numbers in {found.name}, got {kind} of {shape}")
    return np.asarray(found.fields(field)[()] if field else found[()], np.float64).reshape(shape)


def texts(path: Path, found: Any) -> tuple[str, ...]:
    """A dataset of names. Raises RecordingError for others than text."""
    if found.dtype.kind not in "SO" or found.ndim != 1 or len(found) > _MOST_NAMES:
        raise RecordingError(f"{path}: expected names in {found.name}, got {found.dtype} of shape {found.shape}")
    return tuple(as_text(value) for value in found[()])


def as_text(value: object) -> str:
    """Text of a file, whose bytes are UTF-8 where they are any."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
