"""Whether two groups of recordings use clusters differently: a permutation test that knows how many clusters it asks.

In: recordings of two groups, with clusters in common. Out: GroupDifference, per cluster the two shares of time and p.
What is permuted is which recording belongs to which group: moments of one recording resemble each other and are no
independent witnesses. p is that of the largest difference of any cluster (Westfall and Young, 1993): the chance that
any cluster at all differs as much where groups mean nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.transitions import clusters_in
from motionscribe_training.explaining.watched import Watched

PERMUTATIONS = 10_000
"""Groupings that are looked at, at most. All of them where there are no more: 8 recordings of 16 have 12,870."""
SAME = 1e-9
"""Statistics that differ by less are equal: sums of another order round differently."""


@dataclass(frozen=True)
class ClusterDifference:
    """One cluster in both groups."""

    cluster: int
    first: float
    """Mean over the recordings of the first group of the share of labelled moments, 0 to 1."""
    second: float
    p: float
    """Chance of a difference as large in any cluster if groups meant nothing."""


@dataclass(frozen=True)
class GroupDifference:
    """Two groups of recordings."""

    clusters: tuple[ClusterDifference, ...]
    """The largest differences first."""
    groupings: int
    """How many were compared; the smallest p is 1 over it."""
    exact: bool
    """Whether those are all there are."""


def group_difference(
    first: Sequence[Sequence[Watched]], second: Sequence[Sequence[Watched]], seed: int = 0
) -> GroupDifference:
    """Groups of recordings, each the parts that `watch` gave. Raises ValueError for an empty group."""
    parts = [*first, *second]
    clusters = clusters_in([part for recording in parts for part in recording])
    shares = np.array([_shares(recording, clusters) for recording in parts]).reshape(len(parts), len(clusters))
    return share_difference(clusters, shares, len(first), seed)


def share_difference(clusters: Sequence[int], shares: Array, first: int, seed: int = 0) -> GroupDifference:
    """Shares (r, c) of r recordings, the `first` of which are one group. Raises ValueError for an empty group."""
    recordings = len(shares)
    if not 0 < first < recordings:
        raise ValueError(f"expected two groups of recordings, got {first} and {recordings - first}")
    # over all recordings, whatever the grouping: a cluster of large shares must not drown the others
    spread = shares.std(axis=0)
    scaled = np.divide(shares, spread, out=np.zeros_like(shares), where=spread > SAME)
    total = comb(recordings, first)
    exact = total <= PERMUTATIONS
    chosen = np.array(list(_all(recordings, first) if exact else _some(recordings, first, seed)))  # (g, r) bool
    differences = np.abs(chosen @ scaled / first - ~chosen @ scaled / (recordings - first))  # (g, c)
    found, largest = differences[0], differences.max(axis=1)  # the first grouping is the true one
    p = (largest[:, None] >= found - SAME).mean(axis=0)
    rows = [
        ClusterDifference(int(cluster), float(shares[:first, i].mean()), float(shares[first:, i].mean()), float(p[i]))
        for i, cluster in enumerate(clusters)
    ]
    order = sorted(range(len(rows)), key=lambda i: (rows[i].p, -abs(rows[i].first - rows[i].second)))
    return GroupDifference(tuple(rows[i] for i in order), len(chosen), exact)


def _shares(recording: Sequence[Watched], clusters: Sequence[int]) -> list[float]:
    labels = np.concatenate([part.clusters for part in recording])
    labelled = max(1, int((labels > 0).sum()))
    return [float((labels == cluster).sum()) / labelled for cluster in clusters]


def _all(recordings: int, first: int) -> Iterator[NDArray[np.bool_]]:
    """Every grouping; the true one comes first, as combinations are in order."""
    for members in combinations(range(recordings), first):
        chosen = np.zeros(recordings, np.bool_)
        chosen[list(members)] = True
        yield chosen


def _some(recordings: int, first: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """The true grouping, then random ones."""
    true = np.arange(recordings) < first
    yield true
    rng = np.random.default_rng(seed)
    for _ in range(PERMUTATIONS - 1):
        yield rng.permutation(true)
