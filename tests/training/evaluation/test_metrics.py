"""metrics.py against slow, obvious twins, hand-made cases and what must hold for any labels."""

import math
from functools import cache
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.label_pairs import PERIOD_US, label_pairs, labels_of, score_of

from motionscribe_training.evaluation.metrics import (
    Labels,
    edit_score,
    match_clusters,
    mean_score,
    runs,
    score,
    scored_frames,
    segment_f1,
)


@given(label_pairs())
def test_match_agrees_with_the_best_of_all_matchings(pair: tuple[Labels, Labels]) -> None:
    truth, predicted = pair
    clusters = np.unique(predicted[predicted >= 0]).tolist()
    seats = [*np.unique(truth).tolist(), *([-2] * len(clusters))]
    best = 0.0
    for seating in permutations(seats, len(clusters)):
        names = dict(zip(clusters, seating, strict=True))
        best = max(best, float(np.mean([names.get(p, -2) == t for p, t in zip(predicted, truth, strict=True)])))
    assert np.mean(match_clusters(truth, predicted) == truth) == pytest.approx(best)


@given(label_pairs())
def test_match_renames_clusters_and_changes_nothing_else(pair: tuple[Labels, Labels]) -> None:
    truth, predicted = pair
    matched = match_clusters(truth, predicted)
    names = set(zip(predicted.tolist(), matched.tolist(), strict=True))
    assert len(names) == len(set(predicted.tolist())) == len(set(matched.tolist()))
    assert all((p == -1) == (m == -1) for p, m in names)


@given(label_pairs())
def test_adjusted_rand_and_mutual_information_by_their_definitions(pair: tuple[Labels, Labels]) -> None:
    truth, predicted = pair
    found = score_of(truth, predicted)
    pairs = [(truth[i] == truth[j], predicted[i] == predicted[j]) for i, j in combinations(range(len(truth)), 2)]
    together = sum(t and p for t, p in pairs)
    in_truth, in_predicted = sum(t for t, _ in pairs), sum(p for _, p in pairs)
    chance = in_truth * in_predicted / len(pairs) if pairs else 0.0
    largest = (in_truth + in_predicted) / 2
    assert found.ari == pytest.approx((together - chance) / (largest - chance) if largest != chance else 1.0)

    def entropy(values: list[object]) -> float:
        shares = [values.count(value) / len(values) for value in set(values)]
        return -sum(share * math.log(share) for share in shares)

    t, p = truth.tolist(), predicted.tolist()
    shared = entropy(t) + entropy(p) - entropy(list(zip(t, p, strict=True)))
    spread = (entropy(t) + entropy(p)) / 2
    assert found.nmi == pytest.approx(shared / spread if spread else 1.0, abs=1e-9)


@given(label_pairs(), st.sampled_from([0.10, 0.25, 0.50]))
def test_segment_f1_with_sets_of_frames(pair: tuple[Labels, Labels], overlap: float) -> None:
    truth, guess = pair
    true = [(label, set(range(a, b))) for a, b, label in runs(truth)]
    guessed = [(label, set(range(a, b))) for a, b, label in runs(guess)]
    left = list(range(len(true)))
    for label, frames in guessed:
        fits = [len(frames & other) / len(frames | other) * (label == name) for name, other in true]
        best = max(range(len(true)), key=fits.__getitem__)
        if fits[best] >= overlap and best in left:
            left.remove(best)
    hits = len(true) - len(left)
    precision, recall = hits / len(guessed), hits / len(true)
    expected = 2 * precision * recall / (precision + recall) if hits else 0.0
    assert segment_f1(truth, guess, overlap) == pytest.approx(expected)


@given(label_pairs())
def test_edit_score_by_its_recursion(pair: tuple[Labels, Labels]) -> None:
    true, guessed = ([label for _, _, label in runs(labels)] for labels in pair)

    @cache
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        change = distance(i - 1, j - 1) + (true[i - 1] != guessed[j - 1])
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, change)

    expected = 1 - distance(len(true), len(guessed)) / max(len(true), len(guessed))
    assert edit_score(*pair) == pytest.approx(expected)


def test_segment_f1_counts_a_true_segment_once() -> None:
    truth = np.repeat([0, 1], 10)
    broken = np.array([0] * 6 + [2] + [0] * 3 + [1] * 10)
    # three of the four guesses are right or nearly, two of them in the same true segment
    assert segment_f1(truth, broken, 0.5) == pytest.approx(2 * 2 / (2 + 4))
    # 0.6 of the first true segment is no longer enough at 0.75
    assert segment_f1(truth, broken, 0.75) == pytest.approx(2 * 1 / (2 + 4))


def test_over_segmentation_is_seen_by_edit_and_not_by_accuracy() -> None:
    truth = np.repeat([0, 1], 50)
    flicker = truth.copy()
    flicker[10:50:10] = 1
    found = score_of(truth, flicker)
    assert found.accuracy == 0.96
    assert found.edit == pytest.approx(1 - 8 / 10)
    assert found.segments_per_true == 5


