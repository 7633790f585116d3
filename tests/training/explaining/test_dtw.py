"""The fast distances are those of an obvious recursion; tempo makes no difference, and order neither."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.arrays import Array, Single
from motionscribe_training.explaining.dtw import dtw_distances, window_rows

HOPS = st.sampled_from([(8, 4), (3, 1), (4, 4), (1, 1), (6, 2)])


def slow_windows(rows: Single, window: int, hop: int) -> list[Array]:
    padded = [*rows, *[rows[-1]] * (window - len(rows))]
    return [np.ravel(padded[start : start + window]) for start in range(0, len(padded) - window + 1, hop)]


def slow_distance(a: Single, b: Single, window: int, hop: int) -> float:
    """One cell after the other."""
    first, second = slow_windows(a, window, hop), slow_windows(b, window, hop)
    sums: dict[tuple[int, int], float] = {}
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            apart = float(np.sqrt(np.mean((x.astype(np.float64) - y) ** 2)))
            ways = [2 * apart] if i == j == 0 else []
            for before, count in (((i - 1, j - 1), 2), ((i - 1, j), 1), ((i, j - 1), 1)):
                if before in sums:
                    ways.append(sums[before] + count * apart)
            sums[i, j] = min(ways)
    return sums[len(first) - 1, len(second) - 1] / (len(first) + len(second))


def segments_of(seed: int, lengths: list[int], width: int) -> list[Single]:
    random = np.random.default_rng(seed)
    return [random.standard_normal((length, width)).astype(np.float32) for length in lengths]


@given(
    seed=st.integers(0, 2**31),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    width=st.integers(1, 4),
    windows=HOPS,
)
def test_fast_as_slow(seed: int, lengths: list[int], width: int, windows: tuple[int, int]) -> None:
    segments = segments_of(seed, lengths, width)
    found = dtw_distances(segments, *windows)
    expected = [[slow_distance(a, b, *windows) if a is not b else 0 for b in segments] for a in segments]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(found, found.T)


@given(
    seed=st.integers(0, 2**31),
    tempo=st.lists(st.integers(1, 4), min_size=5, max_size=12),
    other=st.lists(st.integers(1, 4), min_size=5, max_size=12),
)
def test_a_copy_at_another_tempo_is_no_distance_away(seed: int, tempo: list[int], other: list[int]) -> None:
    (poses,) = segments_of(seed, [min(len(tempo), len(other))], 3)
    copies = [np.repeat(poses, times[: len(poses)], axis=0) for times in (tempo, other)]
    # a window of one row: longer ones see the tempo
    assert dtw_distances(copies, 1, 1).max() < 1e-6
    assert dtw_distances([copies[0], copies[1] + 1], 1, 1)[0, 1] > 0.1


def test_one_window_each_is_the_plain_distance() -> None:
    a, b = segments_of(1, [8, 11], 3)
    expected = np.sqrt(np.mean((a - b[:8]) ** 2))
    assert dtw_distances([a, b], 8, 4)[0, 1] == pytest.approx(expected)


def test_a_constant_offset_is_its_own_size_whatever_the_lengths() -> None:
    still = [np.full((length, 2), value, np.float32) for length, value in ((9, 0.0), (40, 3.0), (3, 5.0))]
    np.testing.assert_allclose(dtw_distances(still, 8, 4), [[0, 3, 5], [3, 0, 2], [5, 2, 0]], atol=1e-6)


def test_identical_segments_are_far_from_the_origin_and_not_from_each_other() -> None:
    (a,) = segments_of(2, [30], 4)
    assert dtw_distances([a + 1000, a + 1000, a + 1001], 8, 4)[0].tolist() == pytest.approx([0, 0, 1], abs=1e-4)


def test_windows_last_as_long_in_rows_of_moments() -> None:
    assert window_rows(1) == (8, 4)
    assert window_rows(3) == (3, 1)
    assert window_rows(20) == (1, 1)


@given(st.floats(0.25, 30))
def test_windows_are_whole_hops_and_about_as_long(frames_per_row: float) -> None:
    window, hop = window_rows(frames_per_row)
    assert window % hop == 0
    assert abs(hop * frames_per_row - 4) <= max(frames_per_row / 2, frames_per_row - 4) + 1e-9


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row, got an empty one"):
        dtw_distances([np.zeros((0, 2), np.float32), np.zeros((3, 2), np.float32)], 1, 1)
    with pytest.raises(ValueError, match="got 8 rows and hops of 3"):
        dtw_distances([np.zeros((9, 2), np.float32)], 8, 3)
