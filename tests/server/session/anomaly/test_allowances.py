"""What a user called normal is no alarm, what is worse or elsewhere is one, and what is taken back was never said."""

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.anomaly_arrays import TENFOLD
from tests.support.anomaly_stream import (
    BUDGET,
    LIMIT,
    LOW,
    MOMENT_S,
    PLANE,
    budgets_of,
    feed,
    observation,
    phases,
    plane_detector,
    plane_reference,
    span_of,
)
from tests.support.made_up_session import SKELETON
from tests.support.plain_state import same, through_plain

from motionscribe_models.arrays import Array
from motionscribe_proto.events import Anomaly
from motionscribe_proto.verdicts import VERDICTS, Verdict
from motionscribe_server.errors import ExhaustedError, NotFoundError
from motionscribe_server.session.anomaly.allowances import MARGIN, Allowances
from motionscribe_server.session.anomaly.detector import AnomalyDetector
from motionscribe_server.session.anomaly.frozen import LONGEST_EXCUSED, Frozen
from motionscribe_server.session.anomaly.jump import Jump
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.rates import log_rate, z_at
from motionscribe_server.session.anomaly_book import AnomalyBook, Fired, KeptAnomaly, PackedBook

SCORES = dict.fromkeys(("jump", "misfit", "tremor", "strangeness"), TENFOLD)
CALM = 25
"""Moments until an anomaly has ended."""
RELEASED = LIMIT - 1
"""The z at which a moment is normal again: ten times more often than LIMIT."""


def jumps(detector: AnomalyDetector, z: float, first: int, other: float = LOW) -> list[Anomaly]:
    """A moment in which sensors x and y jump so far, and calm ones."""
    events = detector.update(observation(span_of(first), (z, other)))
    return events + feed(detector, [LOW] * CALM, first + 1)


@pytest.fixture
def detector() -> AnomalyDetector:
    return plane_detector({"jump": TENFOLD}, BUDGET)


def test_the_same_is_no_alarm_and_a_greater_one_is(detector: AnomalyDetector) -> None:
    (begun, end) = jumps(detector, LIMIT + 2, 0)
    assert (begun.anomaly, begun.phase, end.phase) == (1, "begun", "ended")
    assert detector.mark(1, "normal") == []
    assert jumps(detector, LIMIT + 2, 100) == []
    assert jumps(detector, LIMIT + 2.4, 200) == [], "a little higher is the same"
    assert phases(jumps(detector, LIMIT + 2 + 1 + MARGIN + 0.1, 300)) == ["begun", "ended"]


def test_of_what_did_not_fire_nothing_changes(detector: AnomalyDetector) -> None:
    jumps(detector, LIMIT + 2, 0)
    detector.mark(1, "normal")
    (begun, *_) = jumps(detector, LIMIT + 2, 100, other=LIMIT + 0.1)
    assert begun.joints[0] == SKELETON.joints[PLANE.sensor_joints[1]], "the other one is to blame"
    assert begun.deviations[0] == pytest.approx(LIMIT + 0.1)


def test_another_score_of_the_same_kind_is_not_allowed_more() -> None:
    knots = {"misfit": TENFOLD, "tremor": TENFOLD}
    allowances = Allowances(plane_reference(knots), {kind: math.log(BUDGET) for kind in Kind})
    fired = (Fired("misfit", (1,), (9.0,)),)
    allowed = allowances.of([KeptAnomaly(anomaly(1), fired, "normal")])
    assert np.flatnonzero(allowed).tolist() == [slice_of("misfit").start + 1]


def test_one_that_is_open_ends_at_once_and_begins_again_where_it_climbs(detector: AnomalyDetector) -> None:
    assert phases(feed(detector, [LIMIT + 1])) == ["begun"]
    (end,) = detector.mark(1, "normal")
    assert (end.anomaly, end.phase, end.ongoing, end.end_seq) == (1, "ended", False, span_of(0).end_seq)
    assert feed(detector, [LIMIT + 1] * 50, 1) == []
    (again,) = feed(detector, [LIMIT + 4], 51)
    assert (again.anomaly, again.phase) == (2, "begun")
    detector.mark(1, "none")
    assert [kept.verdict for kept in detector.book.unpack()] == ["none", "none"]


