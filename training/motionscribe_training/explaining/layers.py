"""The activity of each layer of a network along what was watched: the first thing to ask when a label surprises.

In: a Seq2Seq with a fitted PCA and a Watched. Out: name -> Layer in the order in which a frame passes them, one row for
each frame or each moment. The encoder runs from a zero state at the first frame, as on a server. Nothing is compared
here (geometry.py).
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import PCA

from motionscribe_models.arrays import Single
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.cell_activity import LAYERS as CELL
from motionscribe_training.explaining.cell_activity import cell_activity
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import running_states

INPUT = "input"
"""The layer that no training changes."""
TRUNCATIONS = (2, 4, 8, 16, 32)
"""Leading components of the PCA that make layers of their own, beside all of them."""


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer did along n moments."""

    rows: Single
    """(n * per_moment, width)."""
    per_moment: int
    """Rows of one moment: its frames, or 1."""


@torch.no_grad()
def layers(network: Seq2Seq, watched: Watched, steps: int) -> dict[str, Layer]:
    """All layers. `steps` are the decoder's, M. Raises TrainingError for a network whose PCA is not fitted.

    Layers of a decoder state and its projections have the M of a moment side by side, M * H or M * k wide.
    """
    projected = len(network.pca_components)
    if not projected:
        raise TrainingError("expected a network with a fitted PCA, got one with no components")
    normal = network.normalise(torch.from_numpy(watched.features))  # (m, F)
    before = torch.zeros(1, network.hidden)
    inside = [torch.cat(frames) for frames in cell_activity(network, normal[None], before)]  # 4 x (m, H)
    ends = slice(watched.stride - 1, None, watched.stride)
    decoded = network.decode(inside[-1][ends], normal[ends], steps)[0]  # (n, M, H)
    embedded = network.project(decoded)  # (n, M, P)
    frames = {INPUT: normal, **dict(zip(CELL.values(), inside, strict=True))}
    moments = {"last state": decoded[:, 0], "decoder states": decoded.flatten(1)}
    for k in (*(k for k in TRUNCATIONS if k < projected), projected):
        moments[f"PCA {k}"] = embedded[..., :k].flatten(1)
    return {name: Layer(rows.numpy(), watched.stride) for name, rows in frames.items()} | {
        name: Layer(rows.numpy(), 1) for name, rows in moments.items()
    }


def with_own_pca(network: Seq2Seq, watched: Sequence[Watched], steps: int, projected: int) -> Seq2Seq:
    """A copy whose PCA of P = `projected` components is fitted to its own decoder states along `watched`.

    Raises TrainingError for fewer states than components.
    """
    states = [running_states(network, part.features, stride=part.stride, steps=steps)[0] for part in watched]
    rows = np.concatenate(states).reshape(-1, network.hidden)  # (r, H)
    if len(rows) < projected:
        raise TrainingError(f"expected at least {projected} decoder states to project to, got {len(rows)}")
    pca = PCA(projected, svd_solver="covariance_eigh").fit(rows)
    fitted = deepcopy(network)
    fitted.pca_mean = torch.from_numpy(pca.mean_.astype(np.float32))
    fitted.pca_components = torch.from_numpy(pca.components_.astype(np.float32))
    return fitted
