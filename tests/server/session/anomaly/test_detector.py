"""Anomaly events on series whose scores are known by construction."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.detector import LAG, MEMORY, AnomalyDetector, AnomalySettings
from motionscribe_server.session.anomaly.reference import QUANTILE, SMOOTH, AnomalyReference, fit_reference
from motionscribe_server.session.span import Span

JOINTS = ("hip", "knee", "ankle", "spine", "head", "elbow", "wrist")
JOINT_OF = np.repeat(np.arange(7), 3)
UNIT = AnomalyReference(0.0, 1.0, 0.0, 1.0, 0.0, 1.0)
"""The z score of a value is its logarithm."""
TWO = AnomalySettings(margin=2.0, begin=5, end=10, release=0.8, burn_in=20, patience=100)
"""With UNIT the threshold is 2, and events end below 1.6."""


def span(k: int) -> Span:
    """Moment k of a stream of 30 frames a second."""
    return Span(3 * k + 1, 3 * k + 4, 100_000 * k, 100_000 * (k + 1))


def error_of(z: float, joint: int | None = None) -> NDArray[np.float64]:
    """Errors (F,) with mean exp(z), spread evenly or four fifths in one joint."""
    weights = np.ones(len(JOINT_OF))
    if joint is not None:
        weights = np.where(joint == JOINT_OF, 0.8 / 3, 0.2 / 18)
    return np.exp(z) * weights / weights.mean()


def feed(detector: AnomalyDetector, z: Iterable[float], first: int = 0, joint: int | None = None) -> list[Anomaly]:
    """Moments whose residual has the scores z, and whose error stays normal but for where it lies."""
    events = []
    for k, value in enumerate(z):
        events += detector.update(math.exp(value), error_of(0.0, joint), span(first + k))
    return events


def detector(settings: AnomalySettings = TWO, reference: AnomalyReference = UNIT) -> AnomalyDetector:
    return AnomalyDetector(reference, JOINT_OF, JOINTS, settings)


def noise(n: int, seed: int, scale: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Residuals (n,) and errors (n,F) of normal motion: logarithms wander with a memory of half a second."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(size=(2, n))
    for k in range(1, n):
        logs[:, k] = 0.8 * logs[:, k - 1] + 0.6 * logs[:, k]
    return np.exp(0.5 * scale * logs[0]), np.exp(scale * logs[1])[:, None] * rng.dirichlet(np.ones(len(JOINT_OF)), n)


def play(detector: AnomalyDetector, residuals: NDArray[np.float64], errors: NDArray[np.float64]) -> list[Anomaly]:
    events = []
    for k, (residual, error) in enumerate(zip(residuals, errors, strict=True)):
        events += detector.update(float(residual), error, span(k))
    return events


# events by construction


def test_a_burst_is_one_event_with_its_span() -> None:
    d = detector()
    z = [0.0] * 200 + [5.1] * 50
    begin = feed(d, z)
    # the mean of ten moments passes 2 with the fourth of the burst; four more confirm it
    assert [(e.anomaly, e.ongoing, e.start_seq, e.end_seq) for e in begin] == [(1, True, 3 * 203 + 1, 3 * 208 + 1)]
    assert (begin[0].start_us, begin[0].end_us) == (20_300_000, 20_800_000)
    assert begin[0].score == pytest.approx(8 * 5.1 / 10 / 2)
    end = feed(d, [0.0] * 100, first=250)
    # four of the burst among the last ten keep it at 2.04; three, at 1.53, are below the release
    assert [(e.anomaly, e.ongoing, e.start_seq, e.end_seq) for e in end] == [(1, False, 3 * 203 + 1, 3 * 256 + 1)]
    assert end[0].end_us == 25_600_000
    assert end[0].score == pytest.approx(5.1 / 2)
    assert d.finish() == []


def test_error_alone_raises_an_event_too() -> None:
    d = detector()
    feed(d, [0.0] * 100)
    events = []
    for k in range(100, 120):
        events += d.update(1.0, error_of(5.1), span(k))
    assert [e.ongoing for e in events] == [True]


def test_the_end_waits_for_a_second_of_calm() -> None:
    d = detector()
    dip = [0.0] * 10  # seven moments below the release, fewer than `end`
    events = feed(d, [0.0] * 100 + [5.1] * 30 + dip + [5.1] * 30 + [0.0] * 50)
    assert [e.ongoing for e in events] == [True, False]
    assert events[1].end_seq - events[1].start_seq > 3 * 65


def test_what_is_too_short_is_no_event() -> None:
    spike = [7.0, 7.0, 7.0]  # lifts the average of ten to 2.1
    assert feed(detector(), [0.0] * 200 + spike + [0.0] * 4 + [-50.0] * 20) != []
    assert feed(detector(), [0.0] * 200 + spike + [0.0] * 3 + [-50.0] * 20) == []


def test_events_are_counted_on() -> None:
    d = detector()
    events = feed(d, ([0.0] * 60 + [6.0] * 20) * 3 + [0.0] * 60)
    assert [(e.anomaly, e.ongoing) for e in events] == [(k, o) for k in (1, 2, 3) for o in (True, False)]


def test_joints_that_carry_the_error_are_named() -> None:
    d = detector()
    feed(d, [0.0] * 100)
    events = feed(d, [5.1] * 30, first=100, joint=4) + d.finish()
    for event in events:
        assert event.joints[0] == "head"
        assert event.shares[0] == pytest.approx(0.8)
        assert len(event.joints) == len(event.shares) == 5
        assert sum(event.shares) == pytest.approx(0.8 + 4 * 0.2 / 6)


def test_errors_of_zero_name_no_joint() -> None:
    d = detector()
    feed(d, [0.0] * 100)
    events = []
    for k in range(100, 130):
        events += d.update(math.exp(6.0), np.zeros(len(JOINT_OF)), span(k))
    assert [(e.joints, e.shares) for e in events] == [((), ())]
    for k in range(130, 150):
        assert d.update(0.0, np.zeros(len(JOINT_OF)), span(k)) in ([], d.finish())


def test_the_first_seconds_only_teach() -> None:
    teaching = SMOOTH - 1 + LAG + TWO.burn_in
    assert feed(detector(), [9.0] * teaching) == []
    assert feed(detector(), [0.0] * teaching + [9.0] * 9) != []
    assert feed(detector(), [0.0] * (teaching - 9) + [9.0] * 9) == []


def test_a_gap_ends_the_event_and_restarts_the_average() -> None:
    d = detector()
    feed(d, [0.0] * 100 + [6.0] * 20)
    events = feed(d, [6.0] * 30, first=400)
    assert [(e.ongoing, e.end_seq) for e in events] == [(False, 3 * 120 + 1), (True, 3 * (400 + SMOOTH + 4) + 1)]
    assert events[1].start_seq == 3 * (400 + SMOOTH - 1) + 1


def test_the_end_of_a_span_may_be_a_guess() -> None:
    """A feed a little faster than its nominal rate: the next frame comes before the last one's period is over."""
    d = detector()
    events = []
    for k in range(150):
        moment = replace(span(k), end_us=span(k).end_us + 4000)
        events += d.update(math.exp(0.0 if k < 100 else 6.0), error_of(0), moment)
    assert [(e.ongoing, e.start_seq) for e in events + d.finish()] == [(True, 3 * 103 + 1), (False, 3 * 103 + 1)]


