"""Rate and clock of a feed: whether frames come as often as is said, whether times increase, and whether they drift.

In: the sender's times (n,) and, of a live feed, those of arrival (n,), microseconds. Out: findings.
"""

import numpy as np

from motionscribe.sources.diagnosis.beat import LONGEST_STEP_S, Beat, Times
from motionscribe.sources.diagnosis.drift import judge_drift, pace_of
from motionscribe.sources.diagnosis.finding import Finding
from motionscribe.sources.diagnosis.jitter import judge_jitter
from motionscribe_models.errors import TimesError
from motionscribe_models.stamps import Stamps, Timed

OFF = 0.1
"""A rate that is so far from what was said is another one: no sender rounds so, and cameras keep theirs within 2 %."""
SLOWEST_HZ = 10.0
"""The least that shipped models take, one frame a moment; docs/2-connecting.md."""
OUT_OF_ORDER = 0.01
"""Share of frames with times that do not increase; networks repeat and exchange fewer datagrams."""
REGULAR = 0.25
"""Share of the period by which most steps may be off from its multiples, else no step tells how many are not there."""
LOST = 0.05
"""Share of frames that are not there, by the steps between the others; labels of fewer are the same."""


def judge_timing(times_us: Times, arrived_us: Times | None, claimed_hz: float | None, time_unit: str) -> list[Finding]:
    """Of 30 frames or more."""
    try:
        since, findings = _judge_order(times_us.tolist(), claimed_hz, time_unit)
    except TimesError as error:
        advice = "let the sender count time in the unit that its protocol has, by a clock that runs while it sends"
        return [Finding("times of no use", str(error), advice)]
    times_us = times_us[since:]
    arrived_us = None if arrived_us is None else arrived_us[since:]
    beat = Beat(times_us)
    if not beat.mean_us > 0:
        return findings
    pace = None if arrived_us is None else pace_of(times_us, arrived_us)
    wrong_rate = _judge_rate(beat, pace, claimed_hz)
    jitter = judge_jitter(beat, None if arrived_us is None else Beat(arrived_us))
    findings += wrong_rate + jitter
    if not jitter:
        findings += _judge_loss(beat)
    if arrived_us is not None and not wrong_rate:
        findings += judge_drift(times_us, arrived_us)
    return findings


def _judge_order(times_us: list[int], claimed_hz: float | None, time_unit: str) -> tuple[int, list[Finding]]:
    """The first frame after the clock was set last, and what is wrong with the order. Raises TimesError."""
    stamps: Stamps[int] = Stamps(claimed_hz or 0.0, time_unit)
    timed: list[Timed[int]] = []
    for row, time_us in enumerate(times_us):
        timed += stamps.take(time_us, row)
    timed += stamps.end()
    restarts = [one for one in timed if one.restart]
    findings = []
    if restarts:
        evidence = f"{len(restarts)} times, first at frame {restarts[0].item + 1}: {restarts[0].restart}"
        advice = "let nothing set the sender's clock while it sends; streams go on, with a gap of a second"
        findings.append(Finding("clock jumps", evidence, advice))
    if stamps.dropped > OUT_OF_ORDER * stamps.taken:
        evidence = f"{stamps.dropped} of {stamps.taken} frames have times that are not later than those before"
        advice = "let the sender stamp each frame once, with a finer clock; streams leave these frames out"
        findings.append(Finding("times do not increase", evidence, advice))
    return (restarts[-1].item if restarts else 0), findings


def _judge_rate(beat: Beat, pace: float | None, claimed_hz: float | None) -> list[Finding]:
    # lost frames change the mean and irregular times the median: a wrong rate is both
    period_us = min((beat.period_us, beat.mean_us), key=lambda us: abs(us * (claimed_hz or 0.0) - 1e6))
    sent_hz = 1e6 / period_us
    says = f"says {claimed_hz:.4g} Hz, " if claimed_hz else ""
    if pace is not None and abs(pace - 1) > OFF / 2:
        evidence = f"{says}times are those of {sent_hz:.1f} Hz, frames come at {sent_hz * pace:.1f} Hz"
        advice = f"set the sender's rate to {sent_hz * pace:.0f} Hz, or let it stamp frames by a clock"
        return [Finding("wrong rate", evidence, advice)]
    if claimed_hz and abs(sent_hz / claimed_hz - 1) > OFF:
        evidence = f"{says}sends {sent_hz:.1f} Hz, one frame every {period_us / 1000:.1f} ms"
        advice = f"set the sender's rate to what it sends, or give --rate {sent_hz:.0f}"
        return [Finding("wrong rate", evidence, advice)]
    if sent_hz < SLOWEST_HZ * (1 - OFF):
        evidence = f"{sent_hz:.1f} Hz; models of the body take {SLOWEST_HZ:g} or more"
        return [Finding("wrong rate", evidence, "set the sender to 30 Hz or more")]
    return []


def _judge_loss(beat: Beat) -> list[Finding]:
    steps = beat.steps_us[beat.steps_us <= 1e6 * LONGEST_STEP_S]
    if np.quantile(beat.off_us, 0.8) > REGULAR * beat.period_us:
        return []  # multiples of the period are none where steps are anything
    missing = int(np.maximum(0, np.rint(steps / beat.period_us) - 1).sum())
    if missing <= LOST * (missing + len(beat.times_us)):
        return []
    evidence = f"{missing} frames are not there beside {len(beat.times_us)} that came, by the steps between these"
    return [Finding("lost frames", evidence, "send by cable, send fewer joints or a lower rate")]
