"""Distances to the nearest of many points, against a slow twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from motionscribe_server.session.anomaly.nearest import Nearest


@pytest.mark.parametrize(("dtype", "off"), [(np.float32, 1e-2), (np.float64, 1e-6)])
@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 20), st.integers(0, 999))
def test_distances_are_those_of_a_slow_twin(
    dtype: type, off: float, points: int, places: int, width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    there: NDArray[np.floating] = rng.normal(size=(points, width)).astype(dtype)
    asked = rng.normal(size=(places, width))
    asked[0] = there[0]
    wanted = [min(float(np.linalg.norm(place - point)) for point in there) for place in asked]
    np.testing.assert_allclose(Nearest(there).distances(asked), wanted, rtol=0.01 * off, atol=off)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_answer_depends_on_who_else_is_asked_for(dtype: type) -> None:
    rng = np.random.default_rng(0)
    nearest, places = Nearest(rng.normal(size=(2000, 90)).astype(dtype)), rng.normal(size=(50, 90))
    alone = [nearest.distances(place[None])[0] for place in places]
    assert nearest.distances(places).tolist() == alone


def test_of_no_places_there_are_no_distances() -> None:
    assert Nearest(np.ones((3, 2))).distances(np.zeros((0, 2))).shape == (0,)
