"""Where the clusters of a stream lie in a plane, and where its newest moments do: a picture for people.

In: a plane, clusters, embeddings of moments. Out: ClusterMap. The plane is the model's own: it does not turn while a
stream learns.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_server.session.clustering import ClusterState

TOO_FEW = 3
"""Clusters of a model that say nothing of the directions in which clusters differ."""


@dataclass(frozen=True, eq=False)
class ClusterMap:
    """Units are those of the embedding."""

    ids: NDArray[np.int64]
    """(c,) the cluster of each centre; one that others are part of has several."""
    places: Array
    """(c, 2)"""
    trail: Array
    """(l, 2) of the newest moments, the newest last; none before the first one."""
    end_us: int
    """The end of the newest moment."""


def map_of(plane: tuple[Array, Array], clusters: Iterable[ClusterState], moments: Array, end_us: int) -> ClusterMap:
    """The map of `clusters`, those that are merged included, and of the embeddings of `moments` (l, d)."""
    centred = [state for state in clusters if state.weight > 0]
    middle, axes = plane
    places = np.array([state.centre for state in centred]).reshape(-1, len(axes))
    ids = np.array([state.merged_into or state.id for state in centred], np.int64)
    return ClusterMap(ids, (places - middle) @ axes, (moments - middle) @ axes, end_us)


def plane_of(centres: Array) -> tuple[Array, Array]:
    """The middle (d,) of centres (n, d), and the two directions (d, 2) in which they lie farthest apart.

    Of too few centres the first two columns, which are the slowest.
    """
    if len(centres) < TOO_FEW:
        return np.zeros(centres.shape[1]), np.eye(centres.shape[1])[:, :2]
    middle = centres.mean(axis=0)
    _, _, directions = np.linalg.svd(centres - middle, full_matrices=False)
    axes = directions[:2].T
    # a direction has no sign of its own: its largest part points up
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return middle, axes * signs
