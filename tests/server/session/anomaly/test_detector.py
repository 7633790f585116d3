"""When anomalies begin and end on a made-up stream, where z is what the test says and each rate is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.anomaly_arrays import TENFOLD, made_up_anomaly
from tests.support.anomaly_stream import (
    ANY,
    BUDGET,
    HIGH,
    JUMP,
    LIMIT,
    LOW,
    MOMENT_S,
    NOTHING,
    budgets_of,
    feed,
    observation,
    phases,
    plane_detector,
    plane_reference,
    span_of,
)
from tests.support.plain_state import same, through_plain

from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.detector import AnomalyDetector
from motionscribe_server.session.anomaly.frozen import ONCE_IN_H
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.open_alarm import CALM_S, CONFIRMED_S, PERSISTS_S
from motionscribe_server.session.anomaly.pose_model import groups_of
from motionscribe_server.session.anomaly.reference import AnomalyReference
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.anomaly.table import SCORES
from motionscribe_server.session.span import Span

CALM, CONFIRMED, PERSISTS = (round(s / MOMENT_S) for s in (CALM_S, CONFIRMED_S, PERSISTS_S))
MISFIT, STRANGE = (round(SCORES[name].pooled_s / MOMENT_S) for name in ("misfit", "strangeness"))
"""Moments of a pool."""


@pytest.mark.parametrize(("z", "begins"), [(LIMIT + 1e-6, True), (LIMIT - 1e-6, False)])
def test_an_anomaly_begins_at_once_at_its_budget(z: float, begins: bool) -> None:
    detector = plane_detector(JUMP, BUDGET)
    assert feed(detector, [LOW] * 30) == []
    events = feed(detector, [z], first=30)
    assert len(events) == begins
    assert detector.rates[Kind.SENSOR] == pytest.approx(BUDGET, rel=1e-5)


def test_no_more_alarms_are_to_be_expected_than_there_are_moments() -> None:
    detector = plane_detector(JUMP, BUDGET)
    feed(detector, [-50.0])
    assert detector.rates[Kind.SENSOR] == pytest.approx(3600 / MOMENT_S)


@given(st.floats(0.01, 1000.0))
def test_it_begins_at_any_budget(budget: float) -> None:
    at = math.log10(2 * 36_000 / budget)
    assert not feed(plane_detector(JUMP, budget), [at - 1e-6])
    assert phases(feed(plane_detector(JUMP, budget), [at + 1e-6])) == ["begun"]


def test_a_pooled_score_begins_at_its_part_of_the_budget_too() -> None:
    for z, begins in ((LIMIT + 0.001, True), (LIMIT - 0.001, False)):
        detector, events = plane_detector({"strangeness": TENFOLD}, 2 * BUDGET), list[Anomaly]()  # four share it
        for moment in range(STRANGE):
            assert events == [], "the pool is not full"
            events = detector.update(observation(span_of(moment), strangeness=z), 4)
        assert [(event.kind, event.cluster, event.joints) for event in events] == [("new behaviour", 4, ())] * begins


def test_a_pool_that_is_not_full_is_not_judged_at_first_nor_after_a_gap() -> None:
    detector = plane_detector({"misfit": TENFOLD, "strangeness": TENFOLD}, BUDGET)
    for gap in range(3):
        begun = []
        for moment in range(STRANGE):
            span = span_of(gap * STRANGE + moment, lost=gap)
            events = detector.update(observation(span, misfit=(HIGH, LOW), strangeness=HIGH))
            begun += [(event.kind, moment + 1) for event in events if event.phase == "begun"]
        assert begun == [("motion fault", MISFIT), ("new behaviour", STRANGE)]


@pytest.mark.parametrize(("over", "begins"), [(1.0, False), (1.001, True)])
def test_an_acceleration_that_no_body_has_is_a_fault_whatever_the_constants_say(over: float, begins: bool) -> None:
    body = FeatureMap(BODY, tuple(range(2, 15)))
    sensors, groups = len(body.sensor_joints), len(groups_of(body))
    detector = AnomalyDetector(
        AnomalyReference(body, made_up_anomaly(body, 2), 2), BODY.joints, MOMENT_S, budgets_of(2.1 * ONCE_IN_H)
    )
    jump, ones = np.ones(sensors), np.ones(sensors)
    jump[5] = over * body.representation.impossible
    seen = Observation(
        span_of(0),
        Sensed(jump, ones, ones),
        np.ones(groups),
        1.0,
        1.0,
        np.zeros(body.width, np.float32),
        NOTHING,
        ANY,
        ANY,
    )
    events = detector.update(seen)
    named = (BODY.joints[int(body.sensor_joints[5])],)
    assert [(event.kind, event.detector, event.joints) for event in events] == [
        ("sensor fault", "jump", named)
    ] * begins
    if begins:
        assert events[0].false_alarms_per_hour == pytest.approx(2 * ONCE_IN_H), "two scores share the budget"


def test_the_phases_of_an_anomaly_and_their_spans() -> None:
    events = feed(plane_detector(JUMP, BUDGET), [LOW] * 20 + [HIGH] * 700 + [LOW] * 40)
    assert phases(events) == ["begun", "confirmed", "persisting", "ended"]
    ends = [20, 20 + CONFIRMED - 1, 20 + PERSISTS - 1, 719]
    for event, end in zip(events, ends, strict=True):
        assert (event.anomaly, event.kind, event.detector) == (1, "sensor fault", "jump")
        assert (event.start_seq, event.start_us) == (span_of(20).start_seq, span_of(20).start_us)
        assert (event.end_seq, event.end_us) == (span_of(end).end_seq, span_of(end).end_us)
        assert event.ongoing is (event.phase != "ended")
        assert event.joints == ("x",)
        assert event.deviations == (HIGH,)
        assert event.false_alarms_per_hour == pytest.approx(BUDGET / 10)


def test_one_anomaly_of_each_kind_is_open_at_most() -> None:
    detector = plane_detector(dict.fromkeys(("jump", "misfit", "strangeness"), TENFOLD), BUDGET)
    events: list[Anomaly] = []
    for moment in range(40):
        kinds = [HIGH if moment >= begins else LOW for begins in (0, 10, 20)]
        events += detector.update(observation(span_of(moment), (kinds[0],) * 2, (kinds[1],) * 2, kinds[2]))
    begun = [event for event in events if event.phase == "begun"]
    assert [event.anomaly for event in begun] == [1, 2, 3]
    assert [Kind(event.kind) for event in begun] == list(Kind)
    assert [event.kind for event in detector.finish()] == [event.kind for event in begun]


def test_what_wavers_is_one_anomaly() -> None:
    """RELEASE is ten times, one z of TENFOLD."""
    wavering = [HIGH, LIMIT - 0.99] * 100
    assert phases(feed(plane_detector(JUMP, BUDGET), wavering)) == ["begun", "confirmed"]
    after = feed(plane_detector(JUMP, BUDGET), [HIGH] + [LIMIT - 0.99] * 3 * CALM + [LIMIT - 1.01] * CALM)
    assert phases(after) == ["begun", "confirmed", "ended"]
    assert after[-1].end_seq == span_of(3 * CALM).end_seq


def test_a_fault_that_stands_for_minutes_keeps_standing() -> None:
    events = feed(plane_detector(JUMP, BUDGET), [LOW] * 1000 + [LIMIT + 0.1] * 6000)
    assert phases(events) == ["begun", "confirmed", "persisting"]


def test_the_least_rate_is_the_severity() -> None:
    events = feed(plane_detector(JUMP, BUDGET), [LIMIT, LIMIT + 3, LIMIT + 1] + [LOW] * CALM)
    assert phases(events) == ["begun", "ended"]
    assert events[0].false_alarms_per_hour == pytest.approx(BUDGET)
    assert events[1].false_alarms_per_hour == pytest.approx(BUDGET / 1000)


def test_joints_are_those_of_the_columns_that_are_abnormal() -> None:
    detector = plane_detector({"misfit": TENFOLD, "jump": TENFOLD}, BUDGET)
    for moment in range(MISFIT - 1):
        assert detector.update(observation(span_of(moment), misfit=(HIGH, HIGH + 1))) == []
    (event,) = detector.update(observation(span_of(MISFIT - 1), misfit=(HIGH, HIGH + 1)))
    assert event.joints == ("y", "x")
    assert event.deviations == pytest.approx((HIGH + 1, HIGH))


# -- gaps and what is refused


def test_a_gap_ends_an_anomaly_where_it_was_last_abnormal() -> None:
    detector = plane_detector({"jump": TENFOLD, "misfit": TENFOLD}, BUDGET)
    for moment in range(10):
        detector.update(observation(span_of(moment), (HIGH, HIGH), (HIGH + 2, HIGH + 2)))
    events = detector.update(observation(span_of(10, lost=1)))
    assert [(event.phase, event.end_seq) for event in events] == [("ended", span_of(9).end_seq)] * 2
    assert detector.finish() == [], "pools began anew: half a second of misfit is forgotten"


def test_the_end_ends_an_anomaly() -> None:
    detector = plane_detector(JUMP, BUDGET)
    feed(detector, [HIGH, HIGH, LOW])
    (event,) = detector.finish()
    assert (event.phase, event.ongoing, event.end_seq) == ("ended", False, span_of(1).end_seq)
    assert detector.finish() == []


@pytest.mark.parametrize("budget", [0.0, -1.0, math.inf, math.nan])
@pytest.mark.parametrize("kind", Kind)
def test_a_budget_that_is_not_above_0_is_refused(kind: Kind, budget: float) -> None:
    with pytest.raises(LayoutError, match="expected false alarms an hour above 0, got"):
        AnomalyDetector(plane_reference({}), "xy", MOMENT_S, {**budgets_of(1.0), kind: budget})


@pytest.mark.parametrize("span", [span_of(8), Span(30, 33, 10**6, 2 * 10**6), Span(31, 34, 899_999, 2 * 10**6)])
def test_a_span_that_runs_backwards_is_refused_and_nothing_changes(span: Span) -> None:
    detector = plane_detector(JUMP, BUDGET)
    feed(detector, [HIGH] * 10)
    before = through_plain(detector.state())
    with pytest.raises(LayoutError, match="expected a span that begins at the end of"):
        detector.update(observation(span, (50.0, 50.0)))
    assert same(detector.state(), before)
