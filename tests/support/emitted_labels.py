"""Labels of a made-up stream of two actions, as a session would emit them."""

import numpy as np

from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times
from motionscribe_proto.events import Label
from motionscribe_server.session.replay import Emitted
from motionscribe_training.data.annotations import Annotation, Boundary, Segment

HALVES = Annotation((Segment(0, 600, "walk"), Segment(600, 1200, "run")), (Boundary(560, 600, 640),))


def take(frames: int = 1200) -> Recording:
    """Ten seconds at 120 Hz in which nobody moves."""
    return Recording("take", np.zeros((frames, CMU_EXPMAP.width), np.float32), even_times(frames, 120), CMU_EXPMAP)


def label(start: int, end: int, cluster: int, final: bool = True) -> Label:
    """Frames [start, end), counted from 1."""
    times = even_times(end, 120)
    return Label(start, end, int(times[start - 1]), int(times[end - 1]), cluster, 1.0, final)


def stream(*clusters: int, late: int) -> list[Emitted]:
    """Moments of 12 frames, each shown at once as cluster 5, and final `late` moments later as `clusters` say."""
    spans = [(1 + 12 * i, 13 + 12 * i) for i in range(len(clusters))]
    emitted: list[Emitted] = []
    for now in range(len(clusters) + late):
        time_us = 100_000 * min(now + 1, len(clusters))
        if now >= late:
            emitted.append(Emitted(time_us, label(*spans[now - late], clusters[now - late])))
        if now < len(clusters):
            emitted.append(Emitted(time_us, label(*spans[now], 5, final=False)))
    return emitted
