"""How far groups of decoder states stand apart, in numbers that do not depend on how large the states are.

In: points (n, H), one for each piece of motion, and a group for each; where there are no annotations, k-means makes the
groups. Out: Separation. It knows no network, recording or file: checkpoints.py and trained.py have those, and training
stops by it (network/trainer.py). The idea is that of Su and Shlizerman (2020): clusters part during training, and once
they no longer do, training is done.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from motionscribe_models.arrays import Array

GROUPS = 8
"""Groups of k-means where nobody says how many there are: recordings of several actions have 5 to 12."""
STARTS = 4
"""Of k-means; the best is taken. With one, what was found differed more than from checkpoint to checkpoint."""
LEADING = 3
"""Components whose share of the variance is told: as many as a picture of the embedding has."""
RISE = 0.02
"""A rise of the Fisher ratio by a smaller share is none. From one validation to the next it wavered by 0.5 to 2 % at
the median, in three runs on four trials of CMU subject 86 (128 units)."""

Groups = NDArray[np.int64]


@dataclass(frozen=True)
class Separation:
    """How far groups stand apart."""

    fisher: float
    """Scatter between the groups over scatter within them: the traces of both, so that no direction counts more than
    another. 0 where all have one mean, infinite where each group is one point."""
    distance: float
    """Mean distance of two centroids over the root mean square distance of a point from its own."""
    leading: float
    """Share of the variance in the first LEADING principal components, 0 to 1."""


def separation(points: NDArray[np.floating], groups: Groups) -> Separation:
    """Of points (n, H) in groups (n,) >= 0. Raises ValueError for less than two groups."""
    values = np.asarray(points, np.float64)
    numbers, members = np.unique(groups, return_inverse=True)
    if len(numbers) < 2:
        raise ValueError(f"expected at least two groups to part, got {len(numbers)} of {len(values)} points")
    sizes = np.bincount(members).astype(np.float64)
    centroids = np.array([values[members == number].mean(axis=0) for number in range(len(numbers))])
    within = float(np.square(values - centroids[members]).sum(axis=1).mean())
    between = float(sizes @ np.square(centroids - values.mean(axis=0)).sum(axis=1) / len(values))
    first, second = np.triu_indices(len(numbers), 1)
    apart = float(np.linalg.norm(centroids[first] - centroids[second], axis=1).mean())
    return Separation(_over(between, within), _over(apart, float(np.sqrt(within))), leading_share(values))


def centroid_distance(points: NDArray[np.floating], groups: Groups) -> float:
    """Mean distance of two centroids in the units of the states: what the authors draw. It grows with the states."""
    centroids = np.array([points[groups == number].mean(axis=0) for number in np.unique(groups)], np.float64)
    first, second = np.triu_indices(len(centroids), 1)
    return float(np.linalg.norm(centroids[first] - centroids[second], axis=1).mean())


def leading_share(points: NDArray[np.floating], count: int = LEADING) -> float:
    """Share of the variance of points (n, H) in their first `count` principal components; 1 for a single place."""
    values = np.asarray(points, np.float64)
    strengths = np.square(np.linalg.svd(values - values.mean(axis=0), compute_uv=False))
    return float(strengths[:count].sum() / strengths.sum()) if strengths.sum() > 0 else 1.0


def groups_of(points: NDArray[np.floating], count: int = GROUPS, seed: int = 0) -> Groups:
    """Groups (n,) of points (n, H) by k-means; the same points and seed give the same groups."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer places than groups: then there are fewer groups
        found = KMeans(min(count, len(points)), n_init=STARTS, random_state=seed).fit(np.asarray(points, np.float64))
    return np.asarray(found.labels_, np.int64)


def unlabelled(points: NDArray[np.floating]) -> Separation:
    """Of points (n, H) without annotation, in groups of k-means. Points in one place are not apart at all."""
    groups = groups_of(points)
    return separation(points, groups) if groups.any() else Separation(0.0, 0.0, 1.0)


def numbered(labels: Sequence[str]) -> Groups:
    """Actions (n,) as groups, numbered by first appearance."""
    known = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return np.array([known[label] for label in labels], np.int64)


def nearest_right(points: Array, groups: Groups, pieces: Groups) -> float:
    """Share of points (n, H) that are nearest to the mean of their own group, but for the piece (n,) that each is of.

    Neighbours in time resemble each other: what was left in would be found again. Groups of one piece are not asked
    for, since nothing else of them was seen; they may be found wrongly. Nan where all are such.
    """
    numbers = np.unique(groups)
    own = (groups[:, None] == numbers).astype(np.float64)  # (n, g)
    right: list[bool] = []
    for piece in np.unique(pieces):
        left = pieces != piece
        sizes = own[left].sum(axis=0)
        means = (own[left].T @ points[left]) / np.maximum(sizes, 1)[:, None]  # (g, H)
        distances = np.linalg.norm(points[~left, None] - means, axis=2)
        nearest = numbers[np.argmin(np.where(sizes > 0, distances, np.inf), axis=1)]
        true = groups[~left]
        right += (nearest == true)[np.isin(true, numbers[sizes > 0])].tolist()
    return float(np.mean(right)) if right else float("nan")


def without_rise(series: Sequence[float]) -> int:
    """How many values came since the last that was RISE above all earlier ones: the rule of `train --stop separation`.

    Many small rises add up: each is compared with the last that counted.
    """
    best, place = 0.0, 0
    for i, value in enumerate(series):
        if i == 0 or value > best * (1 + RISE):
            best, place = value, i
    return len(series) - 1 - place if series else 0


def _over(above: float, below: float) -> float:
    if below > 0:
        return above / below
    return float("inf") if above > 0 else 0.0
