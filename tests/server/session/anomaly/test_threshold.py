"""How high is abnormal: normal motion, what a stream taught, and how many false alarms that gives on noise."""

import math

import numpy as np
import pytest
from tests.support.anomaly_moments import (
    JOINT_OF,
    MEMORY,
    TWO,
    detector,
    error_of,
    feed,
    fitted,
    noise,
    play,
    reference_of,
    seen,
    span,
)

from motionscribe_server.session.anomaly.detector import LAG, AnomalySettings
from motionscribe_server.session.anomaly.reference import QUANTILE, AnomalyReference
from motionscribe_server.session.anomaly.robust_score import SMOOTH


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
        assert d.update(seen(0.0, np.zeros(len(JOINT_OF)), span(k))) == []
    assert d.threshold == 2.0
    events = []
    for k in range(1000, 1020):
        events += d.update(seen(math.exp(9.0), error_of(9.0), span(k)))
    # stillness counts as -3, so the fifth moment lifts the average to (5 * 9 - 5 * 3) / 10
    assert [(e.ongoing, e.start_seq) for e in events] == [(True, 3 * 1004 + 1)]


def test_the_threshold_is_the_quantile_of_what_was_learnt() -> None:
    """Against numpy on all scores, while nothing is abnormal."""
    d = detector(AnomalySettings(margin=4.0, burn_in=10), reference_of(0.0, 0.1))
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
    reference = AnomalyReference(fitted(*(noise(600, seed) for seed in range(20))))
    events = play(detector(AnomalySettings(), reference), *noise(72_000, 99, scale))
    assert sum(event.ongoing for event in events) <= 6


def test_a_fall_in_noise_is_found() -> None:
    """Two seconds in which both rise sixfold begin within 2 s, and nothing else does in a minute."""
    reference = AnomalyReference(fitted(*(noise(600, seed) for seed in range(20))))
    for seed in range(5):
        residuals, errors = noise(600, 100 + seed)
        residuals[400:420] *= 6
        errors[400:420] *= 36
        events = play(detector(AnomalySettings(), reference), residuals, errors)
        assert [event.ongoing for event in events] == [True, False]
        assert 3 * 395 < events[0].start_seq < events[0].end_seq < 3 * 420
