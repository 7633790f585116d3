"""Recordings are cut where sessions restart."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.gaps import longest_step_us, runs_without_gap


@given(st.lists(st.integers(1, 500), max_size=30), st.integers(1, 500))
def test_runs_tile_the_times_and_have_no_longer_step_inside(steps: list[int], longest: int) -> None:
    times = np.cumsum([0, *steps])
    runs = runs_without_gap(times, longest)
    assert np.concatenate([times[run] for run in runs]).tolist() == times.tolist()
    assert all(np.diff(times[run]).max(initial=0) <= longest for run in runs)
    assert all(times[after.start] - times[before.stop - 1] > longest for before, after in pairwise(runs))


def test_a_quarter_of_a_second_is_bridged_and_slow_senders_longer() -> None:
    assert longest_step_us(120.0, 30.0) == 250_000
    assert longest_step_us(1.0, 30.0) == longest_step_us(30.0, 1.0) == 2_500_000