def test_finish_ends_an_open_event() -> None:
    d = detector()
    begin = feed(d, [0.0] * 100 + [6.0] * 20)
    end = d.finish()
    assert [(e.anomaly, e.ongoing) for e in begin + end] == [(1, True), (1, False)]
    assert end[0].end_seq == 3 * 120 + 1
    assert d.finish() == []


# the threshold


def test_an_event_does_not_excuse_itself() -> None:
    d = detector()
    feed(d, [0.0] * 150)
    before = d.threshold
    feed(d, [6.0] * (SMOOTH + 60), first=150)
    assert d.threshold == before == 2.0


def test_a_feed_that_changed_for_good_is_the_new_normal() -> None:
    d = detector()
    events = feed(d, [0.0] * 500 + [6.0] * 2000)
    assert [e.ongoing for e in events] == [True, False]
    moments = (events[1].end_seq - events[1].start_seq) / 3
    assert TWO.patience < moments < TWO.patience + 60
    assert d.threshold > 6.0


def test_stillness_neither_lowers_the_threshold_nor_hides_what_follows() -> None:
    d = detector()
    for k in range(1000):
        assert d.update(0.0, np.zeros(len(JOINT_OF)), span(k)) == []
    assert d.threshold == 2.0
    events = []
    for k in range(1000, 1020):
        events += d.update(math.exp(9.0), error_of(9.0), span(k))
    # stillness counts as -3, so the fifth moment lifts the average to (5 * 9 - 5 * 3) / 10
    assert [(e.ongoing, e.start_seq) for e in events] == [(True, 3 * 1004 + 1)]


