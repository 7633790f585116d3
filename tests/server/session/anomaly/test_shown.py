"""What was shown, against a slow twin: the nearest of all points, one after another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_server.session.anomaly.shown import PREFIX, Shown, described

WIDTH, AXES, POINTS = 5, 3, 7


def arrays_of(seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    shapes = {"mean": (WIDTH,), "axes": (WIDTH, AXES), "points": (POINTS, AXES)}
    return {PREFIX + name: rng.normal(size=shape) for name, shape in shapes.items()}


@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_distances_are_those_to_the_nearest_point(seed: int, scale: float) -> None:
    arrays, moments = arrays_of(seed), scale * np.random.default_rng(seed + 1).normal(size=(4, WIDTH))
    mean, axes, points = arrays.values()
    wanted = [min(float(np.linalg.norm((moment - mean) @ axes - point)) for point in points) for moment in moments]
    np.testing.assert_allclose(Shown(arrays, WIDTH).distances(moments), wanted, rtol=1e-3, atol=1e-3 * scale)


def test_a_moment_that_was_shown_lies_at_its_point() -> None:
    arrays = arrays_of(0)
    arrays[PREFIX + "mean"], arrays[PREFIX + "axes"] = np.zeros(WIDTH), np.eye(WIDTH, AXES)
    shown = np.concatenate([arrays[PREFIX + "points"][2], [9.0, -9.0]])  # the last two are along no axis
    assert Shown(arrays, WIDTH).distances(shown[None]) == pytest.approx(0, abs=1e-3)


def test_no_answer_depends_on_who_else_is_asked_for() -> None:
    shown, moments = Shown(arrays_of(1), WIDTH), np.random.default_rng(2).normal(size=(50, WIDTH))
    alone = [shown.distances(moment[None])[0] for moment in moments]
    assert shown.distances(moments).tolist() == alone


@pytest.mark.parametrize(
    ("name", "shape"), [("mean", (4,)), ("axes", (WIDTH, 2)), ("axes", (4, AXES)), ("points", (0, 3))]
)
def test_arrays_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...]) -> None:
    arrays = {**arrays_of(0), PREFIX + name: np.zeros(shape)}
    with pytest.raises(LayoutError, match=r"anomaly\.shown\.\*: expected shapes \(5,\), \(5, k\) and \(n, k\), got"):
        Shown(arrays, WIDTH)


def test_a_moment_is_its_embedding_and_what_the_pose_model_sees() -> None:
    assert described(np.ones((2, 2)), np.zeros((2, 3))).tolist() == [[1, 1, 0, 0, 0]] * 2
