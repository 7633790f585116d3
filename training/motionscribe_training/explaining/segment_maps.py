"""Why a segment has its label: all maps of it, each with what says whether it is true of the network.

In: Evidence, a Watched, one of its pieces, and which joint a feature belongs to. Out: SegmentMaps, plain arrays.
maps_picture.py draws them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.evidence_score import Evidence
from motionscribe_training.explaining.faithfulness import Faithfulness, against_drops, by_deletion
from motionscribe_training.explaining.gradient_maps import (
    block_sums,
    gradient_times_input,
    integrated_gradients,
    joint_cells,
    layer_maps,
)
from motionscribe_training.explaining.occlusion_map import OcclusionMap, occlusion_map
from motionscribe_training.explaining.watched import Piece, Watched


@dataclass(frozen=True, eq=False)
class Map:
    """A map of one kind over the cells of the occlusion map."""

    cells: Array
    """(J, K) for joints and blocks of time, (K,) for the blocks of a layer; summed over the frames of a block."""
    faithfulness: Faithfulness


@dataclass(frozen=True, eq=False)
class SegmentMaps:
    """Maps of one segment and one cluster."""

    cluster: int
    start: int
    """Frame of the Watched at which the explained part begins."""
    log_odds: float
    mean_pose: float
    """The log odds of as many frames of the mean pose, from which integrated gradients start."""
    occlusion: OcclusionMap
    deletion: Faithfulness
    """Of the occlusion map's joints."""
    joints: Mapping[str, Map]
    """"gradient times input" and "integrated gradients"."""
    layers: Mapping[str, Map]
    """Name of a layer of the cell -> its time map."""


def segment_maps(
    evidence: Evidence, watched: Watched, piece: Piece, cluster: int, joint_of: NDArray[np.int64], seed: int = 0
) -> SegmentMaps:
    """All maps of a piece. Raises TrainingError for a cluster without a centre."""
    excerpt = evidence.excerpt(watched, piece)
    with torch.no_grad():
        score, mean_pose = (
            float(evidence.score(frames[None], excerpt.before, cluster))
            for frames in (excerpt.frames, torch.zeros_like(excerpt.frames))
        )
    occlusion = occlusion_map(evidence, excerpt, cluster, joint_of)
    inputs = {
        "gradient times input": gradient_times_input(evidence, excerpt, cluster),
        "integrated gradients": integrated_gradients(evidence, excerpt, cluster),
    }
    joints = {name: joint_cells(values, joint_of, occlusion.edges) for name, values in inputs.items()}
    layers = {
        name: block_sums(values, occlusion.edges) for name, values in layer_maps(evidence, excerpt, cluster).items()
    }
    return SegmentMaps(
        cluster=cluster,
        start=excerpt.start,
        log_odds=score,
        mean_pose=mean_pose,
        occlusion=occlusion,
        deletion=by_deletion(evidence, excerpt, cluster, occlusion, joint_of, seed),
        joints={name: Map(cells, against_drops(cells, occlusion.cells, seed)) for name, cells in joints.items()},
        layers={name: Map(cells, against_drops(cells, occlusion.by_block, seed)) for name, cells in layers.items()},
    )
