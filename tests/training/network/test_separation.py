"""Separation of states: against slow twins and known cases, whatever the scale; the rules to stop and to warn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.arrays import Array
from motionscribe_training.network.curve import Point
from motionscribe_training.network.overtraining import LATEST, overtrained
from motionscribe_training.network.separation import (
    Groups,
    centroid_distance,
    groups_of,
    leading_share,
    nearest_right,
    numbered,
    separation,
    unlabelled,
    without_rise,
)


def blobs(seed: int, apart: float, count: int = 3, each: int = 20, width: int = 5) -> tuple[Array, Groups]:
    """`count` round groups of points whose centroids are `apart` times a random direction."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), each)
    return rng.normal(size=(count, width))[groups] * apart + rng.normal(size=(len(groups), width)), groups


def slow_fisher(points: Array, groups: Groups) -> float:
    mean, between, within = points.mean(axis=0), 0.0, 0.0
    for point, group in zip(points, groups, strict=True):
        own = points[groups == group].mean(axis=0)
        between += sum((own - mean) ** 2)
        within += sum((point - own) ** 2)
    return between / within


seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, apart=st.floats(0.0, 10.0), scale=st.floats(1e-3, 1e3), shift=st.floats(-10.0, 10.0))
def test_separation_is_that_of_its_slow_twin_whatever_the_scale(
    seed: int, apart: float, scale: float, shift: float
) -> None:
    points, groups = blobs(seed, apart)
    found = separation(points, groups)
    assert found.fisher == pytest.approx(slow_fisher(points, groups))
    turned, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))
    again = separation(points @ turned * scale + shift, groups)
    assert (again.fisher, again.distance, again.leading) == pytest.approx(
        (found.fisher, found.distance, found.leading), rel=1e-6
    )


def test_a_known_case() -> None:
    points = np.array([[0.0, 1.0], [0.0, -1.0], [4.0, 1.0], [4.0, -1.0]])
    found = separation(points, np.array([0, 0, 7, 7]))
    assert (found.fisher, found.distance, found.leading) == pytest.approx((4.0, 4.0, 1.0))
    assert centroid_distance(points, np.array([0, 0, 7, 7])) == pytest.approx(4.0)
    assert separation(np.array([[0.0], [1.0]]), np.array([0, 1])).fisher == math.inf
    assert separation(np.zeros((4, 2)), np.array([0, 0, 1, 1])).fisher == 0
    with pytest.raises(ValueError, match="at least two groups to part, got 1 of 3 points"):
        separation(np.zeros((3, 2)), np.zeros(3, np.int64))


def test_groups_that_part_are_seen_without_labels_too() -> None:
    close, far = blobs(0, 0.0, count=8)[0], blobs(0, 8.0, count=8)[0]
    assert unlabelled(far).fisher > 10 * unlabelled(close).fisher
    assert np.array_equal(groups_of(far, seed=3), groups_of(far, seed=3))
    assert unlabelled(np.ones((20, 4))).fisher == 0


@given(seed=seeds, kept=st.integers(1, 4))
def test_the_leading_share_is_that_of_the_covariance(seed: int, kept: int) -> None:
    points = np.random.default_rng(seed).normal(size=(30, 6)) * np.arange(1, 7)
    strengths = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1]
    assert leading_share(points, kept) == pytest.approx(strengths[:kept].sum() / strengths.sum())


@given(seed=seeds, apart=st.floats(0.0, 3.0))
def test_leaving_out_a_piece_is_that_of_its_slow_twin(seed: int, apart: float) -> None:
    points, groups = blobs(seed, apart, each=6)
    pieces = np.arange(len(points)) // 2
    groups[-2:] = 9  # the only piece of its group
    right = []
    for point, group, piece in zip(points, groups, pieces, strict=True):
        rest = pieces != piece
        means = {g: points[rest & (groups == g)].mean(axis=0) for g in groups[rest]}
        if group in means:
            right.append(group == min(means, key=lambda g: float(np.linalg.norm(means[g] - point))))
    assert nearest_right(points, groups, pieces) == pytest.approx(np.mean(right))
    assert len(right) == len(points) - 2
    assert math.isnan(nearest_right(points[:2], groups[:2], pieces[:2]))


def test_labels_are_numbered_as_they_come() -> None:
    assert numbered(["walk", "run", "walk"]).tolist() == [0, 1, 0]


# --- when to stop


def test_small_rises_add_up_until_one_counts() -> None:
    assert without_rise([]) == 0
    assert without_rise([1.0]) == 0
    assert without_rise([1.0, 1.019, 1.019]) == 2
    assert without_rise([1.0, 1.019, 1.021]) == 0
    assert without_rise([1.0, 2.0, 1.5, 1.9]) == 2
    assert without_rise([0.0, 0.0, 0.1]) == 0


def test_what_is_learnt_by_heart_gets_worse_on_what_is_held_back() -> None:
    falling = [Point(n, 1.0 / n, 1.0 / n) for n in range(1, 11)]
    assert not overtrained([])
    assert not overtrained(falling)
    after = [Point(10 + n, 0.09 - n / 1000, 0.1 + n / 100) for n in range(1, LATEST + 1)]
    assert overtrained([*falling, *after])
    assert not overtrained([*falling, *after[:-1]]), "one less than LATEST may be chance"
    assert not overtrained([*falling, *(Point(p.iteration, 0.2, p.validation) for p in after)]), (
        "training fell back too"
    )
    assert not overtrained([*falling, *(Point(p.iteration, p.training, 0.1015) for p in after)]), "within RISEN"
