"""How a body stands, by the names of its joints: which way is up, and how long it is. For files that do not say.

In: joint names, and places (n, J, 3) or bones (J, 3) in any unit. Names are those that the usual programs give; with
others nothing is known, and None says so.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.skeleton import AXES

_HIGH = re.compile(r"head|nose|neck|c7|[lr][fb]hd\b", re.IGNORECASE)
_LOW = re.compile(r"foot|toe|heel|ankle|\b[lr](ank|hee)\b", re.IGNORECASE)
_UPRIGHT = 0.8
"""Cosine of the angle between an axis and the way from foot to head, at least, where a body clearly stands along it."""


def up_of(joints: Sequence[str], places: NDArray[np.floating]) -> str | None:
    """The axis from the feet to the head in most frames, `-y` and the like where it points down. None: not clear."""
    low, high = (_centres(places[:, _called(joints, words)]) for words in (_LOW, _HIGH))
    ways = (high - low)[np.isfinite(high - low).all(axis=1)]
    if not len(ways):
        return None
    way = np.median(ways, axis=0)
    axis = int(np.abs(way).argmax())
    if not abs(way[axis]) > _UPRIGHT * np.linalg.norm(way):
        return None
    return ("" if way[axis] > 0 else "-") + AXES[axis]


def length_of(joints: Sequence[str], parents: Sequence[int], bones: Array) -> float | None:
    """Of the way along the bones from foot to head: somewhat more than the body is tall, in whatever pose."""
    depths = np.zeros(len(joints))
    for i, (parent, length) in enumerate(zip(parents, np.linalg.norm(bones, axis=1), strict=True)):
        depths[i] = depths[parent] + length if parent >= 0 else 0.0
    ends = [max(_called(joints, words), key=depths.__getitem__, default=-1) for words in (_LOW, _HIGH)]
    shared = set.intersection(*(set(_line_of(end, parents)) for end in ends))
    if not shared:
        return None
    return float(depths[ends].sum() - 2 * depths[max(shared)])


def _called(joints: Sequence[str], words: re.Pattern[str]) -> list[int]:
    return [i for i, name in enumerate(joints) if words.search(name)]


def _centres(places: NDArray[np.floating]) -> Array:
    """(n, 3), the mean of the joints (n, J, 3) that were seen, NaN where none was."""
    seen = np.isfinite(places).all(axis=2, keepdims=True)
    total = np.where(seen, places, 0).sum(axis=1, dtype=np.float64)
    count = seen.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _line_of(joint: int, parents: Sequence[int]) -> list[int]:
    """A joint and all those above it."""
    line = []
    while joint >= 0:
        line.append(joint)
        joint = parents[joint]
    return line