def test_a_fault_that_is_open_goes_on(detector: AnomalyDetector) -> None:
    feed(detector, [LIMIT + 1])
    assert detector.mark(1, "fault") == []
    assert phases(feed(detector, [LIMIT + 1] * 5 + [LOW] * CALM, 1)) == ["confirmed", "ended"]


def test_there_is_a_limit_to_what_may_be_normal(detector: AnomalyDetector) -> None:
    high = RELEASED + Jump.most_allowed
    for moment, z in enumerate([high + 3, high + 4]):
        (begun, *_) = jumps(detector, z, 100 * moment)
        detector.mark(begun.anomaly, "normal")
    assert jumps(detector, high - 0.1, 200) == []
    assert phases(jumps(detector, high + 3, 300)) == ["begun", "ended"], "however often it was called normal"


def test_a_feed_that_stands_still_for_minutes_is_told_for_ever() -> None:
    knots = (np.array([-1e-6, 0.0]), np.array([math.log(36000), math.log(0.001)]))
    reference = plane_reference({"frozen": ((-1e-6, 0.0), (knots[1][0], knots[1][1]))})
    level = {kind: math.log(BUDGET) for kind in Kind}
    still_for_an_hour = Fired(Frozen.name, (0,), (math.log(3600 / 0.3),))
    allowed = Allowances(reference, level).of([KeptAnomaly(anomaly(1), (still_for_an_hour,), "normal")])
    assert allowed.max() == pytest.approx(math.log(LONGEST_EXCUSED))
    assert log_rate(np.array(knots), math.log(60 / 3) - allowed.max()) < math.log(1e-3), "of three seconds, a minute"


def test_a_jump_that_no_body_can_make_stays_an_alarm() -> None:
    reference = plane_reference({"jump": TENFOLD})
    reference.impossible = math.exp(LIMIT + 1)
    detector = AnomalyDetector(reference, SKELETON.joints, MOMENT_S, budgets_of(BUDGET))
    for moment, z in enumerate([LIMIT + 2, LIMIT + 0.9, LIMIT + 2]):
        events = jumps(detector, z, 100 * moment)
        assert phases(events) == ([] if moment == 1 else ["begun", "ended"])
        if events:
            detector.mark(events[0].anomaly, "normal")


def test_slack_is_not_earned_by_what_is_allowed(detector: AnomalyDetector) -> None:
    jumps(detector, LIMIT + 2, 0)
    detector.mark(1, "normal")
    feed(detector, [LIMIT + 2] * 1500, 100)
    slack: Array = detector.state()["habits"]["slack"]
    assert detector.state()["habits"]["learnt"] > 1000
    assert slack[0] == 0, "sensor y did not jump"


def test_what_was_said_in_an_earlier_session_holds_and_ids_count_on(detector: AnomalyDetector) -> None:
    jumps(detector, LIMIT + 2, 0)
    jumps(detector, LIMIT + 5, 100)
    detector.mark(1, "normal")
    reference = plane_reference({"jump": TENFOLD})
    later = AnomalyDetector(reference, SKELETON.joints, MOMENT_S, budgets_of(BUDGET), detector.book)
    assert jumps(later, LIMIT + 2, 0) == []
    (begun, *_) = jumps(later, LIMIT + 5, 100)
    assert begun.anomaly == 3
    later.mark(1, "none")
    assert phases(jumps(later, LIMIT + 2, 200)) == ["begun", "ended"]


def test_a_verdict_that_is_refused_leaves_no_trace(detector: AnomalyDetector) -> None:
    feed(detector, [LIMIT + 2] * 2)
    before = through_plain(detector.state())
    with pytest.raises(NotFoundError):
        detector.mark(2, "normal")
    assert same(detector.state(), before)


# -- any order


def anomaly(id: int) -> Anomaly:
    return Anomaly(id, False, 1, 2, 3, 4, "motion fault", "misfit", "ended", 0.1, (), (), 0)


