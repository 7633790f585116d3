"""What faults of a body look like over time, the same for recordings that get one and for the demo's performer.

Times are frames at a rate; what comes out is by how much each frame is changed. Who is changed is the caller's matter.
"""

import numpy as np

from motionscribe_models.arrays import Array

TREMOR_DEG, TREMOR_HZ = 4.0, 8.0
"""Amplitude and frequency."""
LIMP_SHARE, LIMP_FADE_S = 0.7, 0.25
"""The share of a leg's swing that is lost, and how long the limp takes to come and to go."""
LEAST_SPREAD_DEG = 8.0
"""Of two joints of a limb: one that moves less cannot be seen to freeze or to limp."""


def tremor_degrees(count: int, rate_hz: float) -> Array:
    """(count,) degrees by which a joint is turned."""
    degrees: Array = TREMOR_DEG * np.sin(2 * np.pi * TREMOR_HZ * np.arange(count) / rate_hz)
    return degrees


def limp_share(count: int, rate_hz: float) -> Array:
    """(count,) of 0..LIMP_SHARE: the share of the swing that is lost."""
    from_start = np.arange(count)
    from_end = from_start[::-1]
    share: Array = LIMP_SHARE * np.minimum(1, np.minimum(from_start, from_end) / (LIMP_FADE_S * rate_hz))
    return share


def spread_degrees(vectors: Array) -> float:
    """Degrees of vectors (n, m, 3) in radians: the root of the mean over m of their variances."""
    return float(np.degrees(np.sqrt(vectors.var(axis=0).sum(axis=1).mean())))
