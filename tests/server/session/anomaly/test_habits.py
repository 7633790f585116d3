"""Slack: a noisy stream earns some, no stream earns much, and none does in its first minute."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.plain_state import going_on, same

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.habits import LEAST_S, MEMORY_S, MOST, QUANTILE, Habits

MOMENT_S = 1.0
LEAST, MEMORY = round(LEAST_S / MOMENT_S), round(MEMORY_S / MOMENT_S)
USUAL = np.array([2.0, 2.0, -1.0])


def scores_of(count: int, seed: int = 0) -> Array:
    """(count, 3) of one usual, one noisy and one very noisy score."""
    return np.random.default_rng(seed).normal([0.0, 2.0, 9.0], 0.4, (count, 3))


def learnt(rows: Array) -> Habits:
    habits = Habits(USUAL, MOMENT_S)
    for row in rows:
        habits.learn(row)
    return habits


def test_a_noisy_stream_earns_slack_and_no_more_than_the_most() -> None:
    rows = scores_of(400)
    slack = learnt(rows).slack
    assert slack[0] == 0
    assert slack[1] == pytest.approx(np.quantile(rows[-MEMORY:, 1], QUANTILE) - USUAL[1])
    assert 0 < slack[1] < MOST
    assert slack[2] == MOST


def test_a_quieter_stream_than_usual_is_not_held_to_more() -> None:
    assert learnt(np.full((400, 3), -20.0)).slack.tolist() == [0, 0, 0]


def test_there_is_no_slack_before_enough_was_learnt() -> None:
    rows = scores_of(LEAST)
    habits = Habits(USUAL, MOMENT_S)
    for row in rows[:-1]:
        habits.learn(row)
        assert habits.slack.tolist() == [0, 0, 0]
    habits.learn(rows[-1])
    assert habits.slack[2] == MOST


def test_what_lies_too_far_back_is_forgotten() -> None:
    habits = learnt(np.concatenate([scores_of(MEMORY), np.full((MEMORY - 1, 3), -20.0)]))
    assert habits.slack[2] == 0, "one in a hundred and twenty is none"


def test_one_score_does_not_change_the_slack_of_another() -> None:
    rows = scores_of(100)
    alone = rows.copy()
    alone[:, 2] = -20.0
    assert learnt(rows).slack[1] == learnt(alone).slack[1] > 0


@given(st.integers(0, 150), st.integers(0, 99))
def test_habits_restored_from_their_state_go_on_to_the_bit(cut: int, seed: int) -> None:
    rows = scores_of(cut + 80, seed)
    one, other = learnt(rows[:cut]), learnt(scores_of(70, 7))  # what it held before does not matter
    with going_on(one, other):
        for row in rows[cut:]:
            assert same(one.slack, other.slack)
            one.learn(row)
            other.learn(row)
        assert same(one.state(), other.state())