REFERENCE = plane_reference(SCORES)
ALLOWANCES = Allowances(REFERENCE, {kind: math.log(BUDGET) for kind in Kind})


def slice_of(score: str) -> slice:
    return next(own for each, own in REFERENCE.layout.slices() if each.name == score)


def _fired(score: str, peaks: list[float]) -> Fired:
    return Fired(score, tuple(range(len(peaks))), tuple(peaks))


NAMES = st.sampled_from([*SCORES, "a score of another server"])
FIRED = st.lists(st.builds(_fired, NAMES, st.lists(st.floats(3, 20), max_size=3)), max_size=3).map(tuple)
BOOKS = st.lists(FIRED, min_size=1, max_size=5)


@given(BOOKS, st.lists(st.tuples(st.integers(1, 5), st.sampled_from(VERDICTS)), max_size=12), st.randoms())
def test_marks_in_any_order_allow_what_the_remaining_ones_allow_alone(
    fired: list[tuple[Fired, ...]], marks: list[tuple[int, Verdict]], chance: Random
) -> None:
    book, alone = AnomalyBook(PackedBook()), AnomalyBook(PackedBook())
    for each in fired:
        book.put(anomaly(book.begin()), each)
        alone.put(anomaly(alone.begin()), each)
    last: dict[int, Verdict] = {}
    for id, verdict in marks:
        if id <= len(fired):
            book.mark(id, verdict)
            last[id] = verdict
    remaining = list(last.items())
    chance.shuffle(remaining)
    for id, verdict in remaining:
        if verdict != "none":
            alone.mark(id, verdict)
    assert book.packed() == alone.packed()
    normal = [kept for kept in book.kept if last.get(kept.event.anomaly) == "normal"]
    chance.shuffle(normal)
    allowed = ALLOWANCES.of(normal)
    assert np.array_equal(ALLOWANCES.of(book.kept), allowed)
    assert ((allowed >= 0) & (allowed <= 6)).all()
    largest = np.max([np.zeros_like(allowed), *(ALLOWANCES.of([kept]) for kept in normal)], axis=0)
    assert np.array_equal(allowed, largest), "of several the largest"


@given(st.lists(st.tuples(st.floats(-1, 9), st.sampled_from(VERDICTS)), min_size=1, max_size=40), st.integers(0, 40))
def test_a_detector_restored_from_its_state_has_all_that_was_said(story: list[tuple[float, Verdict]], cut: int) -> None:
    one, again = plane_detector(SCORES, BUDGET), plane_detector(SCORES, BUDGET)
    for moment, (z, verdict) in enumerate(story):
        if moment == cut:
            again.restore(through_plain(one.state()))
        both = [one, again] if moment >= cut else [one]
        seen = observation(span_of(moment), (z, LOW), (LOW, z))
        told = [each.update(seen, 2) for each in both]
        ids = [kept.event.anomaly for kept in one.book.unpack()]
        if ids:
            told = [new + each.mark(ids[moment % len(ids)], verdict) for new, each in zip(told, both, strict=True)]
        assert told[0] == told[-1]
    if cut < len(story):
        assert same(again.state(), one.state())


@given(st.floats(-20, 20))
def test_a_z_is_where_its_rate_is(z: float) -> None:
    knots = np.array([[-3.0, 0.0, 1.0, 2.5], [9.0, 5.0, 4.0, 2.0]])
    assert z_at(knots, log_rate(knots, z)) == pytest.approx(max(z, -3.0))


def test_more_than_there_may_be_is_refused_before_anything_is_done() -> None:
    book = AnomalyBook(PackedBook())
    for _ in range(65):
        id = book.begin()
        book.put(replace(anomaly(id), ongoing=True), ())
        if id < 65:
            book.mark(id, "fault")
    reference = plane_reference({"jump": TENFOLD})
    full = AnomalyDetector(reference, SKELETON.joints, MOMENT_S, budgets_of(BUDGET), book.packed())
    feed(full, [LIMIT + 2])
    with pytest.raises(ExhaustedError):
        full.mark(66, "normal")
    assert full.book.unpack()[-1].event.ongoing
