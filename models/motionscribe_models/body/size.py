"""How large a body is, by the length of its bones, for many bodies at once. A body of size 1 is CMU's on average.

In: places (S, 13, 3) of joints in any unit, and which of them are known. Out: sizes (S,), so many units to the metre of
a body of size 1. What streams showed before is in their histograms (running_quantile.py).
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.body.proportions import ARMS, BONES, L_HIP, L_SHOULDER, LEGS, R_HIP, R_SHOULDER, REST, TRUNK
from motionscribe_models.body.running_quantile import RunningQuantile

SIZE_ONE = 1.55
"""Torso, an arm and a leg of a body of size 1, metres."""
ENOUGH = 0.5
"""Share of it that must be seen to tell the size."""
ENOUGH_FLAT = 0.2
"""In an image there is no size to fall back on."""

SIZES = RunningQuantile(0.02)
"""Of the logarithm of size."""


def running_size(sizes: Array, places: Array, known: NDArray[np.bool_], keep: float, flat: bool) -> Array:
    """(S,), by the bones whose ends are known. Until enough of them were: 1 in space, a guess by the extent if flat."""
    ratio, share = measure(places, known)
    SIZES.add(sizes, np.log(ratio), share > (ENOUGH_FLAT if flat else ENOUGH), keep)
    guess = np.log(np.maximum(_extent(places), 1e-3) / _extent(REST[None])) if flat else np.zeros(len(places))
    return np.exp(SIZES.at(sizes, 0.5, guess))


def measure(places: Array, known: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Length of the bones whose ends are known, over that of a body of size 1, and the share (S,) that they are."""
    ends = np.array(LEGS + ARMS)
    lengths = np.linalg.norm(places[:, ends[:, 0]] - places[:, ends[:, 1]], axis=2)  # (S, 8)
    torso = places[:, [L_SHOULDER, R_SHOULDER]].mean(axis=1) - places[:, [L_HIP, R_HIP]].mean(axis=1)
    weights = np.hstack([known[:, TRUNK].all(axis=1, keepdims=True), known[:, ends].all(axis=2) / 2])  # (S, 9)
    expected = weights @ BONES
    found = (weights * np.hstack([np.linalg.norm(torso, axis=1, keepdims=True), lengths])).sum(axis=1)
    return np.maximum(found, 1e-3) / np.maximum(expected, 1e-3), expected / SIZE_ONE


def _extent(places: Array) -> Array:
    """(S,), the largest side of the box around them."""
    sides: Array = np.ptp(places, axis=1).max(axis=1)
    return sides
