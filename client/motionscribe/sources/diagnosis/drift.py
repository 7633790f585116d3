"""A sender's clock beside this machine's, over a while: its pace, its drift, and how late frames come."""

from itertools import combinations, pairwise

import numpy as np

from motionscribe.feed_clock import FeedClock
from motionscribe.sources.diagnosis.beat import Times
from motionscribe.sources.diagnosis.finding import Finding
from motionscribe_models.arrays import Array

DRIFT_PPM = 1000.0
"""3.6 s an hour. Quartz is within 100 ppm, and a clock that is being set right within 500."""
SURE = 0.5
"""Share of the whole drift by which the fastest frames of seconds may scatter around it."""
POINTS = 60
"""So many frames tell the pace."""
SECOND_US = 1_000_000


def pace_of(times_us: Times, arrived_us: Times) -> float | None:
    """Seconds of the sender in a second here: the median over pairs of frames far apart. None where these lack."""
    span_us, here_us = int(np.ptp(times_us)), int(np.ptp(arrived_us))
    if here_us < SECOND_US / 2 and span_us > SECOND_US:
        return span_us / max(here_us, 1)  # all came at once
    rows = np.unique(np.linspace(0, len(times_us) - 1, POINTS).astype(int))
    paces = [
        (times_us[b] - times_us[a]) / (arrived_us[b] - arrived_us[a])
        for a, b in combinations(rows.tolist(), 2)
        if arrived_us[b] - arrived_us[a] > max(here_us / 4, SECOND_US / 2)
    ]
    return float(np.median(paces)) if paces else None


def lateness(times_us: Times, arrived_us: Times) -> Array:
    """Microseconds by which each frame is later than the fastest of its second, without drift.

    Of frames that came at the same time, as of a block, the last one counts alone.
    """
    pace = pace_of(times_us, arrived_us) or 1.0
    last = np.append(np.diff(arrived_us) != 0, True)
    times, arrived = times_us[last], arrived_us[last]
    differences = (arrived - arrived[0]) - (times - times[0]) / pace
    seconds = (times - times.min()) // SECOND_US
    fastest = np.full(int(seconds.max()) + 1 if seconds.max() < 1e6 else 1, np.inf)
    places = np.minimum(seconds, len(fastest) - 1)
    np.minimum.at(fastest, places, differences)
    late: Array = differences - fastest[places]
    return late


def judge_drift(times_us: Times, arrived_us: Times) -> list[Finding]:
    """Needs five seconds or more."""
    clock = FeedClock()
    for time_us, here_us in zip(times_us.tolist(), arrived_us.tolist(), strict=True):
        clock.take(time_us, here_us)
    ppm = clock.drift_ppm
    if ppm is None or abs(ppm) <= DRIFT_PPM:
        return []
    span_s = (arrived_us[-1] - arrived_us[0]) / 1e6
    differences = arrived_us - times_us + (times_us - times_us[0]) * ppm / 1e6
    edges = np.searchsorted(arrived_us, np.arange(arrived_us[0], arrived_us[-1], SECOND_US)).tolist()
    fastest = [differences[a:b].min() for a, b in pairwise([*edges, len(times_us)]) if b > a]
    if np.ptp(np.quantile(fastest, (0.1, 0.9))) > SURE * abs(ppm) * span_s:
        return []
    evidence = (
        f"the sender's clock {'gains' if ppm > 0 else 'loses'} {abs(ppm):.0f} ppm, {abs(ppm) * span_s / 1000:.1f} ms "
        f"in {span_s:.1f} s; clocks that are well are within {DRIFT_PPM:g}"
    )
    advice = "let the sender take its times from the system's clock, set by NTP or PTP, and not from a count of frames"
    return [Finding("clock drift", evidence, advice)]
