"""VUS-PR: the volume under the surface of precision and recall over thresholds and buffer lengths.

In: scores of moments, and which of them are in a fault. Out: 0..1, and a detector that knows nothing gets about the
share of moments that are in one. A buffer forgives alarms that are a little early or late: with one of l moments, a
moment d before or after a fault, d <= l / 2, counts sqrt(1 - d / l). Recall is what was found of the mean of both
truths, with and without buffers, times the share of faults of which anything was found; the area under the curve takes
no straight lines between thresholds. Definition: Paparrizos et al. 2022, https://doi.org/10.14778/3551793.3551830.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array

Mask = NDArray[np.bool_]


def vus_pr(truth: Mask, scores: Array, longest: int) -> float:
    """Of moments (n,), the higher the more abnormal: the mean over buffers of 0 to `longest` moments.

    Raises ValueError where nothing is true.
    """
    if not truth.any():
        raise ValueError("expected moments in a fault, got none")
    return float(np.mean([area(truth, scores, buffer) for buffer in range(longest + 1)]))


def area(truth: Mask, scores: Array, buffer: int) -> float:
    """Under the curve of one buffer length."""
    weights = buffered(truth, buffer)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])  # equal scores pass a threshold together
    hits = np.cumsum(weights[order])[last]
    precision = hits / (last + 1)
    highest = np.sort([scores[start:end].max() for start, end in runs(weights > 0)])
    existence = 1 - np.searchsorted(highest, ranked[last]) / len(highest)
    recall = np.minimum(hits / ((truth.sum() + weights.sum()) / 2), 1) * existence
    return float((np.diff(recall, prepend=0) * precision).sum())


def buffered(truth: Mask, buffer: int) -> Array:
    """(n,) what each moment counts: 1 in a fault, less in its buffers, 1 at most where some overlap."""
    weights = truth.astype(np.float64)
    for start, end in runs(truth):
        for distance in range(1, buffer // 2 + 1):
            for place in (start - distance, end - 1 + distance):
                if 0 <= place < len(truth):
                    weights[place] += np.sqrt(1 - distance / buffer)
    return np.minimum(weights, 1)


def runs(truth: Mask) -> list[tuple[int, int]]:
    """Half-open spans of what is true."""
    edges = np.flatnonzero(np.diff(np.r_[False, truth, False].astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
