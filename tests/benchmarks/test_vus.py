"""VUS-PR against its definition, moment by moment and threshold by threshold."""

from math import sqrt

import numpy as np
import pytest
from benchmarks.anomaly.vus import Mask, area, buffered, runs, vus_pr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from motionscribe_models.arrays import Array

COUNT = 24
Truths = arrays(np.bool_, COUNT).filter(lambda truth: bool(truth.any()))
Scores = arrays(np.float64, COUNT, elements=st.integers(0, 6).map(float))  # with ties


def slow_area(truth: Mask, scores: Array, buffer: int) -> float:
    """The same as the paper writes it."""
    faults = runs(truth)
    weights = []
    for moment in range(len(truth)):
        weight = 1.0 if truth[moment] else 0.0
        for start, end in faults:
            distance = max(start - moment, moment - (end - 1))
            if distance > 0 and distance <= buffer / 2:
                weight += sqrt(1 - distance / buffer)
        weights.append(min(weight, 1.0))
    positive = (sum(truth.tolist()) + sum(weights)) / 2
    extended = runs(np.array(weights) > 0)
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        predicted = [score >= threshold for score in scores.tolist()]
        hits = sum(weight for weight, said in zip(weights, predicted, strict=True) if said)
        existence = sum(any(predicted[start:end]) for start, end in extended) / len(extended)
        recall = min(hits / positive, 1.0) * existence
        total += (recall - before) * hits / sum(predicted)
        before = recall
    return total


@given(truth=Truths, scores=Scores, buffer=st.integers(0, 12))
def test_the_area_is_that_of_the_definition(truth: Mask, scores: Array, buffer: int) -> None:
    assert area(truth, scores, buffer) == pytest.approx(slow_area(truth, scores, buffer))


@given(truth=Truths, scores=Scores)
def test_the_volume_lies_between_nothing_and_all_and_knows_only_the_order(truth: Mask, scores: Array) -> None:
    volume = vus_pr(truth, scores, 5)
    assert 0 < volume <= 1 + 1e-12
    assert vus_pr(truth, np.exp(2 * scores), 5) == pytest.approx(volume)


def test_without_a_buffer_a_perfect_score_has_all() -> None:
    truth = np.zeros(COUNT, bool)
    truth[8:14] = True
    assert vus_pr(truth, truth.astype(float), 0) == 1
    assert vus_pr(truth, np.zeros(COUNT), 0) == pytest.approx(0.25)  # all pass at once
    assert vus_pr(truth, np.arange(COUNT) - 100.0 * truth, 0) < 0.25  # the fault comes last


def test_a_buffer_forgives_an_alarm_that_is_a_little_late_and_not_one_that_is_far_off() -> None:
    truth = np.zeros(60, bool)
    truth[20:30] = True
    late, far = np.roll(truth, 3).astype(float), np.roll(truth, 25).astype(float)
    gain = vus_pr(truth, late, 10) - vus_pr(truth, late, 0)
    assert gain > 2 * (vus_pr(truth, far, 10) - vus_pr(truth, far, 0))


def test_buffers_fall_off_on_both_sides_and_never_count_twice() -> None:
    truth = np.array([False, False, False, True, False, True, False])
    assert buffered(truth, 0).tolist() == truth.astype(float).tolist()
    side = sqrt(3 / 4), sqrt(2 / 4)
    assert buffered(truth, 4) == pytest.approx([0, side[1], side[0], 1, 1, 1, side[0]])


def test_nothing_true_is_no_question() -> None:
    with pytest.raises(ValueError, match="expected moments in a fault"):
        vus_pr(np.zeros(4, bool), np.zeros(4), 2)
