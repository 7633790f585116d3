"""How far the segments of the demo agree with the truth of its synthetic performance.

In: true and found segments, spans in frame numbers. Out: the best one-to-one naming of clusters, the accuracy under it,
and what was truly done in a span. Merged clusters count as they were labelled. For scores of real recordings see
motionscribe-train evaluate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from motionscribe.demo.performer import Truth
from motionscribe.events import Anomaly, SegmentEnded
from motionscribe_models.errors import MissingExtraError

try:
    from scipy.optimize import linear_sum_assignment
except ImportError as missing:
    raise MissingExtraError("server-cpu", "scoring the demo") from missing


@dataclass(frozen=True)
class Score:
    """Agreement of a whole performance."""

    names: Mapping[int, str]
    """Cluster -> the action that it was matched to, each action once; clusters left over are absent."""
    accuracy: float
    """Share of all frames whose cluster is named as what was truly done, 0..1."""


def score(truth: Sequence[Truth], found: Sequence[SegmentEnded]) -> Score:
    """Names clusters such that most frames agree (Hungarian method).

    Cluster 0, which says that a stream was too short to know, gets no name.
    """
    actions = list(dict.fromkeys(segment.name for segment in truth))
    clusters = list(dict.fromkeys(segment.cluster for segment in found if segment.cluster > 0))
    frames = np.zeros((len(actions), len(clusters)), np.int64)
    for segment in found:
        if segment.cluster > 0:
            for name, count in frames_by_action(truth, segment.start_seq, segment.end_seq).items():
                frames[actions.index(name), clusters.index(segment.cluster)] += count
    pairs = [(i, j) for i, j in zip(*linear_sum_assignment(frames, maximize=True), strict=True) if frames[i, j]]
    names = {clusters[j]: actions[i] for i, j in pairs}
    total = truth[-1].end_seq - truth[0].start_seq
    return Score(names, sum(int(frames[pair]) for pair in pairs) / total)


def frames_by_action(truth: Sequence[Truth], start_seq: int, end_seq: int) -> dict[str, int]:
    """Frames of each action in [start_seq, end_seq), the most first."""
    counts: dict[str, int] = {}
    for segment in truth:
        common = min(segment.end_seq, end_seq) - max(segment.start_seq, start_seq)
        if common > 0:
            counts[segment.name] = counts.get(segment.name, 0) + common
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def anomalies_in(segment: Truth, anomalies: Sequence[Anomaly]) -> list[Anomaly]:
    """Those that share frames with a true segment."""
    return [a for a in anomalies if a.start_seq < segment.end_seq and a.end_seq > segment.start_seq]
