"""What is wrong with a feed: frames, times and a skeleton go in, findings come out. Pure: no network, no clock.

timing.py judges rate, clock and jitter, posture.py joints, units and axes.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.diagnosis.finding import Finding
from motionscribe.sources.diagnosis.posture import judge_posture
from motionscribe.sources.diagnosis.timing import judge_timing
from motionscribe_models.skeleton import Skeleton

FEWEST = 30
"""Frames without which nothing is said."""


def diagnose(
    skeleton: Skeleton,
    frames: NDArray[np.float32],
    times_us: NDArray[np.int64],
    *,
    arrived_us: NDArray[np.int64] | None = None,
    confidences: NDArray[np.float32] | None = None,
    claimed_hz: float | None = None,
) -> list[Finding]:
    """Empty for a healthy feed of one person.

    Frames (n, D), confidences (n, J), the sender's times (n,), whatever they are, and when each frame came, in
    microseconds; a recording has no such times. `claimed_hz` is what the sender says of its rate.
    """
    if len(frames) < FEWEST:
        advice = "see whether the sender still sends, or listen longer: --seconds"
        return [Finding("too few frames", f"{len(frames)} frames; {FEWEST} are the least to judge a feed by", advice)]
    timing = judge_timing(times_us, arrived_us, claimed_hz)
    return [*timing, *judge_posture(skeleton, frames, confidences)]


__all__ = ["Finding", "diagnose"]
