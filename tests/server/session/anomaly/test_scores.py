"""Each score of the table: what it measures, what its normal is, and how that is fitted."""

import math

import numpy as np
import pytest
from tests.support.anomaly_arrays import TENFOLD, made_up_anomaly
from tests.support.anomaly_stream import ANY, MOMENT_S, NOTHING, PLANE, budgets_of, span_of
from tests.support.made_up_session import D

from motionscribe_models.arrays import Array
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.detector import AnomalyDetector
from motionscribe_server.session.anomaly.frozen import LEAST_S, LONGER, NEVER_S, ONCE_IN_H, SUDDEN, Frozen
from motionscribe_server.session.anomaly.jump import Jump
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.misfit import Misfit
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.rates import log_rate
from motionscribe_server.session.anomaly.reference import AnomalyReference, normal_of, rates_of
from motionscribe_server.session.anomaly.score import LEAST_SPREAD, SIGMAS, STEEPEST, TINY
from motionscribe_server.session.anomaly.sensed import STEADY_S, Sensed
from motionscribe_server.session.anomaly.strangeness import Strangeness, UnseenPosture
from motionscribe_server.session.anomaly.table import SCORES

FEATURES = np.zeros(2, np.float32)
MOMENT = Observation(
    span_of(0),
    Sensed(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([0.5, 0.6])),
    np.array([7.0, 8.0]),
    9.0,
    9.5,
    np.zeros(2, np.float32),
    np.array([10.0, 11.0, 12.0]),
    0.25,
    0.125,
)


@pytest.mark.parametrize(
    ("name", "numbers", "kind"),
    [
        ("jump", [1, 2], Kind.SENSOR),
        ("frozen", [0.5, 0.6], Kind.SENSOR),
        ("misfit", [7, 8], Kind.MOTION),
        ("lasting misfit", [7, 8], Kind.MOTION),
        ("tremor", [3, 4], Kind.MOTION),
        ("shift", [10, 11, 12], Kind.MOTION),
        ("strangeness", [9], Kind.BEHAVIOUR),
        ("unseen posture", [9.5], Kind.BEHAVIOUR),
        ("order", [4], Kind.BEHAVIOUR),
        ("duration", [8], Kind.BEHAVIOUR),
    ],
)
def test_what_a_score_measures(name: str, numbers: list[float], kind: Kind) -> None:
    assert SCORES[name].measure(MOMENT).tolist() == numbers
    assert SCORES[name].kind is kind
    sensors, groups = (frozenset([0]), frozenset([1])), (frozenset([0]), frozenset([1]), frozenset([0, 1]))
    wanted = {Kind.SENSOR: sensors, Kind.MOTION: groups, Kind.BEHAVIOUR: (frozenset(),)}[kind]
    wanted = {"tremor": sensors, "shift": (*sensors, *sensors, *groups)}.get(name, wanted)
    assert SCORES[name].columns(sensors, groups) == wanted


def test_the_table_has_the_names_of_the_scores() -> None:
    assert all(name == score.name for name, score in SCORES.items())


# -- what is normal


def fitted(logs: Array, vigour: Array) -> Array:
    """a, b, s and the least vigour of one column."""
    normal: Array = Jump.fit_normal(logs[:, None], vigour[:, None])[:, 0]
    return normal


@pytest.mark.parametrize("slope", [0.0, 0.4, 1.2])
def test_the_normal_of_noise_about_a_line(slope: float) -> None:
    rng = np.random.default_rng(0)
    vigour = rng.normal(2, 1, 50_000)
    a, b, s, least = fitted(3 + slope * vigour + rng.normal(0, 0.5, 50_000), vigour)
    assert (a, b, s) == (pytest.approx(3, abs=0.05), pytest.approx(slope, abs=0.02), pytest.approx(0.5, abs=0.03))
    assert least == pytest.approx(2 - 2.326, abs=0.05), "one moment in a hundred has less"


def test_the_slope_has_limits() -> None:
    vigour = np.linspace(-1, 1, 1000)
    assert fitted(-2 * vigour, vigour)[1] == 0
    assert fitted(5 * vigour, vigour)[1] == STEEPEST
    assert fitted(np.zeros(1000), np.ones(1000)).tolist() == [0, 0, LEAST_SPREAD, 1], "vigour that says nothing"


def test_the_spread_is_that_of_the_tail() -> None:
    """One moment in a hundred lies far out: a normal distribution of that deviation would reach as far."""
    rest = np.zeros(10_000)
    rest[::100] = SIGMAS
    assert fitted(rest, np.zeros(10_000)) == pytest.approx([0, 0, 1, 0])


# -- frozen


def frozen_normal(longest_s: float) -> Array:
    """A of a sensor that stands still for so long now and then."""
    logs = np.full((1000, 1), np.log(TINY))
    logs[::20] = np.log(longest_s)
    a, b, s, _ = Frozen.fit_normal(logs, np.zeros((1000, 1)))[:, 0]
    assert (b, s) == (0, 1)
    return np.asarray(a)


