"""Anomaly events on series whose scores are known by construction: when they begin and end, what they name."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.anomaly_moments import (
    JOINT_OF,
    JOINTS,
    MEMORY,
    TWO,
    UNIT,
    detector,
    error_of,
    feed,
    seen,
    span,
)
from tests.support.plain_state import same, through_plain

from motionscribe_models.errors import LayoutError
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.detector import LAG, AnomalyDetector, AnomalySettings
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.robust_score import SMOOTH
from motionscribe_server.session.span import Span

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
        events += d.update(seen(1.0, error_of(5.1), span(k)))
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
        events += d.update(seen(math.exp(6.0), np.zeros(len(JOINT_OF)), span(k)))
    assert [(e.joints, e.shares) for e in events] == [((), ())]
    for k in range(130, 150):
        assert d.update(seen(0.0, np.zeros(len(JOINT_OF)), span(k))) in ([], d.finish())


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
        events += d.update(seen(math.exp(0.0 if k < 100 else 6.0), error_of(0), moment))
    assert [(e.ongoing, e.start_seq) for e in events + d.finish()] == [(True, 3 * 103 + 1), (False, 3 * 103 + 1)]


def test_finish_ends_an_open_event() -> None:
    d = detector()
    begin = feed(d, [0.0] * 100 + [6.0] * 20)
    end = d.finish()
    assert [(e.anomaly, e.ongoing) for e in begin + end] == [(1, True), (1, False)]
    assert end[0].end_seq == 3 * 120 + 1
    assert d.finish() == []


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
        (1.0, np.ones(20), 50, r"expected errors \(21,\), got \(20,\)"),
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
        tried.update(seen(residual, error, span(moment)))
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
    with pytest.raises(LayoutError, match=r"expected frames \(n, F\) and errors \(F,\), got \(3, 2\) and \(3,\)"):
        Observation(span=span(0), frames=np.zeros((3, 2), np.float32), residual=0.0, forecast_error=np.zeros(3))


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


pieces = st.lists(st.tuples(st.integers(1, 25), st.floats(-4, 8), st.integers(0, 3)), max_size=12)


@settings(max_examples=100, deadline=None)
@given(pieces, pieces)
def test_a_detector_restored_at_any_moment_goes_on_to_the_bit(
    before: list[tuple[int, float, int]], after: list[tuple[int, float, int]]
) -> None:
    """Whether an event is open, about to begin, or a gap has just been: whatever there is travels."""
    short = AnomalySettings(margin=2.0, begin=4, end=6, burn_in=5, patience=20)
    calm, k = detector(short), 0
    for n, z, gap in before:
        k += 7 if gap == 0 else 0
        feed(calm, [z] * n, first=k, joint=gap)
        k += n
    kept = calm.state()
    state = through_plain(kept)
    again = detector(short)
    feed(again, [5.0] * 40)  # what it held before does not matter
    again.restore(state)
    assert same(again.state(), kept)
    for n, z, gap in after:
        k += 7 if gap == 0 else 0
        assert feed(again, [z] * n, first=k, joint=gap) == feed(calm, [z] * n, first=k, joint=gap)
        assert again.threshold == calm.threshold
        k += n
    assert again.finish() == calm.finish()
    assert same(again.state(), calm.state())
    assert same(through_plain(kept), state), "neither shares anything with its state"


def test_a_detector_stays_small() -> None:
    d = detector()
    feed(d, [0.0, 6.0] * 200 + [9.0] * 200)
    before = len(pickle.dumps(d.state()))
    feed(d, [0.0, 1.0] * 5000, first=600)
    full = len(pickle.dumps(d.state()))
    feed(d, [0.0, 1.0] * 5000, first=10_600)
    assert len(pickle.dumps(d.state())) <= full < before + 8 * MEMORY + 1000
