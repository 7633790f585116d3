"""The map of clusters: the plane in which they lie farthest apart, the same for every stream of a model."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.support.made_up_session import PLACES, feed, made_up_model, motion
from tests.support.session_stories import send_all

from motionscribe_server.session.cluster_map import plane_of

CENTRES = arrays(np.float64, st.tuples(st.integers(3, 8), st.integers(2, 6)), elements=st.floats(-3, 3))


@given(CENTRES, st.integers(0, 1000))
def test_no_other_plane_shows_centres_farther_apart(centres: np.ndarray, seed: int) -> None:
    middle, axes = plane_of(centres)
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-9)
    other, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(centres.shape[1], 2)))
    shown = np.square((centres - middle) @ axes).sum()
    assert shown >= np.square((centres - middle) @ other).sum() - 1e-9


@given(CENTRES)
def test_the_plane_does_not_depend_on_the_order_of_the_centres(centres: np.ndarray) -> None:
    _, axes = plane_of(centres)
    _, again = plane_of(centres[::-1])
    spread = np.linalg.svd(centres - centres.mean(axis=0), compute_uv=False)
    if len(spread) > 1 and spread[0] > 1.1 * spread[1] > 1e-6:  # else several planes are as good
        np.testing.assert_allclose(np.abs(axes[:, 0]), np.abs(again[:, 0]), atol=1e-6)


def test_of_two_centres_the_first_columns_are_shown() -> None:
    middle, axes = plane_of(np.ones((2, 5)))
    assert (middle == 0).all()
    assert axes.tolist() == np.eye(5)[:, :2].tolist()


def test_a_stream_is_seen_where_its_motion_lies() -> None:
    stream = feed(made_up_model(PLACES[:3]))
    assert stream.session.map().trail.shape == (0, 2)
    send_all(stream, motion([(0, 25), (1, 25)]))
    found = stream.session.map()
    assert sorted(found.ids.tolist()) == [1, 2, 3]
    there = found.places[found.ids.tolist().index(2)]
    assert np.linalg.norm(found.trail[-1] - there) < 0.3
    assert found.end_us == 5_000_000
    stream.session.merge([1], 2)
    assert sorted(stream.session.map().ids.tolist()) == [2, 2, 3], "a cluster lies where those lie that are part of it"
