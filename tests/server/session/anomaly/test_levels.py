"""Levels of tables: drift as it was made, shifts against a slow twin, and what is learnt when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.plain_state import same, through_plain

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.levels import (
    QUIETEST,
    Levels,
    expected_drift,
    fit_drift,
    levelled,
    running_mean,
)
from motionscribe_server.session.anomaly.sensed import Sensed

LEVEL, USUAL, LATER = 10, 240, 3
FLAT = np.zeros((2, 1))
"""Drift of 1, however long it takes."""


def noise(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 2))


def fed(levels: Levels, values: Array, quiet: bool = True) -> Array:
    """(n, L) the shifts."""
    shifts = []
    for value in values:
        shifts.append(levels.update(value))
        levels.learn(quiet)
    return np.array(shifts)


def test_noise_does_not_drift_and_a_random_walk_drifts_with_the_root_of_time() -> None:
    shocks = noise(20_000)
    drift = fit_drift([np.cumsum(shocks, axis=0)], 1, USUAL)
    assert drift[1] == pytest.approx(0.5, abs=0.05)
    assert expected_drift(drift, 100.0) == pytest.approx(10.0, rel=0.1)
    drift = fit_drift([shocks], 1, USUAL)
    assert drift[1] == pytest.approx(0, abs=0.02)
    assert expected_drift(drift, 100.0) == pytest.approx(np.sqrt(2), rel=0.05)


def test_a_column_that_never_changes_has_a_drift_all_the_same() -> None:
    drift = fit_drift([np.ones((100, 2))], LEVEL, USUAL)
    assert (expected_drift(drift, 50.0) > 0).all()


def test_recordings_too_short_to_have_a_level_say_nothing() -> None:
    assert fit_drift([np.ones((LEVEL, 2))], LEVEL, USUAL).shape == (2, 2)


def test_a_running_mean_is_the_mean_at_first_and_follows_then() -> None:
    values = np.r_[np.zeros((5, 1)), np.ones((200, 1))]
    means = running_mean(values, LEVEL)[:, 0]
    assert means[5] == pytest.approx(1 / 6)
    assert means[9] == pytest.approx(0.5)
    assert means[-1] == pytest.approx(1, abs=1e-6)


@given(st.integers(1, 40), st.integers(0, 99))
def test_shifts_are_those_of_the_slow_twin(count: int, seed: int) -> None:
    values, drift = noise(count, seed), np.array([[0.3, -1.0], [0.5, 0.1]])
    levels = Levels(drift, LEVEL, 1000, LATER)
    shifts = fed(levels, values)
    level = running_mean(values, LEVEL)
    learnt = np.arange(LEVEL - 1, count - 1 - LATER)
    if len(learnt):  # 1000 moments are not over: what is usual is the mean of all
        age = count - (learnt.mean() + 1)
        wanted = np.abs(level[-1] - level[learnt].mean(axis=0)) / expected_drift(drift, float(age))
        assert shifts[-1] == pytest.approx(wanted)
    assert np.isnan(shifts[: LEVEL + LATER]).all(), "too little is known"


def test_a_step_stays_a_shift_for_as_long_as_an_alarm_is_open() -> None:
    levels = Levels(FLAT, LEVEL, USUAL, LATER)
    fed(levels, np.zeros((300, 1)))
    shifts = fed(levels, np.full((2000, 1), 5.0), quiet=False)
    assert shifts[-1] == pytest.approx(5)
    assert fed(levels, np.zeros((100, 1)))[-1] == pytest.approx(0, abs=0.2), "what is usual is what it was"


def test_what_drifts_with_time_does_not_become_normal_by_habit() -> None:
    levels = Levels(np.array([[0.0], [1.0]]), LEVEL, USUAL, LATER)
    fed(levels, np.zeros((300, 1)))
    shifts = fed(levels, np.full((5000, 1), 5000.0), quiet=False)
    assert shifts[-1] == pytest.approx(5000 / USUAL)
    assert shifts[USUAL] == pytest.approx(5000 / USUAL)


def test_missing_time_is_time_to_drift() -> None:
    one, other = (Levels(np.array([[0.0], [0.5]]), LEVEL, USUAL, LATER) for _ in range(2))
    for levels, lost in ((one, 0), (other, 10_000)):
        fed(levels, np.zeros((300, 1)))
        levels.restart()
        levels.pass_time(lost)
    assert fed(one, np.full((LEVEL, 1), 5.0))[-1] > 1.1 * fed(other, np.full((LEVEL, 1), 5.0))[-1]


def test_a_step_that_alarms_nobody_becomes_usual() -> None:
    levels = Levels(FLAT, LEVEL, USUAL, LATER)
    fed(levels, np.zeros((300, 1)))
    assert fed(levels, np.full((5 * USUAL, 1), 5.0))[-1] < 0.1


def test_moments_that_led_to_an_alarm_are_not_learnt() -> None:
    levels = Levels(FLAT, 1, USUAL, LATER)
    fed(levels, np.zeros((100, 1)))
    fed(levels, np.full((LATER, 1), 1000.0))
    fed(levels, np.full((1, 1), 1000.0), quiet=False)
    assert fed(levels, np.zeros((1, 1)))[0] == 0


def test_a_gap_leaves_what_is_usual_and_asks_for_a_new_level() -> None:
    levels = Levels(FLAT, LEVEL, USUAL, LATER)
    fed(levels, np.zeros((300, 1)))
    levels.restart()
    shifts = fed(levels, np.full((LEVEL, 1), 5.0))
    assert np.isnan(shifts[:-1]).all()
    assert shifts[-1] == pytest.approx(5)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 9))
def test_a_restored_one_goes_on_to_the_bit(before: int, after: int, seed: int) -> None:
    values = noise(before + after, seed)
    one, other = (Levels(np.ones((2, 2)), LEVEL, USUAL, LATER) for _ in range(2))
    fed(one, values[:before])
    other.restore(through_plain(one.state()))
    assert np.array_equal(fed(one, values[before:]), fed(other, values[before:]), equal_nan=True)
    assert same(one.state(), other.state())


def test_what_has_levels_are_means_and_logarithms() -> None:
    frames = np.array([[1.0, 2.0], [3.0, 2.0]], np.float32)
    sensed = Sensed(np.ones(2), np.array([np.e, 0.0]), np.ones(2))
    assert levelled(frames, sensed, np.array([1.0])) == pytest.approx([2, 2, 1, np.log(QUIETEST), 0])
