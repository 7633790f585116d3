"""Which cluster follows which, how long each lasts, and how much each is used as time goes on.

In: what was watched of one or more recordings, with clusters in common (common_clusters.py). Out: Transitions and
Usage. Nothing follows across a gap or the end of a recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_training.evaluation.metrics import Labels
from motionscribe_training.explaining.watched import Watched


@dataclass(frozen=True)
class Dwell:
    """How long visits of one cluster last, in seconds."""

    visits: int
    """Runs of the cluster, those cut by an end of a recording included."""
    quartiles_s: tuple[float, float, float] | None
    """25th, 50th and 75th percentile over the runs that were seen whole; None where none was."""

    @property
    def median_s(self) -> float | None:
        """None where no run was seen whole."""
        return self.quartiles_s[1] if self.quartiles_s else None


@dataclass(frozen=True, eq=False)
class Transitions:
    """c clusters and the changes between them."""

    clusters: tuple[int, ...]
    """(c,) ascending."""
    counts: Labels
    """(c, c): how often the column's cluster came right after the row's; the diagonal is 0."""
    dwell: tuple[Dwell, ...]
    """(c,)"""

    @property
    def probabilities(self) -> Array:
        """(c, c): rows sum to 1, or to 0 for a cluster after which nothing ever came."""
        after = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.maximum(after, 1))


@dataclass(frozen=True, eq=False)
class Usage:
    """Shares of motion in spans of time, one after another."""

    clusters: tuple[int, ...]
    shares: Array
    """(m, c): share of the labelled time of each span; rows sum to 1, or to 0 where nothing was labelled."""
    span_s: float


def transitions(watched: Sequence[Watched]) -> Transitions:
    """Moments without a label (0) end a run, and nothing follows across them."""
    clusters = clusters_in(watched)
    place = {cluster: i for i, cluster in enumerate(clusters)}
    counts = np.zeros((len(clusters), len(clusters)), np.int64)
    visits = [0] * len(clusters)
    whole: list[list[float]] = [[] for _ in clusters]
    for part in watched:
        pieces = part.labelled()
        for one, following in pairwise(pieces):
            if one.end == following.start:
                counts[place[int(one.label)], place[int(following.label)]] += 1
        for piece in pieces:
            own = place[int(piece.label)]
            visits[own] += 1
            if piece.start > 0 and piece.end < part.moments:
                whole[own].append(float(part.times_us[piece.end] - part.times_us[piece.start]) / 1e6)
    return Transitions(clusters, counts, tuple(_dwell(n, lasted) for n, lasted in zip(visits, whole, strict=True)))


def usage(watched: Watched, span_s: float = 60.0) -> Usage:
    """Shares of one recording, counted from its first moment; the last span may be shorter."""
    clusters = clusters_in([watched])
    spans = ((watched.times_us - watched.times_us[0]) // round(span_s * 1e6)).astype(np.int64)
    shares = np.zeros((int(spans[-1]) + 1, len(clusters)))
    lasts = np.diff(np.append(watched.times_us, watched.end_us))
    for i, cluster in enumerate(clusters):
        own = watched.clusters == cluster
        np.add.at(shares[:, i], spans[own], lasts[own])
    return Usage(clusters, shares / np.maximum(shares.sum(axis=1, keepdims=True), 1), span_s)


def clusters_in(watched: Sequence[Watched]) -> tuple[int, ...]:
    """All clusters that label a moment, ascending."""
    return tuple(sorted({cluster for part in watched for cluster in part.clusters.tolist() if cluster > 0}))


def _dwell(visits: int, lasted: list[float]) -> Dwell:
    if not lasted:
        return Dwell(visits, None)
    low, middle, high = np.percentile(lasted, (25, 50, 75)).tolist()
    return Dwell(visits, (low, middle, high))
