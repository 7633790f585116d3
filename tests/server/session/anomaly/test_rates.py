"""How often normal motion reaches a score: rates that are fitted to noise are those of other noise."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from motionscribe_server.session.anomaly.rates import BLOCK_S, HIGHEST, LEAST_SCALE, SHARES, fit_rates, log_rate

MOMENT_S = 0.1
BLOCK = round(BLOCK_S / MOMENT_S)


def noise(moments: int, seed: int, tail: str = "normal") -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=moments) if tail == "normal" else rng.exponential(size=moments)


def z_at(knots: NDArray[np.float64], rate: float) -> float:
    """Where so many alarms an hour are to be expected, by bisection."""
    low, high = -50.0, 200.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if log_rate(knots, middle) > math.log(rate) else (low, middle)
    return low


@pytest.mark.parametrize("tail", ["normal", "exponential"])
@pytest.mark.parametrize("rate", [0.5, 3.0, 20.0, 60.0])
def test_as_many_blocks_of_other_noise_lie_above_a_rate_as_it_says(rate: float, tail: str) -> None:
    """Two hours are fitted, 14 hours counted, in turns: HIGHEST maxima tell the scale of a tail to a quarter."""
    turns, off = 20, []
    for seed in range(turns):
        knots = fit_rates([noise(72_000, seed, tail)], MOMENT_S)
        blocks = noise(504_000, 100 + seed, tail).reshape(-1, BLOCK).max(axis=1)
        share = max(1, int((blocks > z_at(knots, rate)).sum())) / len(blocks)
        off.append(math.log(-math.log1p(-share) * 3600 / BLOCK_S / rate))
    # of HIGHEST maxima where the tail begins, and of their mean excess for each scale beyond
    beyond = max(0.0, math.log(HIGHEST / 2.0 / rate))
    spread = math.sqrt((1 + beyond**2) / HIGHEST / turns)
    assert abs(np.mean(off)) < 3 * spread + 0.1


def test_where_moments_are_counted_the_rate_is_that_of_moments() -> None:
    scores = noise(36_000, 0)
    knots = fit_rates([scores], MOMENT_S)
    for share in (0.2, 0.5, 0.9, 0.99):
        z = float(np.quantile(scores, share))
        assert log_rate(knots, z) == pytest.approx(math.log(36_000 * (1 - share)), abs=0.02)


def test_the_tail_begins_under_the_highest_maxima() -> None:
    scores = noise(36_000, 1)
    maxima = np.sort(scores.reshape(-1, BLOCK).max(axis=1))
    start, highest = maxima[-HIGHEST - 1], maxima[-HIGHEST:]
    knots = fit_rates([scores], MOMENT_S)
    assert log_rate(knots, start) == pytest.approx(math.log(HIGHEST)), "an hour has so many above it"
    scale = np.mean(highest - start)
    assert log_rate(knots, start + 7 * scale) == pytest.approx(math.log(HIGHEST) - 7)


def test_recordings_are_cut_into_blocks_of_their_own() -> None:
    """A block of two recordings would have one maximum of both."""
    one, two = np.zeros(10), np.zeros(10)
    one[:], two[:] = 1.0, 2.0
    knots = fit_rates([one, two], MOMENT_S)
    assert knots[0, -2] == 1.0
    assert log_rate(knots, 1.0) == pytest.approx(math.log(1 / (20 * MOMENT_S / 3600))), "one maximum is above it"


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=5),
    st.integers(0, 999),
    st.sampled_from([0.05, 0.1, 1.0, 5.0]),
    st.lists(st.floats(-60, 60), min_size=2, max_size=10),
)
def test_rates_never_rise_and_their_knots_are_in_order(
    moments: list[int], seed: int, moment_s: float, at: list[float]
) -> None:
    rng = np.random.default_rng(seed)
    scores = [rng.normal(rng.normal(), 2.0, size=count) for count in moments]
    knots = fit_rates(scores, moment_s)
    assert np.isfinite(knots).all()
    assert (np.diff(knots[0]) > 0).all()
    assert (np.diff(knots[1]) < 0).all()
    rates = [log_rate(knots, z) for z in sorted(at)]
    assert all(one >= other for one, other in pairwise(rates))
    beyond = knots[0, -1] + np.array([0.0, 1.0, 1000.0])
    slope = (knots[1, -1] - knots[1, -2]) / (knots[0, -1] - knots[0, -2])
    assert [log_rate(knots, z) for z in beyond] == pytest.approx(knots[1, -1] + slope * (beyond - knots[0, -1]))
    assert max(log_rate(knots, z) for z in at) <= math.log(3600 / moment_s) + 1e-9, "no more than all moments"


@given(st.integers(0, 999), st.integers(20, 2000), st.lists(st.floats(-60, 60), min_size=1, max_size=10))
def test_rates_are_those_of_a_slow_twin_and_of_lists_the_same(seed: int, moments: int, at: list[float]) -> None:
    knots = fit_rates([noise(moments, seed)], MOMENT_S)
    zs, rates = knots
    for z in [*at, *zs.tolist()]:
        beyond = rates[-1] + (z - zs[-1]) * (rates[-1] - rates[-2]) / (zs[-1] - zs[-2])
        wanted = float(np.interp(z, zs, rates)) if z <= zs[-1] else beyond
        assert log_rate(knots, z) == pytest.approx(wanted)
        assert log_rate(knots.tolist(), z) == log_rate(knots, z)


def test_many_equal_scores_are_one_knot() -> None:
    scores = np.concatenate([np.full(600, -20.0), noise(600, 0)])
    knots = fit_rates([scores], MOMENT_S)
    assert (np.diff(knots[0]) > 0).all()


@pytest.mark.parametrize("count", [1, 2, 5, BLOCK, BLOCK + 1])
def test_little_motion_gives_a_tail_all_the_same(count: int) -> None:
    knots = fit_rates([noise(count, 2)], MOMENT_S)
    assert knots.shape[0] == 2
    assert np.isfinite(knots).all()
    assert knots[0, -1] - knots[0, -2] >= LEAST_SCALE - 1e-12
    assert log_rate(knots, 1000.0) < -10


def test_equal_scores_have_the_narrowest_tail() -> None:
    knots = fit_rates([np.full(600, 3.0)], MOMENT_S)
    assert knots[0].tolist() == [3.0 - LEAST_SCALE, 3.0, 3.0 + LEAST_SCALE]
    assert log_rate(knots, 3.0 + 10 * LEAST_SCALE) == pytest.approx(knots[1, 1] - 10)


@pytest.mark.parametrize("z", [-math.inf, 2.9])
def test_what_lies_below_all_scores_is_as_frequent_as_moments(z: float) -> None:
    knots = fit_rates([np.full(4 * 36_000, 3.0)], MOMENT_S)
    assert log_rate(knots, z) == pytest.approx(math.log(3600 / MOMENT_S))


@given(st.integers(0, 999), st.integers(20, 2000))
def test_a_pool_that_is_not_full_is_as_frequent_as_moments(seed: int, moments: int) -> None:
    knots = fit_rates([noise(moments, seed)], MOMENT_S)
    assert log_rate(knots, -math.inf) == pytest.approx(math.log(3600 / MOMENT_S))


def test_shares_that_become_knots_rise() -> None:
    assert list(SHARES) == sorted(set(SHARES))
    assert SHARES[0] == 0
    assert SHARES[-1] < 1
