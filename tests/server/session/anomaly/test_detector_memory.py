"""What the detector learns of a stream and when it does not, and what it keeps from one snapshot to the next."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.support.anomaly_arrays import TENFOLD
from tests.support.anomaly_stream import (
    BUDGET,
    HIGH,
    JUMP,
    LIMIT,
    LOW,
    MOMENT_S,
    feed,
    observation,
    phases,
    plane_detector,
    span_of,
)
from tests.support.plain_state import same, through_plain

from motionscribe_server.session.anomaly.detector import LATER_S, AnomalyDetector
from motionscribe_server.session.anomaly.habits import LEAST_S
from motionscribe_server.session.anomaly.open_alarm import CALM_S
from motionscribe_server.session.anomaly.table import SCORES

CALM, LATER = (round(seconds / MOMENT_S) for seconds in (CALM_S, LATER_S))
FILLING = round(max(score.pooled_s for score in SCORES.values()) / MOMENT_S) - 1
"""Moments until all pools are full."""


def slack_of(detector: AnomalyDetector) -> float:
    slack: float = detector.state()["habits"]["slack"][0]
    return slack


def test_a_stream_earns_slack_and_then_has_no_alarm_where_another_has() -> None:
    noisy = [LIMIT - 0.2] * round(LEAST_S / MOMENT_S + LATER + FILLING)
    detector = plane_detector(JUMP, BUDGET)
    assert feed(detector, noisy) == []
    assert slack_of(detector) > 1
    assert feed(detector, [LIMIT + 0.5], len(noisy)) == []
    assert phases(feed(plane_detector(JUMP, BUDGET), [LIMIT + 0.5])) == ["begun"]


def test_nothing_is_learnt_while_an_anomaly_is_open_nor_of_what_led_to_it() -> None:
    """The same stream with an alarm in it has learnt as much as one that ends LATER_S before the alarm."""
    quiet = [1.0] * 300
    climbing = [4.0] * LATER
    short, long = plane_detector(JUMP, BUDGET), plane_detector(JUMP, BUDGET)
    feed(short, [*quiet, *[0.0] * LATER])
    assert phases(feed(long, [*quiet, *climbing, HIGH, *[4.5] * 100])) == ["begun", "confirmed"]
    assert same(short.state()["habits"], long.state()["habits"])
    after = feed(long, [LOW] * (CALM + LATER), 401 + LATER)
    assert phases(after) == ["ended"]
    assert long.state()["habits"]["learnt"] - short.state()["habits"]["learnt"] == 1


def test_what_was_normal_is_learnt_later() -> None:
    detector = plane_detector(JUMP, BUDGET)
    feed(detector, [1.0] * (FILLING + LATER))
    assert detector.state()["habits"]["learnt"] == 0
    feed(detector, [1.0] * 5, FILLING + LATER)
    assert detector.state()["habits"]["learnt"] == 5


def test_nothing_is_learnt_while_pools_fill_at_first_and_after_a_gap() -> None:
    detector = plane_detector(JUMP, BUDGET)
    for gap in range(3):
        for moment in range(FILLING + LATER):
            detector.update(observation(span_of(gap * (FILLING + LATER) + moment, lost=gap)))
    assert detector.state()["habits"]["learnt"] == 0
    assert len(detector.state()["waiting"]) == LATER


def test_habits_stay_after_a_gap() -> None:
    detector = plane_detector(JUMP, BUDGET)
    feed(detector, [LIMIT - 0.2] * 1000)
    slack = slack_of(detector)
    detector.finish()
    detector.update(observation(span_of(1000, lost=90)))
    assert slack_of(detector) == slack > 0


# -- states


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[float, float, float, int]]:
    """Jump, misfit and strangeness of moments, and the frames that are lost before each."""
    seed = draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    levels = draw(st.lists(st.tuples(st.floats(-2, 9), st.floats(-2, 9), st.integers(1, 60)), min_size=1, max_size=8))
    return [
        (*(level + rng.normal(0, 1, 3) * [1, 0, 1] + [0, other - level, 0]).tolist(), int(rng.random() < 0.01))
        for level, other, moments in levels
        for _ in range(moments)
    ]


@given(stories(), st.integers(0, 300))
def test_a_detector_restored_from_its_state_tells_the_same_to_the_bit(
    story: list[tuple[float, float, float, int]], cut: int
) -> None:
    knots = dict.fromkeys(("jump", "frozen", "misfit", "strangeness"), TENFOLD)
    one, lost = plane_detector(knots, 5.0), 0
    again = plane_detector(knots, 5.0)
    feed(again, [HIGH] * 7)  # what it held before does not matter
    for moment, (jump, misfit, strangeness, more) in enumerate(story):
        if moment == min(cut, len(story) - 1):
            again.restore(through_plain(one.state()))
        lost += more
        seen = observation(span_of(moment, lost), (jump, LOW), (misfit, LOW), strangeness)
        events = one.update(seen, 2)
        if moment >= min(cut, len(story) - 1):
            assert again.update(seen, 2) == events
            assert again.rates == one.rates
    assert same(again.state(), one.state())
    assert again.finish() == one.finish()
