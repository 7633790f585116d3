"""Frames with times of their own land on an even grid, however they are cut into pushes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.features import FeatureMap
from motionscribe_models.recordings import even_times
from motionscribe_models.resampling import EARLY, Resampler
from motionscribe_models.skeleton import feature_skeleton

# 128 Hz: half of its grid lies between two microseconds
rates = st.sampled_from([7.0, 10.0, 24.0, 29.97, 30.0, 60.0, 64.0, 100.0, 120.0, 128.0, 1000.0])
origins = st.sampled_from([0, 1, -5_000_000, 1_700_000_000_000_000, 2**62 - 10**9, -(2**62) + 1])


@st.composite
def recordings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Times (n,), values (n, 2) and where to cut them."""
    steps = draw(st.lists(st.integers(1, 90_000), max_size=40))
    times = np.int64(draw(origins)) + np.cumsum([0, *steps])
    values = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(len(times), 2))
    cuts = draw(st.lists(st.integers(1, len(times)), unique=True))
    return times, values, sorted({0, len(times), *cuts})


def whole(rate: float, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grid times, the values there, and the frame that each has or follows."""
    placed = Resampler(rate).push(times.tolist())
    columns = tuple(f"c{i}" for i in range(values.shape[1]))
    feature_map = FeatureMap(feature_skeleton("machine", columns, rate), tuple(range(len(columns))))
    points = feature_map.poses_at(values, placed.left, placed.share)
    return np.array(placed.times_us), points, np.array(placed.left)


@given(rates, recordings())
def test_cutting_a_recording_into_pushes_changes_nothing(rate: float, cut: tuple[np.ndarray, ...]) -> None:
    times, _, bounds = cut
    resampler = Resampler(rate)
    parts: list[tuple[int, int, float]] = []
    for start, end in itertools.pairwise(bounds):
        placed = resampler.push(times[start:end].tolist())
        parts += zip(placed.times_us, [left + start for left in placed.left], placed.share, strict=True)
    expected = Resampler(rate).push(times.tolist())
    assert parts == list(zip(expected.times_us, expected.left, expected.share, strict=True))


@given(rates, recordings())
def test_the_grid_is_even_and_reaches_the_newest_frame(rate: float, cut: tuple[np.ndarray, ...]) -> None:
    times, values, _ = cut
    grid, _, left = whole(rate, times, values)
    # Python's integers: as floats these times would be hundreds of microseconds off
    since = [int(t) - int(times[0]) for t in grid]
    assert all(abs(t - k * 1e6 / rate) <= 0.51 for k, t in enumerate(since))
    early = int(EARLY * 1e6 / rate)
    assert int(grid[-1]) <= int(times[-1]) + early
    assert len(grid) * 1e6 / rate > int(times[-1]) - int(times[0]) + early - 0.51
    for point, index in zip(grid, left, strict=True):
        met = [k for k, t in enumerate(times) if int(point) - early <= t <= point]
        assert index == (met[0] if met else max(k for k, t in enumerate(times) if t <= point))


@given(rates, recordings())
def test_values_are_those_of_linear_interpolation(rate: float, cut: tuple[np.ndarray, ...]) -> None:
    times, values, _ = cut
    grid, points, left = whole(rate, times, values)
    since, at = (times - times[0]).astype(float), (grid - times[0]).astype(float)
    early = grid - times[left] <= int(EARLY * 1e6 / rate)
    for column in range(2):
        between = np.interp(at, since, values[:, column])
        np.testing.assert_allclose(points[:, column], np.where(early, values[left, column], between), atol=1e-12)


@pytest.mark.parametrize("block", [1, 5, 7])
def test_times_that_are_rounded_block_by_block_do_not_make_a_frame_late(block: int) -> None:
    """Every frame is on the grid although it is early by up to two microseconds."""
    resampler = Resampler(30.0)
    for first in range(0, 900 // block * block, block):
        times = round(first * 1e6 / 30) - first % 3 + np.rint(np.arange(block) * 1e6 / 30).astype(np.int64)
        placed = resampler.push(times.tolist())
        assert (placed.left, placed.share) == (list(range(block)), [0.0] * block)


@pytest.mark.parametrize(("source", "model"), [(120.0, 30.0), (60.0, 30.0), (90.0, 30.0), (30.0, 30.0), (240.0, 120.0)])
def test_frames_on_the_grid_pass_unchanged(source: float, model: float) -> None:
    times = even_times(3600, source)
    values = np.random.default_rng(0).normal(size=(3600, 3))
    every = round(source / model)
    grid, points, left = whole(model, times, values)
    assert grid.tobytes() == times[::every].tobytes()
    assert points.tobytes() == values[::every].tobytes()
    assert left.tolist() == list(range(0, 3600, every))


def test_a_slow_source_is_filled_in_between_frames() -> None:
    resampler = Resampler(40.0)
    assert resampler.push([0]).times_us == [0]
    placed = resampler.push([100_000])
    assert placed.times_us == [25_000, 50_000, 75_000, 100_000]
    assert placed.left == [-1, -1, -1, 0]  # after the frame before this push, and at this one
    assert placed.share == [0.25, 0.5, 0.75, 0.0]
