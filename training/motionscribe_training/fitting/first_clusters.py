"""The clusters that a model comes with: what segments of its training recordings have in common.

In: segments of whole recordings. Out: centres (k, d), the heaviest first clusters of every stream. No labels
are used.
"""

from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from motionscribe_models.arrays import Array
from motionscribe_server.session.clustering import CAPACITY
from motionscribe_server.session.segmenter import Hypothesis, Penalty, Segmenter
from motionscribe_training.fitting.durations import Durations

RADIUS = 0.6
"""With the penalty of durations.py the best of four pairs on seven trials of CMU subject 86 at most latencies;
`python -m benchmarks.quality` also chooses for each trial on the others."""
MOST_CLUSTERS = CAPACITY // 2
"""First clusters: they never fade, and a stream needs room for those of its own."""


def partition(embedding: Array, penalty: Penalty) -> list[Hypothesis]:
    """The segments of a whole recording's embedding (n, d), settled moment by moment."""
    segmenter, segments = Segmenter(embedding.shape[1], penalty, len(embedding)), list[Hypothesis]()
    for row in embedding:
        segments = segmenter.push(row[None])
        segmenter.settle()
    return segments


def first_clusters(partitions: Sequence[Sequence[Hypothesis]], durations: Durations) -> Array:
    """Centres (n, d) of what segments of the training recordings, seen as a whole, have in common."""
    segments = [segment for partition in partitions for segment in partition]
    means = np.array([s.mean for s in segments])
    seconds = np.array([(s.end - s.start) * durations.moment_s for s in segments])
    groups = fcluster(linkage(means, "average"), RADIUS, "distance") if len(means) > 1 else np.ones(1, int)
    shown = np.bincount(groups, seconds)
    heaviest = np.argsort(-shown, kind="stable")[:MOST_CLUSTERS]
    least = durations["cluster"] * durations.moment_s
    centres = [
        np.average(means[groups == g], axis=0, weights=seconds[groups == g])
        for g in np.unique(groups)
        if shown[g] >= least and g in heaviest
    ]
    return np.array(centres).reshape(-1, means.shape[1])
