"""Whose turn it is and what is given up: pure functions."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_server.engine.batching import MOST_STEPS, choose, take
from motionscribe_server.engine.shedding import Shedding, shedding
from motionscribe_server.session.steps import Step, step_of

SIZES = (1, 4, 16, 64)
T, STRIDE = 12, 3


@given(st.integers(1, 300), st.lists(st.integers(1, 100), min_size=1, max_size=5).map(lambda sizes: sorted(set(sizes))))
def test_a_batch_has_somebody_and_wastes_less_than_half(due: int, sizes: list[int]) -> None:
    count = choose(due, sizes)
    assert 0 < count <= due
    if count <= sizes[-1]:
        padded = next(size for size in sizes if size >= count)
        assert padded <= 2 * count or count < sizes[0]


@pytest.mark.parametrize(("due", "count"), [(1, 1), (2, 2), (5, 4), (8, 8), (17, 16), (50, 50), (130, 64)])
def test_batches_of_some_sizes(due: int, count: int) -> None:
    assert choose(due, SIZES) == count


def steps(*lengths: int) -> "deque[Step]":
    """Frames since a restart, so many, then a restart, and so on."""
    return deque(step_of(np.zeros(1, np.float32), i, T, STRIDE) for length in lengths for i in range(length))


@pytest.mark.parametrize(
    ("lengths", "windows", "taken"),
    [
        ((2,), 1, 2),
        ((3,), 1, 3),
        ((7,), 1, 3),
        ((7,), 2, 6),
        ((5,), 2, 3),  # what follows the last window waits for its own
        ((2, 4), 1, 5),  # no window was complete before the restart
        ((3, 4), 2, 3),  # what was before the restart is told first
        ((3, 4), 1, 3),
        ((1,) * 1000, 1, MOST_STEPS),  # gap after gap: the rest waits for other turns
        ((1,) * (MOST_STEPS - 1) + (2, 1), 1, MOST_STEPS + 1),
        ((1,) * MOST_STEPS + (3,), 1, MOST_STEPS),
        ((1,) * (MOST_STEPS - 1) + (3,), 1, MOST_STEPS + 2),  # a window is whole
        ((3, *(1,) * 1000), 1, 3),
    ],
)
def test_a_turn_of_a_stream_ends_with_a_window(lengths: tuple[int, ...], windows: int, taken: int) -> None:
    waiting = steps(*lengths)
    all_steps = list(waiting)
    run = take(waiting, windows)
    assert run == all_steps[:taken]
    assert list(waiting) == all_steps[taken:]


@given(st.lists(st.integers(1, 10), max_size=5) | st.lists(st.integers(1, 3), max_size=100), st.integers(1, 2))
def test_nothing_is_lost_however_it_is_taken(lengths: list[int], windows: int) -> None:
    waiting = steps(*lengths)
    all_steps, runs = list(waiting), []
    while waiting:
        runs.append(take(waiting, windows))
    assert [step for run in runs for step in run] == all_steps
    for run in runs:
        assert len(run) < MOST_STEPS + 2 * STRIDE
        complete = [step for step in run if step.decode_slot >= 0]
        assert len(complete) <= windows
        assert not complete or run[-1] is complete[-1]
        assert len(complete) < 2 or not any(step.restart for step in run[run.index(complete[0]) :])


@pytest.mark.parametrize(
    ("wait_s", "level"),
    [
        (0.0, Shedding.NOTHING),
        (0.25, Shedding.NOTHING),
        (0.3, Shedding.PROVISIONAL),
        (0.6, Shedding.WINDOWS),
        (5.0, Shedding.STREAMS),
    ],
)
def test_the_longer_the_wait_the_more_is_given_up(wait_s: float, level: Shedding) -> None:
    assert shedding(wait_s) == level
