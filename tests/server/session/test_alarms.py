"""What a stream's moments and clusters say to the anomaly detector: what is new, and what is told of each moment."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest
from tests.support.anomaly_arrays import TENFOLD, Knots
from tests.support.anomaly_stream import MOMENT_S, plane_reference, span_of
from tests.support.made_up_session import PLACES, STRIDE, D, T, feed, made_up_bundle, motion
from tests.support.plain_state import same, through_plain
from tests.support.session_stories import send_all

from motionscribe_models.arrays import Array
from motionscribe_proto.events import Anomaly, AnomalyScores, Event
from motionscribe_server.session.alarms import RECURRED, Alarms
from motionscribe_server.session.anomaly.open_alarm import CALM_S
from motionscribe_server.session.anomaly.pose_model import LAGS
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.anomaly.table import SCORES
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import DPMeans
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions

FAR = np.array([-100.0, -100.0])
"""283 from the one behaviour of the made-up model, at 100 100."""
KNOWN = np.array([100.0, 100.0])
NEW = {"strangeness": TENFOLD}
STRANGE = round(SCORES["strangeness"].pooled_s / MOMENT_S)
"""Moments of its pool."""
AVERAGE = np.ones(2)


def model_of(knots: Mapping[str, Knots]) -> ServedModel:
    return ServedModel(made_up_bundle(knots=knots))


def alarms_of(knots: Mapping[str, Knots] = NEW, **options: object) -> Alarms:
    """Of the plane as something that moves."""
    return Alarms(model_of(knots), plane_reference(knots), SessionOptions(**options), PackedBook())  # type: ignore[arg-type]


def moment_at(number: int, embedding: Array, jump: float = 1.0) -> Moment:
    ones = np.ones(2)
    estimates = np.stack([KNOWN, embedding])  # the newest is the last
    frames = np.zeros((STRIDE, D), np.float32)
    sensed, inputs = Sensed(np.array([jump, 1.0]), ones, 1e-3 * ones), np.zeros(D * (1 + len(LAGS)))
    return Moment(span_of(number), sensed, frames, estimates, inputs, None, None)


def update(alarms: Alarms, moment: Moment, clusterer: DPMeans, misfit: Array = AVERAGE) -> list[Event]:
    """All but the misfit is measured."""
    (distances,) = plane_reference(NEW).distances_many(moment.estimates[-1:], moment.inputs[None])
    return alarms.update(moment, replace(distances, misfit=misfit), clusterer)


def told(alarms: Alarms, embedding: Array, clusterer: DPMeans, moments: int = 15) -> list[Event]:
    events: list[Event] = []
    for number in range(moments):
        events += update(alarms, moment_at(number, embedding), clusterer)
    return events


def learnt(at: Array, segments: int) -> DPMeans:
    """A clusterer that learnt so many segments there."""
    clusterer = DPMeans(D, radius=0.5)
    for _ in range(segments):
        clusterer.learn(at, 3.0)
    return clusterer


def test_a_behaviour_far_from_all_known_is_new() -> None:
    events = told(alarms_of(), FAR, DPMeans(D))
    assert [(event.kind, event.phase, event.cluster) for event in events if isinstance(event, Anomaly)] == [
        ("new behaviour", "begun", 0),
        ("new behaviour", "confirmed", 0),
    ]
    assert told(alarms_of(), KNOWN, DPMeans(D)) == [], "the training recordings showed it"


def test_a_posture_far_from_all_that_was_shown_is_new_until_the_stream_has_shown_it_twice() -> None:
    knots = {"unseen posture": TENFOLD}
    (begun, confirmed) = told(alarms_of(knots), FAR, DPMeans(D))
    assert isinstance(begun, Anomaly)
    assert (begun.detector, begun.phase) == ("unseen posture", "begun")
    assert isinstance(confirmed, Anomaly)
    assert told(alarms_of(knots), KNOWN, DPMeans(D)) == [], "the training recordings showed it"
    assert told(alarms_of(knots), FAR, learnt(FAR + 1.0, RECURRED - 1))
    assert told(alarms_of(knots), FAR, learnt(FAR + 1.0, RECURRED)) == []


@pytest.mark.parametrize("segments", [1, RECURRED, RECURRED + 3])
def test_what_the_stream_has_shown_in_two_segments_is_known(segments: int) -> None:
    events = told(alarms_of(), FAR + 1.0, learnt(FAR, segments))
    assert bool(events) is (segments < RECURRED)


def test_another_behaviour_than_that_of_the_cluster_is_new_and_the_cluster_is_named() -> None:
    clusterer = learnt(-FAR * [1.0, -10.0], RECURRED)  # far from both
    (begun, _) = told(alarms_of(), FAR, clusterer)
    assert isinstance(begun, Anomaly)
    assert begun.cluster == clusterer.clusters()[0].id > 0


def test_the_cluster_learns_while_the_anomaly_is_open_and_ends_it() -> None:
    alarms, clusterer, events = alarms_of(), DPMeans(D, radius=0.5), list[Event]()
    for number in range(80):
        if number in (20, 30):
            clusterer.learn(FAR, 3.0)
        events += update(alarms, moment_at(number, FAR), clusterer)
    assert [event.phase for event in events if isinstance(event, Anomaly)] == ["begun", "confirmed", "ended"]
    end = events[-1]
    assert isinstance(end, Anomaly)
    # strangeness is pooled over a second: the last moments of it wear off
    assert span_of(29).end_seq <= end.end_seq <= span_of(40).end_seq


def test_each_kind_has_the_budget_of_its_option() -> None:
    knots = dict.fromkeys(("jump", "misfit", "strangeness"), TENFOLD)
    zs = {"sensor fault": 5.5, "motion fault": 5.5, "new behaviour": np.log(np.linalg.norm(FAR - KNOWN))}
    for kind, option in zip(zs, ("sensor_false_alarms", "motion_false_alarms", "behaviour_false_alarms"), strict=True):
        rate = 36_000 / 10 ** zs[kind] * {"sensor fault": 2, "motion fault": 3, "new behaviour": 4}[kind]
        for budget, begins in ((rate * 1.01, True), (rate * 0.99, False)):
            other = dict.fromkeys(("sensor_false_alarms", "motion_false_alarms", "behaviour_false_alarms"), 1e-9)
            alarms = alarms_of(knots, **{**other, option: budget})
            events = list[Event]()
            for number in range(STRANGE):  # until all pools of these scores are full
                moment = moment_at(number, FAR, np.exp(5.5))
                events += update(alarms, moment, DPMeans(D), np.exp([5.5, 0.0]))
            anomalies = [event for event in events if isinstance(event, Anomaly)]
            assert [event.kind for event in anomalies if event.phase == "begun"] == [kind] * begins
            assert {event.kind for event in anomalies} == ({kind} if begins else set())


def test_scores_of_each_moment_are_told_to_who_asked_for_them() -> None:
    events = told(alarms_of(anomaly_scores=True), FAR, DPMeans(D))
    scores = [event for event in events if isinstance(event, AnomalyScores)]
    assert [(score.start_seq, score.end_us) for score in scores] == [
        (span_of(number).start_seq, span_of(number).end_us) for number in range(15)
    ]
    rate = 4 * 36_000 / 10 ** np.log(np.linalg.norm(FAR - KNOWN))  # four scores share the budget
    usual = 3600 / MOMENT_S  # of any moment, as long as the pool is not full
    filling = STRANGE - 1
    assert [score.behaviour for score in scores] == pytest.approx([usual] * filling + [rate] * (15 - filling))
    assert all(score.sensor == score.motion == pytest.approx(usual) for score in scores)
    others = told(alarms_of(), FAR, DPMeans(D))
    assert others == [event for event in events if isinstance(event, Anomaly)]


def test_a_session_tells_scores_of_all_moments() -> None:
    model = model_of({"jump": TENFOLD})
    frames = motion([(0, 30), (1, 30)])
    for asked in (True, False):
        stream = feed(model, SessionOptions(anomaly_scores=asked, sensor_false_alarms=1e-9))
        events = [event for event in send_all(stream, frames) + stream.close() if isinstance(event, AnomalyScores)]
        assert len(events) == (60 - T // STRIDE if asked else 0), "all whose window was full"
        assert all(one.end_seq == other.start_seq for one, other in pairwise(events))


def test_a_session_tells_of_a_sensor_that_jumps_and_that_the_stream_ends() -> None:
    model = model_of({"jump": ((0.0, 1.0), (20.0, 19.0))})
    frames = motion([(0, 60)], noise=0.0)
    frames[90, 0] += 5000.0
    stream = feed(model, SessionOptions(sensor_false_alarms=np.exp(12)))
    events = [event for event in send_all(stream, frames) if isinstance(event, Anomaly)]
    assert [(event.phase, event.joints[:1]) for event in events] == [("begun", ("x",)), ("ended", ("x",))]
    assert events[0].start_seq <= 91 < events[0].end_seq


def test_a_moment_with_an_open_fault_is_not_learnt_when_its_label_is_final() -> None:
    """A fault of the fifth moment alone, which stays open for two seconds; labels are final three moments later."""
    alarms, clusterer = alarms_of({"jump": TENFOLD}), DPMeans(D)
    fine = []
    for number in range(50):
        update(alarms, moment_at(number, KNOWN, np.exp(9.0) if number == 5 else 1.0), clusterer)
        if number >= 3:
            alarms.make_final(span_of(number - 3), 1 + number)  # each has a visit of its own
            fine.append(bool(alarms.state()["order"]["visit"][-1]))
    faulty = np.flatnonzero(~np.array(fine)).tolist()
    assert faulty == [*range(5, 5 + round(CALM_S / MOMENT_S))]


STEP = 25
"""Moments."""
USUAL = [(place, STEP) for place in (0, 1, 2, 3)]
"""Places of a cycle, each for so long."""


def behaviour(script: list[tuple[int, int]]) -> list[Anomaly]:
    """Anomalies of a session of its motion. Its budget is large, for minutes have to be enough."""
    stream = feed(model_of({}), SessionOptions(behaviour_false_alarms=150.0, lag="fast"))
    return [event for event in send_all(stream, motion(script)) + stream.close() if isinstance(event, Anomaly)]


def test_a_session_tells_of_a_wrong_order_and_of_an_action_that_lasts() -> None:
    before = 25 * len(USUAL) * STEP
    (order, ended) = behaviour(USUAL * 25 + [USUAL[0], USUAL[2], USUAL[3], USUAL[0]])
    assert (order.kind, order.detector, order.phase, ended.phase) == ("new behaviour", "order", "begun", "ended")
    assert before + STEP <= order.start_seq / STRIDE < before + 2 * STEP, "while the wrong action lasts"
    events = behaviour(USUAL * 25 + [USUAL[0], (1, 4 * STEP), USUAL[2]])
    assert {(event.kind, event.detector) for event in events} == {("new behaviour", "duration")}
    assert [event.phase for event in events] == ["begun", "confirmed", "ended"]
    assert before + 2 * STEP < events[0].start_seq / STRIDE < before + 4 * STEP, "once it is longer than usual"


def test_merged_clusters_are_one_action_to_the_order() -> None:
    stream = feed(model_of({}), SessionOptions())
    send_all(stream, motion(USUAL * 6))
    stream.session.merge([2], 1)
    order = stream.session.state()["labelling"]["alarms"]["order"]
    assert 2 not in chain.from_iterable(step[:2] for step in order["steps"]["counts"])
    assert sorted(id for id, *_ in order["durations"]["usual"]) == [1, 3, 4]


def test_alarms_restored_from_their_state_go_on_to_the_bit() -> None:
    one, again, clusterer = alarms_of(), alarms_of(), DPMeans(D)
    told(one, FAR, clusterer, 10)
    again.restore(through_plain(one.state()))
    for number in range(10, 60):
        moment = moment_at(number, KNOWN if number > 20 else FAR)
        assert update(one, moment, clusterer) == update(again, moment, clusterer)
    assert same(one.state(), again.state())
    assert one.finish() == again.finish() == []


def test_places_of_the_made_up_model_are_far_from_its_behaviour() -> None:
    """What other tests of sessions rely on: no alarm of theirs comes from the places."""
    assert np.linalg.norm(np.array(PLACES) - KNOWN, axis=1).min() > 100
