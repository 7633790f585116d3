"""The score of falls: who stands, squats, runs, lies."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.anomaly_stream import ANY, NOTHING, PLANE, span_of

from motionscribe_models.arrays import Array
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.proportions import REST
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_server.session.anomaly.imbalance import REACH, STANDS, Imbalance
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.anomaly.table import scores_of

ANKLES = [SEEN.index("left_ankle"), SEEN.index("right_ankle")]


def imbalance(places: Array, height: float) -> float:
    """Of joints (13, 3) about the pelvis, and the pelvis' height."""
    ones, root = np.ones(1), [height, 0, 0, 0, 0]
    features = np.r_[places.reshape(-1), root].astype(np.float32)
    moment = Observation(span_of(0), Sensed(ones, ones, ones), ones, 1.0, 1.0, features, NOTHING, ANY, ANY)
    (score,) = Imbalance.measure(moment)
    return math.log(score)


def standing(middle: tuple[float, float, float]) -> Array:
    """Ankles half a size apart below the pelvis; the mean of all joints is `middle`."""
    places = np.zeros((len(SEEN), 3))
    places[ANKLES] = [[-0.25, -0.5, 0], [0.25, -0.5, 0]]
    others = [n for n in range(len(SEEN)) if n not in ANKLES]
    places[others] = (len(SEEN) * np.array(middle) - places.sum(axis=0)) / len(others)
    return places


def test_a_body_at_rest_is_in_balance() -> None:
    height = -REST[ANKLES, 1].min()
    assert imbalance(REST, float(height)) <= 0.2


def test_both_must_be_abnormal() -> None:
    low = STANDS / 4
    assert imbalance(standing((0, 0, 0)), low) == pytest.approx(0, abs=1e-6), "who squats is above their feet"
    assert imbalance(standing((0, 0, REACH)), STANDS) == pytest.approx(0, abs=1e-6), "who runs is not low"
    assert imbalance(standing((0, 0, REACH)), low) == pytest.approx(0.75, abs=1e-6)


def test_between_the_feet_is_above_them() -> None:
    assert imbalance(standing((0.25, 0, 0)), 0.1) == pytest.approx(0, abs=1e-6)
    assert imbalance(standing((0.35, 0, 0)), 0.1) == pytest.approx(0.1 / REACH, abs=1e-6)


@given(st.floats(0, 2 * math.pi))
def test_the_way_that_a_body_faces_does_not_count(angle: float) -> None:
    turn = np.array([[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]])
    places = standing((0.4, 0.05, 0.3))
    assert imbalance(places @ turn, 0.2) == pytest.approx(imbalance(places, 0.2), abs=1e-5)


def test_feet_in_one_place_are_a_point() -> None:
    places = standing((0.3, 0, 0.4))
    places[ANKLES] = 0
    x, y, z = places.mean(axis=0)
    assert imbalance(places, 0.0) == pytest.approx(min(1 - y / STANDS, math.hypot(x, z) / REACH), abs=1e-6)


def test_only_bodies_in_space_have_it() -> None:
    having = [name for name, representation in REPRESENTATIONS.items() if Imbalance in scores_of(representation)]
    assert having == ["body"]
    assert Imbalance not in scores_of(PLANE.representation)
