"""Where time is missing between frames. The one rule, by which sessions restart and training cuts recordings.

Missing frames of less time are bridged by interpolation; across a gap nothing is interpolated and no window reaches.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SHORTEST_GAP_S = 0.25
"""Missing frames of less time than this are bridged by interpolation: a motion hardly changes course faster."""
GAP_PERIODS = 2.5
"""Unless the sender or the model is so slow that this many of its periods last longer."""


def longest_step_us(rate_hz: float, model_rate_hz: float) -> int:
    """The longest time between two frames that is no gap. Rates are those of the frames, and of the model's grid."""
    return round(1e6 * max(SHORTEST_GAP_S, GAP_PERIODS / min(rate_hz, model_rate_hz)))


def runs_without_gap(timestamps_us: NDArray[np.int64], longest_us: int) -> list[slice]:
    """Times (n,), n >= 1, as slices of them that have no longer step inside."""
    starts = (np.flatnonzero(np.diff(timestamps_us) > longest_us) + 1).tolist()
    return [slice(start, end) for start, end in pairwise([0, *starts, len(timestamps_us)])]