def test_the_threshold_is_the_quantile_of_what_was_learnt() -> None:
    """Against numpy on all scores, while nothing is abnormal."""
    d = detector(AnomalySettings(margin=4.0, burn_in=10), AnomalyReference(0.0, 1.0, 0.0, 1.0, 0.0, 0.1))
    rng = np.random.default_rng(0)
    z = rng.normal(1.0, 1.0, MEMORY + 500 + LAG)
    assert feed(d, z) == []
    scores = np.convolve(np.maximum(z, -3), np.ones(SMOOTH) / SMOOTH, "valid")[-MEMORY - LAG : -LAG]
    scores = np.maximum(scores, 0.0)  # the error's score
    median, quantile = np.quantile(scores, [0.5, QUANTILE])
    assert d.threshold == pytest.approx(median + 4.0 * (quantile - median), rel=1e-3)


@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_noise_alarms_three_times_an_hour_at_most(scale: float) -> None:
    """Two hours each, of noise like the reference's and of a noisier feed. Measured: 3 and 4."""
    reference = fit_reference([noise(600, seed) for seed in range(20)])
    events = play(detector(AnomalySettings(), reference), *noise(72_000, 99, scale))
    assert sum(event.ongoing for event in events) <= 6


def test_a_fall_in_noise_is_found() -> None:
    """Two seconds in which both rise sixfold begin within 2 s, and nothing else does in a minute."""
    reference = fit_reference([noise(600, seed) for seed in range(20)])
    for seed in range(5):
        residuals, errors = noise(600, 100 + seed)
        residuals[400:420] *= 6
        errors[400:420] *= 36
        events = play(detector(AnomalySettings(), reference), residuals, errors)
        assert [event.ongoing for event in events] == [True, False]
        assert 3 * 395 < events[0].start_seq < events[0].end_seq < 3 * 420


# the reference


def test_reference_of_known_noise() -> None:
    reference = fit_reference([noise(3000, seed) for seed in range(10)])
    assert reference.residual_median == pytest.approx(0.0, abs=0.05)
    assert reference.residual_spread == pytest.approx(0.5, rel=0.05)
    assert reference.error_spread == pytest.approx(1.0, rel=0.05)
    assert 0 < reference.score_median < 1 < reference.score_quantile < 3


def test_reference_scores_as_the_detector_does() -> None:
    """The quantile of a long recording is the threshold that a stream of it learns, at margin 1."""
    recording = noise(MEMORY, 3)
    reference = fit_reference([recording])
    low = AnomalyReference(*[getattr(reference, name) for name in list(vars(reference))[:4]], 0.0, 0.01)
    d = detector(AnomalySettings(margin=1.0, begin=MEMORY), low)
    play(d, *recording)
    assert d.threshold == pytest.approx(reference.score_quantile, rel=0.02)


def test_reference_survives_a_few_abnormal_moments() -> None:
    residuals, errors = noise(3000, 5)
    clean = fit_reference([(residuals, errors)])
    residuals[1000:1020] *= 100
    dirty = fit_reference([(residuals, errors)])
    assert dirty.residual_median == pytest.approx(clean.residual_median, abs=0.02)
    assert dirty.residual_spread == pytest.approx(clean.residual_spread, rel=0.02)


def test_reference_refuses_what_tells_nothing() -> None:
    with pytest.raises(LayoutError, match=r"at least 10 moments, got \[600, 9\]"):
        fit_reference([noise(600, 0), noise(9, 1)])
    with pytest.raises(LayoutError, match=r"at least 10 moments, got \[\]"):
        fit_reference([])
    with pytest.raises(LayoutError, match="positive spreads"):
        fit_reference([(np.ones(100), np.ones((100, 2)))])
    with pytest.raises(LayoutError, match="finite"):
        AnomalyReference(0.0, 1.0, math.nan, 1.0, 0.0, 1.0)
    with pytest.raises(LayoutError, match="threshold > 0"):
        detector(TWO, AnomalyReference(0.0, 1.0, 0.0, 1.0, -5.0, -4.0))