def test_allowed_stillness_is_longer_than_the_longest_of_normal_motion() -> None:
    assert frozen_normal(0.8) == pytest.approx(np.log(LONGER * 0.8))
    assert frozen_normal(0.01) == pytest.approx(np.log(LEAST_S))


def test_a_sensor_that_often_stands_still_says_nothing_by_it() -> None:
    z = np.log(STEADY_S) - frozen_normal(NEVER_S + 0.05)
    assert log_rate(Frozen.fit_rates([], MOMENT_S), float(z)) == pytest.approx(math.log(3600 / MOMENT_S))


def test_a_longer_stillness_is_as_much_rarer_as_it_is_longer() -> None:
    knots = Frozen.fit_rates([], MOMENT_S)
    assert log_rate(knots, math.log(10)) == pytest.approx(math.log(ONCE_IN_H / 10))


def test_an_alarm_is_due_where_stillness_is_longer_than_allowed() -> None:
    knots = Frozen.fit_rates([], MOMENT_S)
    assert log_rate(knots, 0.0) == pytest.approx(math.log(ONCE_IN_H))
    assert log_rate(knots, -1.0) == log_rate(knots, -SUDDEN) == pytest.approx(math.log(3600 / MOMENT_S))


def frozen_detector() -> AnomalyDetector:
    """Of the plane, whose sensors never stood still; all other scores say nothing."""
    arrays = made_up_anomaly(PLANE, D)
    never = np.full((1000, 2), np.log(TINY))
    arrays[normal_of("frozen")] = Frozen.fit_normal(never, np.zeros((1000, 2)))
    arrays[rates_of("frozen")] = Frozen.fit_rates([], MOMENT_S)
    return AnomalyDetector(AnomalyReference(PLANE, arrays, D), ("x", "y"), MOMENT_S, budgets_of(0.5))


def still_events(stills: list[float]) -> list[Anomaly]:
    """Of moments in which sensor x has stood still for so many seconds."""
    detector, ones = frozen_detector(), np.ones(2)
    events: list[Anomaly] = []
    for moment, still in enumerate(stills):
        sensed = Sensed(ones, ones, np.array([still, 0.0]))
        events += detector.update(Observation(span_of(moment), sensed, ones, 1.0, 1.0, FEATURES, NOTHING, ANY, ANY))
    return events


def test_a_sensor_that_stands_still_is_at_fault_until_it_moves() -> None:
    stills = [0.0] * 10 + [min(0.1 * n, STEADY_S) for n in range(50)] + [0.0] * 30
    events = still_events(stills)
    assert [event.phase for event in events] == ["begun", "confirmed", "ended"]
    assert span_of(12).start_us <= events[0].start_us <= span_of(14).start_us
    assert events[-1].end_us == span_of(59).end_us
    assert events[1].joints == ("x",)


def test_the_first_event_of_a_frozen_sensor_names_it() -> None:
    events = still_events([0.0, 0.0, 0.2667, 0.3667])
    assert events[0].joints == ("x",)


def test_no_stillness_shorter_than_allowed_is_an_alarm() -> None:
    assert still_events([0.0, 0.1, 0.9 * LEAST_S, 0.0]) == []


# -- tremor


def test_who_stands_perfectly_still_does_not_tremble() -> None:
    arrays = made_up_anomaly(PLANE, D, {"tremor": TENFOLD})
    arrays[normal_of("tremor")][1] = 1.5
    detector = AnomalyDetector(AnomalyReference(PLANE, arrays, D), ("x", "y"), MOMENT_S, budgets_of(0.5))

    def still_moment(moment: int) -> Observation:
        nothing = np.zeros(2)
        return Observation(
            span_of(moment), Sensed(nothing, nothing, nothing), np.ones(2), 1.0, 1.0, FEATURES, NOTHING, ANY, ANY
        )

    events = [event for moment in range(30) for event in detector.update(still_moment(moment))]
    assert events == []


# -- new behaviour


@pytest.mark.parametrize("score", [Strangeness, UnseenPosture])
def test_what_one_recording_alone_shows_sets_no_threshold(score: type[Strangeness]) -> None:
    rng = np.random.default_rng(0)
    usual, strange = [rng.normal(size=300) for _ in range(3)], rng.normal(8.0, size=300)  # a quarter
    found = score.fit_rates([*usual[:2], strange, *usual[2:]], MOMENT_S)
    np.testing.assert_allclose(found, Misfit.fit_rates(usual, MOMENT_S))


def test_no_more_than_a_part_of_normal_motion_is_left_out_as_strange() -> None:
    rng = np.random.default_rng(0)
    few = [rng.normal(size=300), rng.normal(8.0, size=300)]
    np.testing.assert_allclose(Strangeness.fit_rates(few, MOMENT_S), Misfit.fit_rates(few, MOMENT_S))
