"""DeepLabCut: tables of body parts in an image or in space, `.h5` and `.csv`, of one individual or several.

Names of columns have three or four levels: scorer, individual where there are several, body part, and x, y, z or
likelihood. Rows are frames of a film by their number. Nothing says the rate, nor the unit in space.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import pandas_h5
from motionscribe_models.recordings.hdf5 import open_hdf5
from motionscribe_models.recordings.individuals import Found, most_found
from motionscribe_models.recordings.keypoints import Keypoints, frame_clock, keypoint_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import guessed_space, image_space
from motionscribe_models.recordings.table import counts_rows, first_row, read_table

_COORDS = ("x", "y", "z", "likelihood")
_LEVELS = (3, 4)


def is_deeplabcut_csv(path: Path) -> bool:
    """Whether a table begins with a row of scorers. Raises RecordingError for what is no text."""
    return first_row(path)[:1] == ["scorer"]


def is_deeplabcut_h5(path: Path) -> bool:
    """Whether a file holds a table of pandas. Raises RecordingError for no HDF5 file, MissingExtraError."""
    with open_hdf5(path) as file:
        return pandas_h5.find_table(file) is not None


def read_deeplabcut_h5(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a foreign or truncated file, MissingExtraError without h5py."""
    with open_hdf5(path) as file:
        group = pandas_h5.find_table(file)
        if group is None:
            there = ", ".join(list(file)[:8]) or "nothing"
            raise RecordingError(
                f"{path}: expected a table of DeepLabCut, or tracks and node_names of SLEAP, got {there}"
            )
        table = pandas_h5.read_table(path, group)
    return _recording(path, table.columns, table.values, table.index, rate_hz)


def read_deeplabcut_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for other rows of names, ragged rows, and cells that are no numbers."""
    table = read_table(path)
    header = table.header or ()
    count = next((n for n, row in enumerate(table.rows[: max(_LEVELS)], 2) if row[0] == "coords"), 0)
    if count not in _LEVELS:
        raise RecordingError(
            f"{path}: expected rows scorer, bodyparts and coords, or individuals before bodyparts, "
            f"got {', '.join(row[0][:40] for row in [list(header), *table.rows[:3]])}"
        )
    levels = [list(header), *table.rows[: count - 1]]
    # images that people labelled have a path before their numbers, in one column or three
    first = next((i for i in range(1, table.width) if levels[-1][i]), table.width)
    columns = tuple(tuple(level[i] for level in levels) for i in range(first, table.width))
    names = (*header[:first], *(" ".join(column[1:]) for column in columns))
    body = replace(table, header=names, rows=table.rows[count - 1 :], lines=table.lines[count - 1 :])
    values = body.numbers_or_nan(range(first, table.width))
    index = None
    if counts_rows(body.column(0)):
        index = np.array([int(float(cell)) for cell in body.column(0)], np.int64)
    return _recording(path, columns, values, index, rate_hz)


def _recording(
    path: Path,
    columns: Sequence[tuple[str, ...]],
    values: NDArray[np.float64],
    index: NDArray[np.int64] | None,
    rate_hz: float | None,
) -> Recording:
    places: dict[str, dict[str, dict[str, int]]] = {}
    for number, column in enumerate(columns):
        if len(column) not in _LEVELS or column[-1] not in _COORDS:
            raise RecordingError(f"{path}: expected columns of {', '.join(_COORDS)}, got {'/'.join(column)[:80]}")
        individual = column[1] if len(column) == max(_LEVELS) else ""
        coords = places.setdefault(individual, {}).setdefault(column[-2], {})
        if coords.setdefault(column[-1], number) != number:
            raise RecordingError(f"{path}: expected each column once, got {'/'.join(column)[:80]} again")
    if not len(values):
        raise RecordingError(f"{path}: expected frames, got only names of columns")
    everyone = [_keypoints(path, joints, values) for joints in places.values()]
    chosen, notes = most_found(list(places), [Found.of(one.found) for one in everyone], len(values))
    one = everyone[chosen]
    numbered = index is not None and bool((np.diff(index) > 0).all())
    clock = frame_clock(path, index if index is not None and numbered else np.arange(len(values)), rate_hz)
    space = image_space(one.places) if one.places.shape[2] == 2 else guessed_space(one.joints, one.places)
    return keypoint_recording(path, "deeplabcut", one, space, clock, notes)


def _keypoints(path: Path, joints: dict[str, dict[str, int]], values: NDArray[np.float64]) -> Keypoints:
    axes = "xyz" if any("z" in coords for coords in joints.values()) else "xy"
    for joint, coords in joints.items():
        if not set(axes) <= coords.keys():
            raise RecordingError(f"{path}: expected {', '.join(axes)} of {joint[:40]}, got {', '.join(coords)}")
    places = np.stack([values[:, [coords[axis] for axis in axes]] for coords in joints.values()], axis=1)
    sure = None
    if all("likelihood" in coords for coords in joints.values()):
        sure = values[:, [coords["likelihood"] for coords in joints.values()]]
    return Keypoints(tuple(joints), places, sure)
