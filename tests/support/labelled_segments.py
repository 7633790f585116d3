"""A labeller of the plane, and segments for it as the segmenter would cut them."""

from collections.abc import Sequence

import numpy as np

from motionscribe_server.session.clustering import ClusterState, DPMeans, initial_clusters
from motionscribe_server.session.labeller import Labeller
from motionscribe_server.session.segmenter import Hypothesis

MOMENT_S = 0.1
LEARN_AFTER = 300
RADIUS = 0.5
Part = tuple[int, Sequence[float]]


def hypotheses(parts: Sequence[Part], start: int = 0) -> list[Hypothesis]:
    """(length, mean) in order to segments from moment `start` on."""
    made = []
    for length, mean in parts:
        made.append(Hypothesis(start, start + length, np.array(mean, float)))
        start += length
    return made


def labeller(centres: Sequence[Sequence[float]] = (), stored: Sequence[ClusterState] = (), **more: int) -> Labeller:
    clusterer = DPMeans(2, initial_clusters(centres, stored), radius=RADIUS, **more)
    return Labeller(clusterer, RADIUS, MOMENT_S, LEARN_AFTER)


def ids(labels: Labeller) -> list[int]:
    return [shown.cluster for shown in labels.current]


A, B, C = (0.0, 0.0), (5.0, 0.0), (0.0, 5.0)
