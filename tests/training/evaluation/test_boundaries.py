"""Boundaries and the delays at them, against slow, obvious twins and hand-made cases."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.label_pairs import PERIOD_US, label_pairs, score_of

from motionscribe_training.evaluation.metrics import Labels, boundary_f1, detection_delays, runs

positions = st.lists(st.integers(0, 30), max_size=5, unique=True).map(lambda found: np.array(sorted(found), np.int64))
intervals = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=5).map(
    lambda found: np.array(sorted((a, a + length) for a, length in found), np.int64).reshape(-1, 2)
)


@given(positions, intervals)
def test_boundary_f1_with_the_largest_of_all_pairings(predicted: Labels, accepted: Labels) -> None:
    def most(rest: list[int], left: frozenset[int]) -> int:
        if not rest:
            return 0
        fits = [i for i in left if accepted[i, 0] <= rest[0] <= accepted[i, 1]]
        return max([most(rest[1:], left), *(1 + most(rest[1:], left - {i}) for i in fits)])

    hits = most(predicted.tolist(), frozenset(range(len(accepted))))
    total = len(predicted) + len(accepted)
    assert boundary_f1(predicted, accepted) == pytest.approx(2 * hits / total if total else 1.0)


def test_boundary_tolerance_is_inclusive_and_each_is_used_once() -> None:
    accepted = np.array([[100, 200], [150, 250]])
    assert boundary_f1(np.array([100, 250]), accepted) == 1
    assert boundary_f1(np.array([99, 251]), accepted) == 0
    # 160 lies in both, 120 in the first only: both count
    assert boundary_f1(np.array([120, 160]), accepted) == 1
    assert boundary_f1(np.array([110, 120, 130]), accepted) == pytest.approx(2 / 5)


def test_half_second_tolerance_is_in_time() -> None:
    truth = np.repeat([0, 1], 60)
    for shift, expected in ((15, 1.0), (16, 0.0)):
        found = score_of(truth, np.roll(truth, shift)[: len(truth)] * (np.arange(120) >= shift))
        assert found.boundary_f1_half_second == expected
        assert found.boundary_f1 == 0


@given(label_pairs())
def test_delays_by_looking_at_every_frame(pair: tuple[Labels, Labels]) -> None:
    truth, matched = pair
    times = np.arange(len(truth)) * PERIOD_US
    emitted = times + 7 * PERIOD_US
    starts = [start for start, _, _ in runs(truth)[1:]]
    expected = []
    for start, end in pairwise([*starts, len(truth)]):
        delay = math.inf
        for frame in reversed(range(start, end)):
            rest = [matched[k] == truth[k] for k in range(frame, end)]
            if rest[0] and sum(rest) >= 0.9 * len(rest):
                delay = (emitted[frame] - times[start]) / 1e6
        expected.append(delay)
    assert detection_delays(truth, matched, times, emitted, times[starts]) == pytest.approx(expected)


def test_delay_waits_for_the_label_that_stays() -> None:
    times = np.arange(60) * 100_000
    truth = np.repeat([0, 1], 30)
    matched = truth.copy()
    matched[30:40] = 0
    matched[32] = 1  # right for a moment only
    assert detection_delays(truth, matched, times, times + 500_000, times[[30]]) == [1.5]
    matched[41:50] = 0
    assert detection_delays(truth, matched, times, times, times[[30]]) == [2.0]
    matched[30:] = 0
    assert detection_delays(truth, matched, times, times, times[[30]]) == [math.inf]


def test_a_boundary_that_is_never_found_counts_as_the_longest_delay() -> None:
    truth = np.repeat([0, 1, 2, 3], 30)
    matched = truth.copy()
    matched[30:60] = 0
    found = score_of(truth, matched, late_us=250_000)
    assert found.delays_s == (math.inf, 0.25, 0.25)
    assert (found.delay_median_s, found.delay_p95_s) == (0.25, 0.25)
    assert found.never_found == pytest.approx(1 / 3)
