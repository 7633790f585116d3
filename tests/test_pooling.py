"""What is pooled vector by vector equals what the definition says of the whole recording."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.pooling import Pooling


def directly(vectors: np.ndarray, spans: list[int]) -> np.ndarray:
    """(n, q) to (n, 2 q k), from the definition, vector by vector."""
    rows = []
    for end in range(1, len(vectors) + 1):
        row: list[float] = []
        for span in spans:
            seen = vectors[max(0, end - span) : end]
            row += [*np.mean(seen, axis=0), *np.std(seen, axis=0)]
        rows.append(row)
    return np.array(rows)


def pooled(vectors: np.ndarray, spans: list[int]) -> np.ndarray:
    pooling, rows = Pooling(spans), []
    for vector in vectors:
        pooling.push(vector[None])
        rows.append(pooling.pooled())
    return np.array(rows)


@given(
    st.integers(1, 30),
    st.integers(1, 4),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.sampled_from([0.0, 1e3]),
    st.integers(0, 99),
)
def test_pushing_equals_direct_computation(n: int, q: int, spans: list[int], far: float, seed: int) -> None:
    vectors = far + np.random.default_rng(seed).normal(size=(n, q))
    np.testing.assert_allclose(pooled(vectors, spans), directly(vectors, spans), atol=1e-7)


def test_a_restart_forgets_all() -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 2))
    pooling, fresh = Pooling([2, 7]), Pooling([2, 7])
    for vector in vectors[:6]:
        pooling.push(vector[None])
    pooling.restart()
    for vector in vectors[6:]:
        pooling.push(vector[None])
        fresh.push(vector[None])
        assert pooling.pooled().tobytes() == fresh.pooled().tobytes()


def test_what_stays_the_same_is_its_mean_and_no_spread() -> None:
    last = pooled(np.tile([2.0, -3.1], (6, 1)), [1, 4])[-1]
    assert last.tolist() == [2, -3.1, 0, 0] * 2


def test_memory_does_not_grow() -> None:
    pooling = Pooling([2, 3])
    many = np.random.default_rng(1).normal(size=(50, 1))
    for vector in many:
        pooling.push(vector[None])
    assert pooling.pooled() == pytest.approx(directly(many, [2, 3])[-1])
    assert len(pooling._kept) == 6
