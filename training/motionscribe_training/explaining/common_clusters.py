"""Clusters that several recordings share: every stream gives its newborn clusters numbers of its own.

In: what was watched of several recordings, of one model. Out: the same with clusters numbered in common, from 1 on,
by how much motion they have. Clusters of two streams are one where average linkage joins their means below the radius,
at which a stream itself makes a new cluster. Names are not looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.watched import Watched


@dataclass(frozen=True, eq=False)
class Common:
    """Recordings with clusters in common."""

    watched: tuple[Watched, ...]
    """`clusters` are common numbers, 0 for no label; `states` stay those of each stream."""
    names: dict[int, str]
    """Cluster -> the name that streams gave to most of its motion, else its number."""
    centres: dict[int, Array]
    """Cluster -> (d,) mean of the embedding over all of its moments."""


def in_common(watched: Sequence[Watched], radius: float) -> Common:
    """Raises ValueError where no moment has a label. `radius` is the model's, in embedding units."""
    owners, means, sizes = _clusters(watched)
    if not owners:
        raise ValueError("expected moments with a label, got none")
    joined = np.ones(1, np.int64)
    if len(owners) > 1:
        joined = np.asarray(fcluster(linkage(np.array(means), "average"), radius, "distance"), np.int64)
    # the cluster of most motion is 1; of equals the one that was seen first
    weights = {int(group): sum(sizes[i] for i in np.flatnonzero(joined == group)) for group in joined}
    order = sorted(weights, key=lambda group: -weights[group])
    number = {owner: order.index(int(group)) + 1 for owner, group in zip(owners, joined, strict=True)}
    renumbered = tuple(
        replace(part, clusters=np.array([number.get((i, cluster), 0) for cluster in part.clusters.tolist()], np.int64))
        for i, part in enumerate(watched)
    )
    points = np.concatenate([part.embeddings for part in renumbered])
    labels = np.concatenate([part.clusters for part in renumbered])
    centres = {n: np.asarray(points[labels == n].mean(axis=0)) for n in range(1, len(order) + 1)}
    return Common(renumbered, _names(watched, owners, sizes, number), centres)


def _clusters(watched: Sequence[Watched]) -> tuple[list[tuple[int, int]], list[Array], list[int]]:
    """(recording, cluster) of each, mean and number of moments."""
    owners: list[tuple[int, int]] = []
    means: list[Array] = []
    sizes: list[int] = []
    for i, part in enumerate(watched):
        for cluster in dict.fromkeys(part.clusters[part.clusters > 0].tolist()):
            own = part.clusters == cluster
            owners.append((i, cluster))
            means.append(np.asarray(part.embeddings[own].mean(axis=0)))
            sizes.append(int(own.sum()))
    return owners, means, sizes


def _names(
    watched: Sequence[Watched], owners: list[tuple[int, int]], sizes: list[int], number: dict[tuple[int, int], int]
) -> dict[int, str]:
    votes: dict[int, dict[str, int]] = {n: {} for n in number.values()}
    for owner, size in zip(owners, sizes, strict=True):
        name = next((state.name for state in watched[owner[0]].states if state.id == owner[1]), "")
        if name:
            own = votes[number[owner]]
            own[name] = own.get(name, 0) + size
    return {n: max(own, key=lambda name: own[name]) if own else str(n) for n, own in sorted(votes.items())}
