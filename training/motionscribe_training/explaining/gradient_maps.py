"""Where the gradient of a score says that its cause lies: in which frames of which layer, in which features.

In: Evidence, an Excerpt and a cluster. Out: time maps (T,) of each layer of the cell, after the layer-specific Grad-CAM
of Das, Shekkizhar and Ortega (2023, arXiv 2312.07777), and maps of the input (T, F): gradient times input, and
integrated gradients (Sundararajan et al., 2017, arXiv 1703.01365) from the mean pose of training. Whether a map is true
of the network is not known here: faithfulness.py judges it.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.cell_activity import LAYERS, cell_activity
from motionscribe_training.explaining.evidence_score import Evidence, Excerpt

STEPS = 32
"""Of the path of integrated gradients."""


def layer_maps(evidence: Evidence, excerpt: Excerpt, cluster: int) -> dict[str, Array]:
    """Name of each layer -> (T,): activity of its units, weighted by their gradients' means over time, summed."""
    frames = excerpt.frames[None]
    activity = cell_activity(evidence.network, frames, excerpt.before[None])
    score = evidence.score_of_states(frames, torch.stack(activity.state, 1), cluster).sum()
    maps = {}
    for name, steps in zip(LAYERS.values(), activity, strict=True):
        gradients = torch.cat(torch.autograd.grad(score, steps, retain_graph=True))  # (T, H)
        maps[name] = _array(torch.cat(steps).detach() @ gradients.mean(0))  # (T,)
    return maps


def gradient_times_input(evidence: Evidence, excerpt: Excerpt, cluster: int) -> Array:
    """(T, F), normalised input, so that the mean pose has none."""
    return _array(_gradients(evidence, excerpt, cluster, np.ones(1))[0] * excerpt.frames)


def integrated_gradients(evidence: Evidence, excerpt: Excerpt, cluster: int) -> Array:
    """(T, F), which sum to the difference of the scores of the segment and of as many frames of the mean pose."""
    middles = (np.arange(STEPS) + 0.5) / STEPS
    return _array(_gradients(evidence, excerpt, cluster, middles).mean(0) * excerpt.frames)


def joint_cells(values: Array, joint_of: NDArray[np.int64], edges: NDArray[np.int64]) -> Array:
    """A map (T, F) as sums (J, K) over the features of each joint and the frames of each block."""
    joints = joint_of == np.unique(joint_of)[:, None]  # (J, F)
    return np.asarray(joints @ block_sums(values, edges).T)


def block_sums(values: Array, edges: NDArray[np.int64]) -> Array:
    """Values (T, ...) summed over blocks of time, (K, ...)."""
    return np.asarray(np.add.reduceat(values, edges[:-1], axis=0))


def _gradients(evidence: Evidence, excerpt: Excerpt, cluster: int, shares: Array) -> torch.Tensor:
    """(s, T, F) gradients of the score at these shares of the way from the mean pose to the segment."""
    scale = torch.from_numpy(shares).to(excerpt.frames)[:, None, None]
    frames = (scale * excerpt.frames).requires_grad_()  # (s, T, F)
    (gradients,) = torch.autograd.grad(evidence.score(frames, excerpt.before, cluster).sum(), frames)
    return gradients


def _array(values: torch.Tensor) -> Array:
    return np.asarray(values.detach().double().numpy())
