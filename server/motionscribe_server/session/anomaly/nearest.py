"""How far points lie from the nearest of many."""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_server.session.blocks import in_blocks


class Nearest:
    """Of one model, shared by its streams."""

    def __init__(self, points: NDArray[np.floating]) -> None:
        """(n, k), n >= 1; products have their precision."""
        self._columns = np.ascontiguousarray(points.T)
        self._half_squares = np.square(points).sum(axis=1) / 2

    def distances(self, places: NDArray[np.floating]) -> Array:
        """(s,) of places (s, k), of which each is asked for alone (blocks.py)."""
        return in_blocks(self._distances, places.astype(self._columns.dtype), 1)[:, 0]

    def _distances(self, places: NDArray[np.floating]) -> Array:
        """(s, 1) of a block."""
        nearest = (self._half_squares - places @ self._columns).min(axis=1)
        squares = np.square(places).sum(axis=1) + 2 * nearest
        found: Array = np.sqrt(np.maximum(squares, 0, dtype=np.float64))[:, None]
        return found
