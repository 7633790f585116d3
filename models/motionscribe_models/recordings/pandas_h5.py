"""Tables of pandas in HDF5 files, read without pandas and without unpickling. An open file goes in, a table comes out.

pandas has two formats. `fixed` keeps names of columns as datasets, `table` in an attribute as a pickled list of tuples
of text; of that pickle only lists, tuples and text are read.
"""

import pickletools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.hdf5 import as_text, dataset, numbers, texts

_MOST_FRAMES = 1e15
"""Larger numbers count none."""


@dataclass(frozen=True, eq=False)
class PandasTable:
    """A table whose columns have names of several levels."""

    columns: tuple[tuple[str, ...], ...]
    values: NDArray[np.float64]
    """(n, columns)."""
    index: NDArray[np.int64] | None
    """(n,) whole numbers, None for an index of other things."""


def find_table(file: Any) -> Any:
    """The first group that is a table of pandas, None for none."""
    import h5py

    groups = [file[name] for name in file if isinstance(file.get(name, getlink=True), h5py.HardLink)]
    return next((g for g in groups if isinstance(g, h5py.Group) and "pandas_type" in g.attrs), None)


def read_table(path: Path, group: Any) -> PandasTable:
    """Raises RecordingError for what is no table of numbers under names of several levels."""
    blocks = _blocks_of_table(path, group) if "table" in group else _blocks_of_fixed(path, group)
    columns = tuple(column for names, _ in blocks for column in names)
    values = np.hstack([values for _, values in blocks]) if blocks else np.zeros((0, 0))
    if not columns or values.shape[1] != len(columns) or len({len(column) for column in columns}) != 1:
        raise RecordingError(f"{path}: expected a name for each column of {group.name}, got {len(columns)} names")
    return PandasTable(columns, values, _index(path, group))


def _blocks_of_table(path: Path, group: Any) -> list[tuple[list[tuple[str, ...]], NDArray[np.float64]]]:
    table = dataset(path, group, "table")
    names = [name for name in table.dtype.names or () if name.startswith("values_block_")]
    blocks = []
    for name in names:
        values = numbers(path, table, name)
        blocks.append((_pickled_names(path, table.attrs[f"{name}_kind"]), values.reshape(len(values), -1)))
    return blocks


def _blocks_of_fixed(path: Path, group: Any) -> list[tuple[list[tuple[str, ...]], NDArray[np.float64]]]:
    blocks = []
    for n in range(min(int(group.attrs["nblocks"]), 8)):
        levels = []
        for level in range(min(int(group.attrs.get(f"block{n}_items_nlevels", 0)), 8)):
            names = texts(path, dataset(path, group, f"block{n}_items_level{level}"))
            codes = numbers(path, dataset(path, group, f"block{n}_items_label{level}"))
            if len(codes) and not (codes.min() >= 0 and codes.max() < len(names)):
                raise RecordingError(f"{path}: expected names of the columns of {group.name}, got numbers without any")
            levels.append([names[int(code)] for code in codes])
        values = numbers(path, dataset(path, group, f"block{n}_values"))
        if values.ndim != 2:
            raise RecordingError(f"{path}: expected rows and columns in {group.name}, got shape {values.shape}")
        blocks.append((list(zip(*levels, strict=True)), values))
    return blocks


def _index(path: Path, group: Any) -> NDArray[np.int64] | None:
    found = dataset(path, group, "table") if "table" in group else dataset(path, group, "axis1")
    kind = found.dtype["index"] if "table" in group else found.dtype
    if kind.kind not in "iu":
        return None
    index = numbers(path, found, "index" if "table" in group else "")
    return index.astype(np.int64) if (np.abs(index) < _MOST_FRAMES).all() else None


def _pickled_names(path: Path, pickled: object) -> list[tuple[str, ...]]:
    """A list of tuples of text, from a pickle of protocol 0; nothing else that a pickle may hold."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    mark = object()
    for code, argument, _ in pickletools.genops(as_text(pickled).encode("ascii")):
        match code.name:
            case "MARK":
                stack.append(mark)
            case "LIST" | "TUPLE":
                start = len(stack) - 1 - stack[::-1].index(mark)
                items = stack[start + 1 :]
                stack[start:] = [items if code.name == "LIST" else tuple(items)]
            case "UNICODE" | "STRING":
                stack.append(str(argument))
            case "PUT":
                memo[int(str(argument))] = stack[-1]
            case "GET":
                stack.append(memo[int(str(argument))])
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "STOP":
                break
            case other:
                raise RecordingError(f"{path}: expected names of columns, got {other} in a pickle, which is not read")
    [names] = stack
    if not all(isinstance(name, tuple) and all(isinstance(part, str) for part in name) for name in names):
        raise RecordingError(f"{path}: expected names of columns of several levels, got others")
    return list(names)
