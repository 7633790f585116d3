"""An anomaly while it lasts: its phases, its spans, who is to blame, and the same again from a state."""

import math

import numpy as np
import pytest
from tests.support.anomaly_stream import span_of
from tests.support.plain_state import through_plain

from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.open_alarm import (
    CALM_S,
    CONFIRMED_S,
    PERSISTS_S,
    RELEASE,
    TOP,
    Judged,
    OpenAlarm,
)

MOMENT_S = 0.125
"""A sum of which is exact."""
CALM, CONFIRMED, PERSISTS = (round(seconds / MOMENT_S) for seconds in (CALM_S, CONFIRMED_S, PERSISTS_S))
LIMIT = math.log(0.5)
JOINTS = tuple("abcdefgh")
NORMAL = LIMIT + RELEASE + 0.01


def judged(moment: int, rate: float = LIMIT - 1, detector: str = "jump", **blamed: float) -> Judged:
    deviations = np.array([blamed.get(joint, -np.inf) for joint in JOINTS])
    return Judged(span_of(moment), rate, detector, deviations, np.where(deviations > 0, deviations, -np.inf))


def begun(**blamed: float) -> OpenAlarm:
    return OpenAlarm(7, Kind.SENSOR, MOMENT_S, judged(0, LIMIT - 1, "jump", **blamed))


def told(alarm: OpenAlarm, phase: str = "begun", cluster: int = 0) -> Anomaly:
    return alarm.report(JOINTS, phase, cluster)


def test_what_is_told_where_it_begins() -> None:
    first, deviations = span_of(0), {"a": 1.5, "c": 4.0}
    wanted = Anomaly(
        anomaly=7,
        ongoing=True,
        start_seq=first.start_seq,
        end_seq=first.end_seq,
        start_us=first.start_us,
        end_us=first.end_us,
        kind="sensor fault",
        detector="jump",
        phase="begun",
        false_alarms_per_hour=math.exp(LIMIT - 1),
        joints=("c", "a"),
        deviations=(4.0, 1.5),
        cluster=3,
    )
    assert told(begun(**deviations), cluster=3) == wanted


def test_it_is_confirmed_by_abnormal_moments_and_persists_by_its_age() -> None:
    alarm = begun()
    phases = ["begun", *(alarm.add(judged(moment), LIMIT) for moment in range(1, 2 * PERSISTS))]
    entered = {place + 1: phase for place, phase in enumerate(phases) if phase}  # by moments until then
    assert entered == {1: "begun", CONFIRMED: "confirmed", PERSISTS: "persisting"}


def test_calm_moments_between_do_not_confirm() -> None:
    alarm, phases = begun(), []
    for moment in range(1, 2 * CONFIRMED):
        rate = NORMAL if moment % 2 else LIMIT - 1
        phases.append(alarm.add(judged(moment, rate), LIMIT))
    assert [place + 1 for place, phase in enumerate(phases) if phase] == [2 * CONFIRMED - 2]


def test_it_persists_by_its_age_where_half_of_its_moments_are_calm() -> None:
    alarm = begun()
    rates = [NORMAL if moment % 2 else LIMIT - 1 for moment in range(1, 2 * PERSISTS)]
    phases = ["begun", *(alarm.add(judged(moment, rate), LIMIT) for moment, rate in enumerate(rates, 1))]
    assert phases.index("persisting") + 1 == PERSISTS + 1, "the first abnormal one after a minute"


def test_a_moment_short_of_calm_does_not_end_it() -> None:
    alarm = begun()
    phases = [alarm.add(judged(moment, NORMAL), LIMIT) for moment in range(1, CALM)]
    phases.append(alarm.add(judged(CALM), LIMIT))
    phases += [alarm.add(judged(CALM + moment, NORMAL), LIMIT) for moment in range(1, CALM + 1)]
    assert [phase for phase in phases if phase] == ["ended"]


def test_it_ends_where_it_was_last_abnormal_after_calm_moments() -> None:
    alarm = begun()
    for moment in range(1, 11):
        alarm.add(judged(moment), LIMIT)
    phases = [alarm.add(judged(10 + moment, NORMAL), LIMIT) for moment in range(1, CALM + 1)]
    assert phases == [""] * (CALM - 1) + ["ended"]
    end = told(alarm, "ended")
    assert (end.ongoing, end.start_seq, end.end_seq) == (False, span_of(0).start_seq, span_of(10).end_seq)
    assert (end.start_us, end.end_us) == (span_of(0).start_us, span_of(10).end_us)


