"""Two clocks beside each other: drift and offset come from the fastest frames, whatever the network does to others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe.feed_clock import FEWEST, FeedClock, now_us

STEP_US = 10_000
START_US = 1_700_000_000_000_000


def clock_after(ppm: float, delays_us: np.ndarray, sent_from_us: int = 0) -> FeedClock:
    """A sender that gains `ppm`, whose frames come with these delays."""
    clock = FeedClock()
    for n, delay_us in enumerate(delays_us.tolist()):
        clock.take(sent_from_us + round(n * STEP_US * (1 + ppm / 1e6)), START_US + n * STEP_US + round(delay_us))
    return clock


@pytest.mark.parametrize("ppm", [-3000.0, -40.0, 0.0, 25.0, 2000.0])
def test_the_drift_is_found_behind_a_network_that_delays(ppm: float) -> None:
    delays_us = np.random.default_rng(1).exponential(3000, 6000)
    drift = clock_after(ppm, delays_us).drift_ppm
    assert drift is not None
    assert abs(drift - ppm) < 10


def test_nothing_is_said_of_the_drift_too_early() -> None:
    assert clock_after(100.0, np.zeros((FEWEST - 1) * 100)).drift_ppm is None
    assert FeedClock().drift_ppm is None


def test_times_here() -> None:
    clock = clock_after(0.0, np.full(500, 2000.0), sent_from_us=77)
    assert clock.here_us(77 + 1_000_000) == START_US + 1_000_000 + 2000
    assert FeedClock().here_us(123) == 123


def test_a_clock_that_was_set_is_noticed() -> None:
    clock = clock_after(0.0, np.zeros(1000))
    for n in range(200):
        clock.take(-5_000_000 + n * STEP_US, START_US + 30_000_000 + n * STEP_US)
    assert clock.jumps == 1
    assert clock.here_us(-5_000_000) == START_US + 30_000_000


def test_frames_that_were_held_up_move_nothing() -> None:
    delays_us = np.zeros(3000)
    delays_us[1000:1100] = 1_000_000 - np.arange(100) * STEP_US  # for a second nothing comes, then all at once
    clock = clock_after(0.0, delays_us)
    assert clock.jumps == 0
    assert clock.drift_ppm == 0.0
    assert clock.here_us(0) == START_US


times = st.one_of(st.integers(-5, 30).map(lambda half: half * 500_000), st.integers(-(2**62), 2**62))


@given(st.lists(st.tuples(times, times), max_size=60))
def test_no_times_break_it(pairs: list[tuple[int, int]]) -> None:
    clock = FeedClock()
    for time_us, here_us in pairs:
        clock.take(time_us, here_us)
    assert isinstance(clock.here_us(0), int)
    assert clock.drift_ppm is None or np.isfinite(clock.drift_ppm)


def test_the_time_of_now_goes_on() -> None:
    times = [now_us() for _ in range(1000)]
    assert times == sorted(times)
