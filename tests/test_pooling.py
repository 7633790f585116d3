"""Evidence of windows as they come equals what is computed from the whole recording."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.pooling import Pooling, summarise


def directly(projected: np.ndarray, spans: list[int]) -> np.ndarray:
    """(n, M, P) to (n, Q), from the definition, window by window."""
    rows = []
    for end in range(1, len(projected) + 1):
        row: list[float] = []
        for span in spans:
            seen = projected[max(0, end - span) : end]  # (w, M, P)
            each = [[*window.mean(axis=0), *window.std(axis=0)] for window in seen.astype(np.float64)]
            row += [*np.mean(each, axis=0), *np.std(each, axis=0)]
        rows.append(row)
    return np.array(rows)


@given(
    st.integers(1, 30),
    st.integers(1, 5),
    st.integers(1, 4),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_pushing_equals_direct_computation(n: int, M: int, P: int, spans: list[int], seed: int) -> None:
    projected = np.random.default_rng(seed).normal(size=(n, M, P)).astype(np.float32)
    pooling = Pooling(spans)
    pushed = np.array([pooling.push(window) for window in projected])
    assert pushed.shape == (n, 4 * P * len(spans))
    np.testing.assert_allclose(pushed, directly(projected, spans), atol=1e-12)


def test_a_restart_forgets_all() -> None:
    projected = np.random.default_rng(0).normal(size=(12, 3, 2))
    pooling, fresh = Pooling([2, 7]), Pooling([2, 7])
    for window in projected[:6]:
        pooling.push(window)
    pooling.restart()
    for window in projected[6:]:
        assert pooling.push(window).tobytes() == fresh.push(window).tobytes()


def test_evidence_of_what_stays_the_same_is_its_mean_and_no_spread() -> None:
    pooling, window = Pooling([1, 4]), np.tile([2.0, -3.0], (5, 1))
    for _ in range(6):
        evidence = pooling.push(window)
    np.testing.assert_allclose(evidence, [2, -3, 0, 0, 0, 0, 0, 0] * 2, atol=1e-12)


def test_a_summary_is_mean_and_spread_over_decoder_steps() -> None:
    states = np.array([[1.0, 10.0], [3.0, 10.0]])
    assert summarise(states).tolist() == [2.0, 10.0, 1.0, 0.0]
    assert summarise(np.stack([states, states + 1])).shape == (2, 4)
    assert summarise(states.astype(np.float32)).dtype == np.float64


def test_memory_does_not_grow() -> None:
    pooling = Pooling([2, 3])
    many = np.random.default_rng(1).normal(size=(50, 1, 1))
    for window in many:
        last = pooling.push(window)
    assert last == pytest.approx(directly(many, [2, 3])[-1])
    assert len(pooling._recent) == 3