@pytest.mark.parametrize(("above", "ends"), [(RELEASE - 1e-9, False), (RELEASE + 1e-9, True), (0.0, False)])
def test_a_moment_is_normal_again_only_well_above_where_anomalies_begin(above: float, ends: bool) -> None:
    alarm = begun()
    phases = [alarm.add(judged(moment, LIMIT + above), LIMIT) for moment in range(1, 3 * CALM)]
    assert ("ended" in phases) is ends


def test_an_abnormal_moment_begins_the_calm_anew() -> None:
    alarm = begun()
    rates = [LIMIT if moment % CALM == 0 else NORMAL for moment in range(1, 10 * CALM)]
    phases = [alarm.add(judged(moment, rate), LIMIT) for moment, rate in enumerate(rates, 1)]
    assert "ended" not in phases


def test_the_severity_is_the_least_rate_and_its_score_is_named() -> None:
    alarm = begun()
    alarm.add(judged(1, LIMIT - 5, "frozen"), LIMIT)
    alarm.add(judged(2, LIMIT - 2, "jump"), LIMIT)
    event = told(alarm)
    assert event.false_alarms_per_hour == pytest.approx(0.5 * math.exp(-5))
    assert event.detector == "frozen"


def test_a_calm_moment_changes_nothing_that_is_told() -> None:
    alarm = begun(a=1.0)
    before = told(alarm)
    alarm.add(judged(1, NORMAL, "frozen", b=50.0), LIMIT)
    assert told(alarm) == before


def test_joints_are_ranked_by_their_largest_deviation_and_the_first_are_named() -> None:
    alarm = begun(a=1, b=2, c=3, d=4)
    alarm.add(judged(1, a=9, e=3.5, f=-2, h=0.5), LIMIT)
    event = told(alarm)
    assert event.joints == ("a", "d", "e", "c", "b")
    assert event.deviations == (9, 4, 3.5, 3, 2)
    assert len(event.joints) == TOP
    assert told(begun(f=2, h=-1)).joints == ("f",), "who is less abnormal than usual is not to blame"
    assert told(begun(h=1, b=1)).joints == ("b", "h"), "of equals the first in the skeleton"


def test_a_stillness_that_is_just_too_long_names_its_joint() -> None:
    """Its score is 0 there, and a little less by rounding."""
    event = told(begun(f=-1e-9, h=-1))
    assert (event.joints, event.deviations) == (("f",), (0.0,))
    assert told(begun()).joints == (), "a score of the whole body names none"


def test_joints_are_those_of_the_detector_that_is_told() -> None:
    alarm = begun(a=4)
    alarm.add(judged(1, LIMIT - 5, "imbalance"), LIMIT)
    assert (told(alarm).detector, told(alarm).joints) == ("imbalance", ())
    alarm.add(judged(2, LIMIT - 9, "jump", b=3), LIMIT)
    assert (told(alarm).detector, told(alarm).joints) == ("jump", ("a", "b"))


def test_an_alarm_restored_from_its_state_goes_on_to_the_bit() -> None:
    rates = np.random.default_rng(0).normal(LIMIT + 1, 1.5, 3 * PERSISTS).tolist()
    for cut in (0, 1, CONFIRMED, 100, PERSISTS + 3):
        alarm = begun(a=1.0)
        for moment in range(1, cut + 1):
            detector = ("jump", "frozen")[moment % 2]
            assert alarm.add(judged(moment, min(rates[moment], LIMIT), detector, b=moment), LIMIT) != "ended"
        state = alarm.state()
        again = OpenAlarm.of(through_plain(state), MOMENT_S)
        for moment in range(cut + 1, len(rates)):
            phases = [each.add(judged(moment, rates[moment], b=moment), LIMIT) for each in (alarm, again)]
            assert phases[0] == phases[1]
            assert told(alarm) == told(again)
            if phases[0] == "ended":
                break
        assert again.state().keys() == state.keys()
