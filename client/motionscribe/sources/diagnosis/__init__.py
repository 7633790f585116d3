"""What is wrong with a feed: frames, times and a skeleton go in, findings come out. Pure: no network, no clock.

timing.py judges rate, clock and jitter, posture.py joints, units and axes.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.diagnosis.finding import Finding
from motionscribe.sources.diagnosis.posture import judge_posture
from motionscribe.sources.diagnosis.timing import judge_timing
from motionscribe_models.body.mapping import IMAGE
from motionscribe_models.body.skeleton import BODY2D
from motionscribe_models.skeleton import Skeleton

FEWEST = 30
"""Frames without which nothing is said."""
DRIFT_S = 6.0
"""What FeedClock needs for a drift: five whole seconds."""


def diagnose(
    skeleton: Skeleton,
    frames: NDArray[np.float32],
    times_us: NDArray[np.int64],
    *,
    arrived_us: NDArray[np.int64] | None = None,
    confidences: NDArray[np.float32] | None = None,
    claimed_hz: float | None = None,
    time_unit: str = "microseconds",
) -> list[Finding]:
    """Empty for a healthy feed of one person.

    Frames (n, D), confidences (n, J), the sender's times (n,), whatever they are, and when each frame came, in
    microseconds; a recording has no such times. `claimed_hz` is what the sender says of its rate,
    `time_unit` what it counts in.
    """
    if len(frames) < FEWEST:
        advice = "see whether the sender still sends, or listen longer: --seconds"
        return [Finding("too few frames", f"{len(frames)} frames; {FEWEST} are the least to judge a feed by", advice)]
    timing = judge_timing(times_us, arrived_us, claimed_hz, time_unit)
    return [*timing, *judge_posture(skeleton, frames, confidences)]


def unjudged(skeleton: Skeleton, arrived_us: NDArray[np.int64] | None) -> list[str]:
    """What nothing can be said of, and why, for people."""
    reasons = []
    if arrived_us is None:
        reasons.append("clock, arrivals: this is no feed")
    elif np.ptp(arrived_us) < DRIFT_S * 1e6:
        reasons.append(f"drift of the clock: takes {DRIFT_S:g} s")
    if skeleton.representation == "features":
        reasons.append("joints, units, axes: it does not say which joints it has; only a model of its columns takes it")
    elif skeleton.representation in (IMAGE, BODY2D.representation):
        reasons.append("units: places are those in an image")
    return reasons


__all__ = ["Finding", "diagnose", "unjudged"]
