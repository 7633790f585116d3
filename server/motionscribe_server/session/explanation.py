"""Why a segment has its label: what becomes of the label where a joint, or a part of the time, had shown nothing.

In: a recalled segment, the model and an engine. Out: Explanation. The segment goes through the network once more for
each joint, which is held at its mean of the seconds recalled, and for each part of its time, in which the pose goes
straight from that before to that after. How much nearer the label then is to another is the weight of the joint, or of
the part (occlusion). All variants are computed as one batch, by the functions that label streams.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_proto.weights import JointWeight, PartWeight
from motionscribe_server.session.embedding import Embedding
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.recall import Recalled
from motionscribe_server.session.steps import Engine, step_of

PARTS = 8
"""Of the segment's time, at most."""


@dataclass(frozen=True)
class Explanation:
    """A margin is how much nearer a segment lies to its cluster than to the next; 1 is the width of a cluster."""

    segment: int
    cluster: int
    name: str
    start_us: int
    end_us: int
    """Of the part of the segment that was looked at, its end where it is long."""
    margin: float
    other: int
    """The next cluster, 0 where there is none."""
    other_name: str
    joints: tuple[JointWeight, ...]
    """The weightiest first."""
    parts: tuple[PartWeight, ...]
    """In order of time."""


def explain(model: ServedModel, engine: Engine, recalled: Recalled) -> Explanation:
    """Where the cluster of the segment is gone, the segment itself stands for it."""
    joint_of = model.feature_map.joint_of
    joints = list(dict.fromkeys(joint_of.tolist()))
    edges = np.unique(np.linspace(recalled.first, recalled.last, PARTS + 1).round().astype(int))
    cuts = np.concatenate([[0], np.cumsum(recalled.lengths)])[edges]
    variants = [
        recalled.features,
        *(_still(recalled.features, joint_of == joint) for joint in joints),
        *(_straight(recalled.features, start, end) for start, end in pairwise(cuts)),
    ]
    points = _points(model, engine, np.stack(variants), recalled)
    ids, centres = recalled.ids, recalled.centres
    if recalled.cluster not in ids:
        ids, centres = np.append(ids, recalled.cluster), np.vstack([centres, points[:1]])
    distances = np.linalg.norm(points[:, None] - centres, axis=2) / model.radius  # (v, c)
    own = ids == recalled.cluster
    margins = distances[:, ~own].min(axis=1, initial=np.inf) - distances[:, own][:, 0]
    closest = ids[distances.argmin(axis=1)]
    # a segment that lies nearer to another cluster than to its own anyway would not be another one without a joint
    nearest = np.where(closest == closest[0], recalled.cluster, closest).tolist()
    weights = (margins[0] - margins).tolist() if np.isfinite(margins[0]) else [0.0] * len(margins)
    starts = recalled.starts_us[edges[:-1]].tolist()
    names = model.manifest.skeleton.joints
    of_joints = [JointWeight(names[joint], weights[n], nearest[n]) for n, joint in enumerate(joints, 1)]
    of_parts = [
        PartWeight(start, end, weights[n], nearest[n])
        for n, (start, end) in enumerate(pairwise([*starts, recalled.end_us]), 1 + len(joints))
    ]
    other = int(np.where(own, np.inf, distances[0]).argmin()) if not own.all() else None
    return Explanation(
        segment=recalled.segment,
        cluster=recalled.cluster,
        name=recalled.name,
        start_us=starts[0],
        end_us=recalled.end_us,
        margin=float(margins[0]),
        other=0 if other is None else int(ids[other]),
        other_name="" if other is None else recalled.names[other],
        joints=tuple(sorted(of_joints, key=lambda one: -one.weight)),
        parts=tuple(of_parts),
    )


def _still(features: NDArray[np.float32], columns: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The frames (m, F) with some features at their means."""
    held = features.copy()
    held[:, columns] = features[:, columns].mean(axis=0)
    return held


def _straight(features: NDArray[np.float32], start: int, end: int) -> NDArray[np.float32]:
    """The frames (m, F) with those of [start, end) between the frame before and the frame after them."""
    before, after = features[max(start - 1, 0)], features[min(end, len(features) - 1)]
    share = np.arange(1, end - start + 1, dtype=np.float32)[:, None] / np.float32(end - start + 1)
    passed = features.copy()
    passed[start:end] = before + share * (after - before)
    return passed


def _points(model: ServedModel, engine: Engine, variants: NDArray[np.float32], recalled: Recalled) -> Array:
    """Means (v, d) of the settled embeddings of the segment, for variants (v, m, F) of its frames."""
    count = len(variants)
    states = [engine.new_state() for _ in variants]
    embeddings = [Embedding(model) for _ in variants]
    settled = np.zeros((count, len(recalled.lengths), model.dimensions))
    forgets_after, stride, start = model.manifest.forgets_after, model.manifest.stride, 0
    for n, length in enumerate(recalled.lengths.tolist()):
        frames = variants[:, start : start + length]
        # each moment ends with a window
        runs = [[step_of(row, start + at, forgets_after, stride) for at, row in enumerate(own)] for own in frames]
        windows = [window for window in engine.advance(states, runs) if window is not None]
        estimates = Embedding.estimate_many(embeddings, frames, np.array([own.projected for own in windows]))
        for variant, own in enumerate(estimates):
            settled[variant, n + 1 - len(own) : n + 1] = own
        start += length
    return np.asarray(settled[:, recalled.first : recalled.last].mean(axis=1))
