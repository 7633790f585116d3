"""Whether frames are stamped or come irregularly, and which of the two.

A step is regular where it is a multiple of the period. What comes late shows in the arrivals alone, what is stamped
wrongly in the times alone; where both are irregular and agree, frames are taken irregularly.
"""

import numpy as np

from motionscribe.sources.diagnosis.beat import Beat
from motionscribe.sources.diagnosis.drift import lateness
from motionscribe.sources.diagnosis.finding import Finding
from motionscribe_models.arrays import Array

STAMPS, STAMPS_US = 0.25, 1_250.0
"""Share of the period, and microseconds, by which one step in ten may be off: a fourth distorts speeds by as much, and
clocks of whole milliseconds are off by one."""
ARRIVALS, ARRIVALS_US = 0.75, 20_000.0
"""The same of lateness, of one frame in five: nothing but the delay of labels suffers, and busy machines are late."""
BOTH, BOTH_US = 0.5, 10_000.0
"""The same of steps where times and arrivals agree: cameras in the dark, and a sender that stamps when it is woken."""
ONE_IN_TEN, ONE_IN_FIVE = 0.9, 0.8


def judge_jitter(times: Beat, arrivals: Beat | None) -> list[Finding]:
    """At most one finding."""
    period_us = times.period_us
    stamped_us = _quantile(times.off_us, ONE_IN_TEN)
    is_irregular = stamped_us > max(STAMPS * period_us, STAMPS_US)
    agree_us = max(BOTH * period_us, BOTH_US)
    steps = f"one step in ten between times is {stamped_us / 1000:.1f} ms or more off, of {period_us / 1000:.1f} ms"
    stamps = Finding("jitter of time stamps", steps, "let the sender stamp frames when they are taken, by a fine clock")
    if arrivals is None:
        return [stamps] if is_irregular else []
    if np.array_equal(times.times_us, arrivals.times_us):
        if stamped_us <= agree_us:
            return []
        steps = f"{steps}; this feed has no time stamps, frames count when they come"
        return [Finding("jitter of arrivals", steps, "send by cable, or choose a protocol with time stamps")]
    late_us = _quantile(lateness(times.times_us, arrivals.times_us), ONE_IN_FIVE)
    if not is_irregular:
        if late_us <= max(ARRIVALS * period_us, ARRIVALS_US):
            return []
        evidence = f"one frame in five comes {late_us / 1000:.1f} ms or more later than the fastest; times are regular"
        return [
            Finding("jitter of arrivals", evidence, "send by cable, and give the sender and this machine less to do")
        ]
    if late_us > stamped_us / 2:
        came_us = _quantile(arrivals.off_us, ONE_IN_TEN)
        evidence = f"{steps}; of arrivals {came_us / 1000:.1f} ms"
        return [Finding(stamps.fault, evidence, stamps.advice)]
    if stamped_us <= agree_us:
        return []
    evidence = f"{steps}, and frames come as irregularly"
    return [Finding("jitter of frames", evidence, "let the sender take frames at a fixed rate, and give it less to do")]


def _quantile(values: Array, share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 0.0
