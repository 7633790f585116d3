"""Rows beside ours: what is simpler, what others use, and what nobody could call good.

In: a recording, its moments' raw features and the embedding that our labeller sees. Out: a label for each moment; of
BOUNDARIES_ONLY labels that never come back. Libraries have their own defaults unless said.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from river.cluster import STREAMKMeans
from sklearn.cluster import KMeans

from benchmarks.quality.change_points import CHANGE_POINTS, SHORTEST
from benchmarks.quality.river_clusterers import CluStream, DBStream
from benchmarks.quality.seen import Seen
from motionscribe_server.session.clustering import DPMeans, OnlineClusterer

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def one_label(seen: Seen) -> Labels:
    """The same for all."""
    return np.ones(len(seen.pose), np.int64)


def pose_kmeans(seen: Seen) -> Labels:
    """k-means of single poses, number of actions given."""
    return _kmeans(seen.pose, seen.classes)


def embedding_kmeans(seen: Seen) -> Labels:
    """k-means of our centred embedding, number of actions given."""
    return _kmeans(seen.centred, seen.classes)


def clusterer(kind: type[OnlineClusterer]) -> Callable[[Seen], Labels]:
    """An online clusterer alone, moment by moment: predict, then learn."""

    def label(seen: Seen) -> Labels:
        model = kind(seen.embedding.shape[1], radius=seen.radius)
        labels = []
        for x in seen.embedding:
            known = model.predict(x)
            labels.append(known or model.learn(x, seen.moment_s))
            if known:
                model.learn(x, seen.moment_s, known)
        return np.array(labels, np.int64)

    return label


def stream_kmeans(seen: Seen) -> Labels:
    """STREAMKMeans of river, number of actions given."""
    model = STREAMKMeans(chunk_size=SHORTEST, n_clusters=seen.classes, seed=0)
    labels = []
    for x in seen.embedding:
        point = dict(enumerate(x.tolist()))
        model.learn_one(point)
        labels.append(model.predict_one(point) + 1)
    return np.array(labels, np.int64)


def boundaries(find: Callable[[Seen], list[int]]) -> Callable[[Seen], Labels]:
    """The segments between the boundaries that it finds, numbered."""
    return lambda seen: np.searchsorted(find(seen), np.arange(len(seen.pose)), side="right").astype(np.int64) + 1


PEERS: dict[str, Callable[[Seen], Labels]] = {
    "one_label": one_label,
    "pose_kmeans": pose_kmeans,
    "embedding_kmeans": embedding_kmeans,
    "dpmeans_alone": clusterer(DPMeans),
    "dbstream": clusterer(DBStream),
    "clustream": clusterer(CluStream),
    "streamkmeans": stream_kmeans,
    **{name: boundaries(find) for name, find in CHANGE_POINTS.items()},
}
BOUNDARIES_ONLY = tuple(CHANGE_POINTS)


def _kmeans(rows: Array, number: int) -> Labels:
    labels: Labels = KMeans(number, n_init=10, random_state=0).fit_predict(rows).astype(np.int64) + 1
    return labels
