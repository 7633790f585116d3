"""Which joints and which moments carry a score: what is lost when a part of the motion is replaced by the mean pose.

In: Evidence, an Excerpt and a cluster. Out: OcclusionMap, drops of the log odds, in nats. It computes no gradient:
it is what maps of gradients are judged by.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.evidence_score import Evidence, Excerpt

BLOCKS = 12
"""Blocks of time at most: shorter ones change a score by less than the next frames repair."""
BATCH = 64
"""Altered copies of a segment that run at once."""

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class OcclusionMap:
    """J joints, K blocks of time. Above 0 where a part speaks for the cluster, below where it speaks against it."""

    joints: Indices
    """(J,) indices of the skeleton's joints; 0 is the root, with the body's own motion."""
    edges: Indices
    """(K + 1,) first frame of each block in the segment, and the end."""
    by_joint: Array
    """(J,) a joint hidden throughout."""
    by_block: Array
    """(K,) all joints hidden for a block."""
    cells: Array
    """(J, K) a joint hidden for a block."""


def occlusion_map(evidence: Evidence, excerpt: Excerpt, cluster: int, joint_of: Indices) -> OcclusionMap:
    """Hides each joint, block and cell; `joint_of` (F,) says which joint a feature belongs to (FeatureMap.joint_of)."""
    joints, edges = np.unique(joint_of), block_edges(len(excerpt.frames), evidence.stride)
    count, blocks = len(joints), len(edges) - 1
    own = joint_of == joints[:, None]  # (J, F)
    block = np.searchsorted(edges, np.arange(edges[-1]), side="right") - 1  # (T,)
    when = block == np.arange(blocks)[:, None]  # (K, T)
    always, everything = np.ones_like(block, bool), np.ones_like(joint_of, bool)
    masks = [np.outer(always, joint) for joint in own] + [np.outer(time, everything) for time in when]
    masks += [np.outer(time, joint) for joint in own for time in when]
    drops = score_drops(evidence, excerpt, cluster, masks)
    return OcclusionMap(
        joints, edges, drops[:count], drops[count : count + blocks], drops[count + blocks :].reshape(count, blocks)
    )


@torch.no_grad()
def score_drops(evidence: Evidence, excerpt: Excerpt, cluster: int, masks: Sequence[Mask]) -> Array:
    """(m,) how much less the log odds are when the entries in each mask (T, F) are those of the mean pose."""
    whole = evidence.score(excerpt.frames[None], excerpt.before, cluster)
    drops = []
    for start in range(0, len(masks), BATCH):
        hidden = torch.from_numpy(np.stack(masks[start : start + BATCH]))  # (B, T, F)
        # the mean pose is 0 in normalised units
        drops.append(whole - evidence.score(excerpt.frames * ~hidden, excerpt.before, cluster))
    return np.asarray(torch.cat(drops).double().numpy())


def block_edges(frames: int, stride: int) -> Indices:
    """Edges of at most BLOCKS blocks of whole moments, as equal as can be."""
    moments = frames // stride
    return np.linspace(0, moments, min(BLOCKS, moments) + 1).round().astype(np.int64) * stride
