"""What the sensors said in a moment: jumps, tremor and stillness of raw frames, however they come in."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.plain_state import going_on, same

from motionscribe_models.arrays import Array
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap
from motionscribe_models.skeleton import Skeleton
from motionscribe_server.session.anomaly.sensed import FRAME_S, STEADY_S, Sensed, Sensors, sense

CAMERA = FeatureMap(Skeleton("camera", ("hip", "knee", "foot"), (-1, 0, 1), "positions", "m", 1.0, "y", 60.0), (1, 2))
RATES = 60.0, 30.0
PERIOD_US = 16_667


def states_of(moments: Sequence[Sensed]) -> list[object]:
    return [moment.state() for moment in moments]


def frames_of(knee: Array) -> Array:
    """(K, 9): places (K,) of the knee on the x axis; nothing else moves."""
    frames = np.zeros((len(knee), 9))
    frames[:, 3] = knee
    return frames


def knee_moments(knee: Array, times_s: Array, rates: tuple[float, float] = RATES) -> list[Sensed]:
    """One moment for each frame, of the knee and of the foot."""
    times = np.round(times_s * 1e6).astype(int).tolist()
    return sense(CAMERA, frames_of(knee), times, rates, range(1, len(knee) + 1))


def jumps(moments: Sequence[Sensed]) -> Array:
    return np.array([moment.jump[0] for moment in moments])


@st.composite
def streams(draw: st.DrawFn) -> tuple[Array, list[int]]:
    """Frames and times: walks of chance that now and then stand still or are not seen, at jittering times."""
    count = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    frames = np.cumsum(rng.normal(size=(count, 9)) * (rng.random((count, 1)) < 0.6), axis=0)
    frames[rng.random((count, 9)) < 0.1] = np.nan
    return frames, np.cumsum(rng.integers(1_000, 60_000, count)).tolist()


@given(
    streams(),
    st.lists(st.integers(0, 40), max_size=6),
    st.sampled_from([(30.0, 30.0), (60.0, 30.0), (120.0, 25.0), (240.0, 120.0), (360.0, 180.0)]),
)
def test_blocks_of_any_size_give_what_all_frames_give_at_once(
    stream: tuple[Array, list[int]], cuts: list[int], rates: tuple[float, float]
) -> None:
    frames, times = stream
    whole, parts = Sensors(CAMERA, *rates), Sensors(CAMERA, *rates)
    whole.push(frames, times)
    edges = [0, *sorted(cut for cut in cuts if cut < len(frames)), len(frames)]
    for start, end in pairwise(edges):
        if start < end:
            parts.push(frames[start:end], times[start:end])
    assert parts.waiting == whole.waiting == len(frames)
    for _ in frames:
        assert same(parts.take(1).state(), whole.take(1).state())


def slow_acceleration(places: Array, times: Sequence[float], lag: int, period_s: float) -> float:
    """Of the newest of places (n, d)."""
    if len(places) <= 2 * lag:
        return 0.0
    first, middle, last = places[-1 - 2 * lag], places[-1 - lag], places[-1]
    early = max(times[-1 - lag] - times[-1 - 2 * lag], lag * period_s / 2)
    late = max(times[-1] - times[-1 - lag], lag * period_s / 2)
    found = 2 * float(np.linalg.norm((last - middle) / late - (middle - first) / early)) / (late + early)
    return 0.0 if math.isnan(found) else found


@given(streams(), st.sampled_from([(30.0, 30.0), (60.0, 30.0), (120.0, 25.0)]))
def test_frames_say_what_a_slow_twin_says(stream: tuple[Array, list[int]], rates: tuple[float, float]) -> None:
    frames, times_us = stream
    times, lag = [time / 1e6 for time in times_us], round(rates[0] / rates[1])
    quick = max(1, round(rates[0] / 120))
    moments = sense(CAMERA, frames, times_us, rates, range(1, len(frames) + 1))
    for sensor, joint in enumerate((1, 2)):
        places, still_s = frames[:, 3 * joint : 3 * joint + 3], 0.0
        for row, moment in enumerate(moments):
            seen, until = places[: row + 1], times[: row + 1]
            if row:
                stands = np.abs(seen[-1] - seen[-2]).max() <= CAMERA.representation.still
                still_s = min(still_s + min(until[-1] - until[-2], FRAME_S), STEADY_S) if stands else 0.0
            assert moment.still_s[sensor] == pytest.approx(still_s)
            assert moment.jump[sensor] == pytest.approx(slow_acceleration(seen, until, quick, 1 / rates[0]))
            assert moment.tremor[sensor] == pytest.approx(
                slow_acceleration(seen, until, max(lag, quick), 1 / rates[0]) ** 2
            )


@given(streams(), st.data())
def test_moments_of_a_recording_are_cut_as_a_stream_cuts_them(
    stream: tuple[Array, list[int]], data: st.DataObject
) -> None:
    frames, times = stream
    ends = sorted(data.draw(st.sets(st.integers(1, len(frames)))))
    sensors, taken = Sensors(CAMERA, *RATES), list[Sensed]()
    for row in range(len(frames)):
        sensors.push(frames[row : row + 1], times[row : row + 1])
        if row + 1 in ends:
            taken.append(sensors.take(sensors.waiting))
    assert same(states_of(sense(CAMERA, frames, times, RATES, ends)), states_of(taken))


@given(streams(), st.integers(0, 39), st.integers(0, 39))
def test_sensors_restored_from_their_state_go_on_to_the_bit(
    stream: tuple[Array, list[int]], cut: int, taken: int
) -> None:
    frames, times = stream
    cut = min(cut, len(frames))
    one, other = Sensors(CAMERA, *RATES), Sensors(CAMERA, *RATES)
    if cut:
        one.push(frames[:cut], times[:cut])
        if 0 < taken <= cut:
            one.take(taken)
    other.push(np.ones((3, 9)), [0, 1, 2])  # what it held before does not matter
    with going_on(one, other):
        if cut < len(frames):
            for sensors in (one, other):
                sensors.push(frames[cut:], times[cut:])
        assert same(one.state(), other.state())


@pytest.mark.parametrize("lag", [1, 2, 4])
def test_acceleration_is_that_of_a_parabola_at_jittered_times(lag: int) -> None:
    rng = np.random.default_rng(0)
    times = np.round((np.arange(60) + rng.uniform(-0.2, 0.2, 60)) / 60, 6)
    moments = knee_moments(1.5 * times**2, times, (60.0, 60.0 / lag))
    assert jumps(moments)[:2].tolist() == [0, 0], "two frames before are needed"
    np.testing.assert_allclose(jumps(moments)[2:], 3.0, rtol=1e-4)
    tremor = np.array([moment.tremor[0] for moment in moments])
    assert not tremor[: 2 * lag].any()
    np.testing.assert_allclose(tremor[2 * lag :], 9.0, rtol=1e-4)
    assert not any(moment.jump[1] or moment.tremor[1] for moment in moments), "the foot did not move"


def test_a_moment_has_the_largest_jump_and_the_mean_tremor() -> None:
    knee, times = np.random.default_rng(1).normal(size=30), np.arange(30) / 60
    single = knee_moments(knee, times)
    (whole,) = sense(CAMERA, frames_of(knee), np.round(times * 1e6).astype(int).tolist(), RATES, [30])
    assert whole.jump[0] == jumps(single).max()
    assert whole.tremor[0] == pytest.approx(np.mean([moment.tremor[0] for moment in single]))


@pytest.mark.parametrize("hole_s", [0.1, 0.5, 1.5])
def test_missing_time_is_no_jump_of_what_moves_steadily(hole_s: float) -> None:
    times = np.arange(60) / 60 + hole_s * (np.arange(60) >= 30)
    assert jumps(knee_moments(2 * times, times)).max() < 0.02


def test_jitter_is_no_jump_of_what_moves_steadily() -> None:
    times = (np.arange(200) + np.random.default_rng(3).uniform(-0.24, 0.24, 200)) / 60
    assert jumps(knee_moments(2 * times, times)).max() < 0.05


def test_bursts_are_no_large_jump() -> None:
    """Four frames come within 3 ms, of what moved by the same way from frame to frame."""
    frame = np.arange(120.0)
    speed, period = 1.0, 1 / 60
    moments = knee_moments(speed * period * frame, (frame - frame % 4) * period + frame % 4 * 0.001)
    assert 0 < jumps(moments).max() <= 4 * speed / period


@pytest.mark.parametrize("rate_hz", [240.0, 500.0, 1000.0])
def test_the_noise_of_a_fast_feed_is_no_jump(rate_hz: float) -> None:
    """Half a millimetre of it, on a knee that stays where it is, accelerates by 3.5 m/s2 a step at 120 Hz."""
    times = np.arange(round(rate_hz)) / rate_hz
    knee = np.random.default_rng(0).normal(0, 0.0005, len(times))
    assert jumps(knee_moments(knee, times, (rate_hz, 30.0))).max() < 6 * 0.0005 * 6**0.5 * 120**2


def test_a_joint_that_is_not_seen_does_not_jump() -> None:
    knee, times = np.zeros(40), np.arange(40) / 60
    knee[20:30] = np.nan
    knee[30:] = 5.0  # far from where it was
    moments = knee_moments(knee, times)
    assert not jumps(moments).any()
    assert all(np.isfinite([*moment.jump, *moment.tremor, *moment.still_s]).all() for moment in moments)
    assert [moment.still_s[0] for moment in moments[20:31]] == [0] * 11, "nor does it stand still"
    assert moments[31].still_s[0] > 0


def test_stillness_grows_to_its_limit_and_ends_with_a_change() -> None:
    times = np.arange(200) / 60
    knee = np.where(np.arange(200) < 180, 1.0, 2.0)
    still = np.array([moment.still_s[0] for moment in knee_moments(knee, times)])
    np.testing.assert_allclose(still[:180], np.minimum(times[:180], STEADY_S), atol=1e-4)
    assert still[180] == 0
    assert still[181] == pytest.approx(1 / 60, abs=1e-5)


def test_a_frame_counts_for_no_longer_than_its_limit() -> None:
    still = [moment.still_s[0] for moment in knee_moments(np.ones(12), np.arange(12.0), (1.0, 1.0))]
    np.testing.assert_allclose(still, FRAME_S * np.arange(12))


def test_a_body_may_change_a_little_and_stand_still() -> None:
    feature_map = FeatureMap(BODY, tuple(range(2, 15)))
    frames = np.repeat(np.random.default_rng(0).normal(size=(1, 46)), 40, axis=0)
    frames[:, 6] += 1.5e-5 * (np.arange(40) % 2)  # the head's
    frames[:, 9] += 6e-5 * (np.arange(40) % 2)  # the left shoulder's
    times = [33_333 * row for row in range(40)]
    (moment,) = sense(feature_map, frames, times, (30.0, 30.0), [40])
    assert moment.still_s[0] > 1.2
    assert moment.still_s[1] == 0


def test_after_a_gap_nothing_before_it_counts() -> None:
    frames, times = frames_of(np.random.default_rng(0).normal(size=20)), [PERIOD_US * row for row in range(20)]
    used, fresh = Sensors(CAMERA, *RATES), Sensors(CAMERA, *RATES)
    used.push(frames_of(np.ones(50)), [PERIOD_US * row for row in range(50)])
    used.restart()
    assert used.waiting == 0
    for sensors in (used, fresh):
        sensors.push(frames, times)
    assert same(used.state(), fresh.state())


def test_two_moments_are_one_that_is_longer() -> None:
    one = Sensed(np.array([1.0, 5.0]), np.array([2.0, 4.0]), np.array([0.1, 0.0]))
    other = Sensed(np.array([3.0, 4.0]), np.array([4.0, 0.0]), np.array([0.0, 0.2]))
    both = one.followed_by(other)
    assert both.jump.tolist() == [3, 5]
    assert both.tremor.tolist() == [3, 2]
    assert both.still_s.tolist() == [0.1, 0.2]


def test_no_ends_are_no_moments() -> None:
    assert sense(CAMERA, np.zeros((5, 9)), [0, 1, 2, 3, 4], RATES, []) == []
