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
    pooling = Pooling(spans)
    return np.array([Pooling.push_many([pooling], vector[None, None])[0] for vector in vectors])


@given(
    st.integers(1, 30),
    st.integers(1, 4),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.sampled_from([0.0, 1e3]),
    st.integers(0, 99),
)
def test_pushing_equals_direct_computation(n: int, q: int, spans: list[int], far: float, seed: int) -> None:
    vectors = far + np.random.default_rng(seed).normal(size=(n, q))
    got, wanted = (rows.reshape(n, len(spans), 2, q) for rows in (pooled(vectors, spans), directly(vectors, spans)))
    np.testing.assert_allclose(got[:, :, 0], wanted[:, :, 0], atol=1e-7)
    # of a deviation that should be zero, the root of what rounding leaves is not small
    np.testing.assert_allclose(got[:, :, 1] ** 2, wanted[:, :, 1] ** 2, atol=1e-13)


@given(st.integers(1, 12), st.integers(1, 5), st.lists(st.integers(0, 20), min_size=2, max_size=5))
def test_no_bit_depends_on_who_else_is_pooled(n: int, block: int, heads: list[int]) -> None:
    """Streams that began at different times, alone and together."""
    rng = np.random.default_rng(n)
    alone, together = ([Pooling([2, 7]) for _ in heads] for _ in range(2))
    for head, one, other in zip(heads, alone, together, strict=True):
        for vector in rng.normal(size=(head, 3)):
            Pooling.push_many([one], vector[None, None])
            Pooling.push_many([other], vector[None, None])
    for vectors in rng.normal(size=(n, len(heads), block, 3)):
        expected = [Pooling.push_many([pooling], own[None])[0] for pooling, own in zip(alone, vectors, strict=True)]
        assert Pooling.push_many(together, vectors).tobytes() == np.array(expected).tobytes()


def test_a_restart_forgets_all() -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 1, 1, 2))
    pooling, fresh = Pooling([2, 7]), Pooling([2, 7])
    for vector in vectors[:6]:
        Pooling.push_many([pooling], vector)
    pooling.restart()
    for vector in vectors[6:]:
        assert Pooling.push_many([pooling], vector).tobytes() == Pooling.push_many([fresh], vector).tobytes()


def test_what_stays_the_same_is_its_mean_and_no_spread() -> None:
    last = pooled(np.tile([2.0, -3.1], (6, 1)), [1, 4])[-1]
    assert last.tolist() == [2, -3.1, 0, 0] * 2


def test_memory_does_not_grow() -> None:
    pooling = Pooling([2, 3])
    many = np.random.default_rng(1).normal(size=(50, 1))
    last = [Pooling.push_many([pooling], vector[None, None])[0] for vector in many][-1]
    assert last == pytest.approx(directly(many, [2, 3])[-1])
    assert pooling.state()["room"] == 7


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 5))
def test_a_restored_pooling_goes_on_to_the_bit(before: int, after: int, block: int) -> None:
    pooling, again = Pooling([2, 7]), Pooling([2, 7])
    vectors = np.random.default_rng(before).normal(size=(before + after, 1, block, 3))
    for vector in vectors[:before]:
        Pooling.push_many([pooling], vector)
    again.restore(pooling.state())
    for vector in vectors[before:]:
        assert Pooling.push_many([pooling], vector).tobytes() == Pooling.push_many([again], vector).tobytes()
