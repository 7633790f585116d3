"""Figures out of features: what a clip shows is the motion itself, but on the spot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import DERIVED, JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.features import FeatureMap
from motionscribe_models.skeleton import Skeleton

PERIOD = 1 / 30.0
CHOSEN = tuple(range(len(DERIVED), len(JOINTS)))
PLAY = mapped(perform([("walk", 3.0), ("squat", 3.0)], seed=1).recording).frames[::4].astype(np.float64)


def figure_of(skeleton: Skeleton, joints: tuple[int, ...], frames: np.ndarray) -> np.ndarray:
    features = FeatureMap(skeleton, joints)
    found = features.figure(features.features(features.pose(frames), PERIOD))
    assert found is not None
    return found


def apart(frames: np.ndarray, axes: int) -> np.ndarray:
    """Distances between all joints, (n, J, J)."""
    places = frames.reshape(len(frames), -1, axes)
    found: np.ndarray = np.linalg.norm(places[:, :, None] - places[:, None], axis=3)
    return found


def test_a_body_keeps_its_shape_and_stands_on_the_floor() -> None:
    still = np.repeat(PLAY[-1:], 60, axis=0)
    found = figure_of(BODY, CHOSEN, still)
    assert found.shape == (60, len(BODY.columns))
    ratio = apart(found[-1:, :-1], 3)[0] / np.where(np.eye(len(JOINTS)), 1, apart(still[-1:, :-1], 3)[0])
    sizes = ratio[~np.eye(len(JOINTS), dtype=bool)]
    assert sizes.std() < 0.01 * sizes.mean(), "the body has another size, and its own shape"
    places = found[-1, :-1].reshape(-1, 3)
    assert abs(places[[JOINTS.index("left_ankle"), JOINTS.index("right_ankle")], 1].min()) < 0.1
    assert places[JOINTS.index("head"), 1] > 1.2
    assert places[JOINTS.index("left_hip"), 0] > places[JOINTS.index("right_hip"), 0], "it faces along z"


@settings(max_examples=10)
@given(st.floats(-5, 5), st.floats(-5, 5))
def test_nobody_sees_where_it_was(x: float, z: float) -> None:
    moved = PLAY.copy()
    moved[:, :-1] += np.tile([x, 0, z], len(JOINTS))
    np.testing.assert_allclose(figure_of(BODY, CHOSEN, moved), figure_of(BODY, CHOSEN, PLAY), atol=2e-3)


def test_a_body_in_an_image_is_drawn_in_the_plane() -> None:
    flat = np.hstack([PLAY[:, :-1].reshape(len(PLAY), -1, 3)[:, :, :2].reshape(len(PLAY), -1), PLAY[:, -1:]])
    found = figure_of(BODY2D, CHOSEN, flat)
    assert found.shape == (len(PLAY), len(BODY2D.columns))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("up", "units"), [("y", 1.0), ("-z", 0.001)])
def test_positions_are_those_of_the_frames_about_the_first_joint(up: str, units: float) -> None:
    frames = np.random.default_rng(3).normal(0, 1, (20, 12)) / units
    skeleton = Skeleton("four", tuple("abcd"), (-1, 0, 1, 2), "positions", "u", units, up, 30.0)
    found = figure_of(skeleton, (1, 2, 3), frames)
    np.testing.assert_allclose(apart(found, 3), apart(frames, 3), rtol=1e-4, atol=1e-4 / units)
    axis = "xyz".index(up[-1])
    np.testing.assert_allclose(found[:, axis], frames[:, axis], rtol=1e-4, atol=1e-4 / units)
    unseen = figure_of(skeleton, (1, 3), frames).reshape(20, 4, 3)
    assert np.isnan(unseen).all(axis=(0, 2)).tolist() == [False, False, True, False]


def test_features_that_do_not_say_where_joints_are_have_no_figure() -> None:
    skeleton = Skeleton("turns", ("a", "b"), (-1, 0), "expmap", "m", 1.0, "y", 30.0)
    features = FeatureMap(skeleton, (0, 1))
    assert features.figure(np.zeros((4, features.width))) is None
