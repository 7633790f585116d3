"""Joints that were not seen are drawn between the places where they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_training.evaluation.unseen_joints import filled


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 4), st.floats(0, 1))
def test_nothing_is_missing_and_what_was_seen_stays(seed: int, frames: int, joints: int, lost: float) -> None:
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(frames, joints, 3))
    hidden = rng.random((frames, joints)) < lost
    places[hidden] = np.nan
    found = filled(places)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[~hidden], places[~hidden])


def test_a_joint_goes_straight_from_where_it_was_to_where_it_is_next() -> None:
    places = np.zeros((5, 2, 3))
    places[:, 0, 0] = [0, np.nan, np.nan, 3, np.nan]
    places[:, 0, 1:][np.isnan(places[:, 0, 0])] = np.nan
    assert filled(places)[:, 0, 0].tolist() == [0, 1, 2, 3, 3]
    assert np.isnan(places[1, 0, 0]), "what is given is not changed"


def test_a_joint_that_was_never_seen_is_in_the_middle_of_the_others() -> None:
    places = np.stack([np.full((2, 3), 1.0), np.full((2, 3), 3.0), np.full((2, 3), np.nan)], axis=1)
    assert filled(places)[:, 2].tolist() == [[2, 2, 2], [2, 2, 2]]
