"""Matches earlier with present centres, for clusterers that renumber theirs at every step."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def match(earlier: NDArray[np.float64], present: NDArray[np.float64], limit: float) -> list[tuple[int, int]]:
    """Pairs (row of `earlier` (k,d), row of `present` (m,d)) of one-to-one matches that are nearer than `limit`.

    The pairs have the least possible sum of distances, where a centre without a partner costs `limit`: no swap of two
    crossing clusters, and no match across the room because nothing nearer was left. In ascending order of `earlier`.
    """
    if not (0 < limit < math.inf):
        raise ValueError(f"expected a finite limit > 0, got {limit}")
    distances = np.sqrt(np.square(earlier[:, None] - present[None]).sum(2))
    pairs = zip(*linear_sum_assignment(np.minimum(distances, limit)), strict=True)
    return [(int(i), int(j)) for i, j in pairs if distances[i, j] < limit]