@given(labels_of(4), st.permutations(range(4)))
def test_perfect_labels_score_one_whatever_the_clusters_are_called(truth: Labels, ids: list[int]) -> None:
    found = score_of(truth, 10 * np.array(ids)[truth] + 3)
    perfect = (found.accuracy, found.ari, found.nmi, found.f1_10, found.f1_25, found.f1_50, found.edit)
    assert perfect == pytest.approx((1,) * 7)
    assert (found.boundary_f1, found.boundary_f1_half_second, found.segments_per_true) == (1, 1, 1)
    assert all(delay == 0 for delay in found.delays_s)
    assert found.clusters == found.classes


@given(label_pairs(), st.permutations(range(4)))
def test_numbering_of_clusters_does_not_matter(pair: tuple[Labels, Labels], ids: list[int]) -> None:
    truth, predicted = pair
    renamed = np.where(predicted < 0, -1, 10 * np.array(ids)[predicted] + 3)
    before, after = score_of(truth, predicted), score_of(truth, renamed)
    assert before.ari == pytest.approx(after.ari)
    assert before.nmi == pytest.approx(after.nmi)
    for metric in ("accuracy", "f1_10", "f1_25", "f1_50", "edit", "boundary_f1", "delays_s", "segments_per_true"):
        assert getattr(before, metric) == getattr(after, metric)


@given(label_pairs())
def test_scores_stay_between_zero_and_one(pair: tuple[Labels, Labels]) -> None:
    found = score_of(*pair)
    assert 0 <= found.f1_50 <= found.f1_25 <= found.f1_10 <= 1
    rounding = 1e-9
    for value in (found.accuracy, found.nmi, found.edit, found.boundary_f1_half_second, abs(found.ari)):
        assert -rounding <= value <= 1 + rounding


def test_one_label_for_all_scores_the_share_of_the_largest_class() -> None:
    truth = np.repeat([0, 1, 0, 2], [30, 20, 30, 20])
    found = score_of(truth, np.zeros(100, np.int64))
    assert (found.accuracy, found.ari, found.edit) == (0.6, 0, 0.25)
    assert found.never_found == pytest.approx(2 / 3)


def test_frames_without_a_label_are_wrong() -> None:
    truth = np.repeat([0, 1], 50)
    predicted = np.where(np.arange(100) < 20, -1, truth)
    found = score_of(truth, predicted)
    assert (found.accuracy, found.clusters) == (0.8, 2)
    assert score_of(truth, np.full(100, -1)).accuracy == 0


def test_mean_pools_delays_and_leaves_out_what_was_not_annotated() -> None:
    truth = np.repeat([0, 1, 2], 30)
    times = np.arange(90) * PERIOD_US
    marks = np.stack([times[[30, 60]]] * 3, axis=1)
    sure = score(truth, truth, times, times, marks)
    unsure = score(truth, truth * 0, times, times, marks, tolerant=False)
    assert unsure.boundary_f1 is None
    mean = mean_score([sure, unsure])
    assert mean.boundary_f1 == 1
    assert mean.accuracy == pytest.approx((1 + 1 / 3) / 2)
    assert mean.delays_s == (0, 0, math.inf, math.inf)
    assert math.isinf(mean.delay_median_s or 0)
    assert mean.never_found == 0.5
    with pytest.raises(ValueError, match="at least one"):
        mean_score([])


def test_arrays_that_do_not_fit_are_refused() -> None:
    times = np.arange(3)
    marks = np.zeros((0, 3), np.int64)
    with pytest.raises(ValueError, match=r"one length, got \(3, 2, 3, 3\)"):
        score(np.zeros(3, np.int64), np.zeros(2, np.int64), times, times, marks)
    with pytest.raises(ValueError, match="got -1 and 0"):
        score(np.array([0, -1, 0]), np.zeros(3, np.int64), times, times, marks)


@given(st.integers(2, 400), st.sampled_from([30.0, 60.0, 90.0, 120.0, 240.0]), st.integers(0, 10**12))
def test_whole_multiples_of_the_rate_are_thinned_evenly(frames: int, rate_hz: float, start_us: int) -> None:
    times = start_us + np.rint(np.arange(frames) * 1e6 / rate_hz).astype(np.int64)
    assert scored_frames(times).tolist() == list(range(0, frames, round(rate_hz / 30)))


def test_a_slow_recording_is_scored_at_every_frame_and_an_uneven_one_by_time() -> None:
    assert scored_frames(np.arange(10) * 100_000).tolist() == list(range(10))
    uneven = np.concatenate([np.arange(0, 100_000, 5_000), np.arange(100_000, 200_000, 20_000)])
    # ticks every 33,333 us: frames at 0, 30, 65 ms, then 100, 120, 160 ms
    assert uneven[scored_frames(uneven)].tolist() == [0, 30_000, 65_000, 100_000, 120_000, 160_000]
