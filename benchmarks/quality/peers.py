"""Rows beside ours: what is simpler, what others use, and what nobody could call good.

In: a recording, its moments' raw features and the embedding that our labeller sees. Out: a label for each moment, or
boundaries only, which become labels that never come back. Libraries have their own defaults unless said.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import ruptures
import stumpy
from claspy.segmentation import BinaryClaSPSegmentation
from numpy.typing import NDArray
from river.cluster import STREAMKMeans
from sklearn.cluster import KMeans

from motionscribe_server.clustering import make_clusterer

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

SHORTEST = 10
"""Moments: a second, as subsequence length and least distance of boundaries."""
DIMENSIONS = 4
"""Slowest dimensions of the embedding, for methods that compare subsequences."""


@dataclass(frozen=True)
class Seen:
    """One recording, by moments."""

    pose: Array
    """(n, F) features divided by their scale."""
    embedding: Array
    """(n, d) settled, as a live labeller knows it 0.6 s after each moment."""
    centred: Array
    """(n, d) as known when all of the recording is."""
    radius: float
    moment_s: float
    classes: int
    """True number of actions, for rows that are given it."""
    segments: int
    """True number of segments, likewise."""


def one_label(seen: Seen) -> Labels:
    """The same for all."""
    return np.ones(len(seen.pose), np.int64)


def even_cuts(seen: Seen) -> Labels:
    """The true number of segments, all of one length."""
    return np.arange(len(seen.pose)) * seen.segments // len(seen.pose) + 1


def pose_kmeans(seen: Seen) -> Labels:
    """k-means of single poses, number of actions given."""
    return _kmeans(seen.pose, seen.classes)


def embedding_kmeans(seen: Seen) -> Labels:
    """k-means of our centred embedding, number of actions given."""
    return _kmeans(seen.centred, seen.classes)


def clusterer(name: str) -> Callable[[Seen], Labels]:
    """An online clusterer alone, moment by moment: predict, then learn."""

    def label(seen: Seen) -> Labels:
        model = make_clusterer(name, seen.embedding.shape[1], radius=seen.radius)
        labels = []
        for x in seen.embedding:
            known = model.predict(x)
            labels.append(known or model.learn(x, seen.moment_s))
            if known:
                model.learn(x, seen.moment_s, known)
        return np.array(labels, np.int64)

    return label


def stream_kmeans(seen: Seen) -> Labels:
    """river's STREAMKMeans, number of actions given."""
    model = STREAMKMeans(chunk_size=SHORTEST, n_clusters=seen.classes, seed=0)
    labels = []
    for x in seen.embedding:
        point = dict(enumerate(x.tolist()))
        model.learn_one(point)
        labels.append(model.predict_one(point) + 1)
    return np.array(labels, np.int64)


def kernel_change_points(seen: Seen) -> Labels:
    """ruptures: the best cuts of our centred embedding, number of segments given."""
    ends = ruptures.KernelCPD(kernel="linear", min_size=8).fit(seen.centred).predict(n_bkps=seen.segments - 1)
    return _pieces(ends[:-1], len(seen.centred))


def pose_change_points(seen: Seen) -> Labels:
    """The same of raw pose."""
    ends = ruptures.KernelCPD(kernel="rbf", min_size=8).fit(seen.pose).predict(n_bkps=seen.segments - 1)
    return _pieces(ends[:-1], len(seen.pose))


def clasp(seen: Seen) -> Labels:
    """ClaSP of the slowest dimensions; it finds the number of segments."""
    found = BinaryClaSPSegmentation(window_size=SHORTEST, n_jobs=1).fit_predict(seen.centred[:, :DIMENSIONS])
    return _pieces(np.asarray(found, int).tolist(), len(seen.centred))


def fluss(seen: Seen) -> Labels:
    """FLUSS of the slowest dimension, number of segments given."""
    series = np.ascontiguousarray(seen.centred[:, 0])
    profile = stumpy.stump(series, m=SHORTEST)
    _, regimes = stumpy.fluss(profile[:, 1], L=SHORTEST, n_regimes=seen.segments, excl_factor=1)
    return _pieces(sorted(int(x) for x in regimes), len(series))


PEERS: dict[str, Callable[[Seen], Labels]] = {
    "one_label": one_label,
    "even_cuts": even_cuts,
    "pose_kmeans": pose_kmeans,
    "embedding_kmeans": embedding_kmeans,
    "dpmeans_alone": clusterer("dpmeans"),
    "dbstream": clusterer("dbstream"),
    "clustream": clusterer("clustream"),
    "streamkmeans": stream_kmeans,
    "ruptures_pose": pose_change_points,
    "ruptures_embedding": kernel_change_points,
    "clasp": clasp,
    "fluss": fluss,
}
BOUNDARIES_ONLY = ("even_cuts", "ruptures_pose", "ruptures_embedding", "clasp", "fluss")


def _kmeans(rows: Array, number: int) -> Labels:
    return KMeans(number, n_init=10, random_state=0).fit_predict(rows).astype(np.int64) + 1


def _pieces(starts: list[int], moments: int) -> Labels:
    return np.searchsorted(np.array(starts, np.int64), np.arange(moments), side="right").astype(np.int64) + 1