# doors


@pytest.mark.parametrize(
    ("residual", "error", "moment", "message"),
    [
        (math.nan, error_of(0), 50, "residual >= 0, got nan"),
        (math.inf, error_of(0), 50, "residual >= 0, got inf"),
        (-1.0, error_of(0), 50, "residual >= 0, got -1"),
        (1.0, np.full(21, math.nan), 50, "errors >= 0, got nan at position 0"),
        (1.0, np.r_[np.ones(20), -2.0], 50, r"errors >= 0, got -2.0 at position 20"),
        (1.0, np.r_[math.inf, np.ones(20)], 50, "errors >= 0, got inf"),
        (1.0, np.ones(20), 50, r"expected error \(21,\), got \(20,\)"),
        (1.0, error_of(0), 49, "begins at the end of Span.*or later, got Span"),
    ],
)
def test_bad_moments_are_refused_and_change_nothing(
    residual: float, error: NDArray[np.float64], moment: int, message: str
) -> None:
    good, tried = detector(), detector()
    feed(good, [0.0] * 50)
    feed(tried, [0.0] * 50)
    with pytest.raises(LayoutError, match=message):
        tried.update(residual, error, span(moment))
    rest = [0.5] * 20 + [6.0] * 30
    assert feed(tried, rest, first=50) == feed(good, rest, first=50) != []


def test_spans_and_settings_are_checked() -> None:
    assert span(3).seconds == pytest.approx(0.1)
    with pytest.raises(LayoutError, match="got 0 and 4"):
        Span(0, 4, 0, 1)
    with pytest.raises(LayoutError, match="got 5 and 4"):
        Span(5, 4, 0, 1)
    with pytest.raises(LayoutError, match="start_us <= end_us, got 2 and 1"):
        Span(1, 4, 2, 1)
    with pytest.raises(LayoutError, match=r"joint_of \(F,\), F >= 1, in 0..6, got \[7\]"):
        AnomalyDetector(UNIT, np.array([7]), JOINTS)
    with pytest.raises(LayoutError, match="expected margin > 0"):
        AnomalySettings(margin=0.0)
    with pytest.raises(LayoutError, match="expected counts >= 1"):
        AnomalySettings(begin=0)


# whatever comes


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(-4, 8), st.integers(0, 2)), min_size=1, max_size=25),
    st.integers(1, 6),
    st.integers(1, 12),
)
def test_events_are_well_formed(pieces: list[tuple[int, float, int]], begin: int, end: int) -> None:
    """Pieces of so many moments at such a score, after a gap where the third number is 0."""
    d = detector(AnomalySettings(margin=2.0, begin=begin, end=end, burn_in=5, patience=30))
    events: list[Anomaly] = []
    k = 0
    seen = span(0)
    for n, z, gap in pieces:
        k += 7 if gap == 0 else 0
        new = feed(d, [z] * n, first=k)
        k += n
        seen = span(k - 1)
        assert all(e.end_seq <= seen.end_seq for e in new)
        events += new
    events += d.finish()
    assert [e.ongoing for e in events] == [True, False] * (len(events) // 2)
    assert [e.anomaly for e in events] == [1 + i // 2 for i in range(len(events))]
    last_seq = last_us = 0
    for first, final in zip(events[::2], events[1::2], strict=True):
        assert (first.start_seq, first.start_us) == (final.start_seq, final.start_us)
        assert last_seq <= first.start_seq < first.end_seq <= final.end_seq
        assert last_us <= first.start_us < first.end_us <= final.end_us
        assert 1 <= first.score <= final.score
        assert list(final.shares) == sorted(final.shares, reverse=True)
        assert sum(final.shares) <= 1 + 1e-9
        last_seq, last_us = final.end_seq, final.end_us
    again = detector(AnomalySettings(margin=2.0, begin=begin, end=end, burn_in=5, patience=30))
    k, replayed = 0, []
    for n, z, gap in pieces:
        k += 7 if gap == 0 else 0
        replayed += feed(again, [z] * n, first=k)
        k += n
    assert replayed + again.finish() == events
