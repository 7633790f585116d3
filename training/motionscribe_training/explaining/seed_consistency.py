"""Whether two networks that differ in their seed see the same: how well one's states are a linear map of the other's.

In: projected decoder states (`states_of`) of the same moments by two networks, an array for each recording. Out:
Consistency, R2 on recordings that the map was not fitted to. Directions and scales of an embedding mean nothing, so
that a linear map may turn and stretch them. Two untrained networks agree too, since both see the same motion: the
number says something only beside theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import running_states

STEADY = 1e-3
"""Ridge, as a share of the mean variance of the projected states: directions of little variance are not trusted."""


@dataclass(frozen=True)
class Consistency:
    """How much of one embedding the other one tells."""

    r2: float
    """Variance explained over all left-out recordings together; 1 is the same, 0 is no better than the mean."""
    recordings: tuple[float, ...]
    """The same of each left-out recording."""


@torch.no_grad()
def states_of(network: Seq2Seq, watched: Sequence[Watched], steps: int) -> list[Array]:
    """(n, P) projected decoder states of each recording, mean over the decoder's `steps`."""
    found = [running_states(network, part.features, stride=part.stride, steps=steps)[0].mean(1) for part in watched]
    return [network.project(torch.from_numpy(states)).double().numpy() for states in found]


def consistency(one: Sequence[Array], other: Sequence[Array]) -> Consistency:
    """States (n_i, P) and (n_i, Q) of r >= 2 recordings; the map goes from `one` to `other`.

    Each recording is predicted by a map that was fitted to all others. Raises ValueError for one recording, and for
    arrays that are not of the same moments.
    """
    if len(one) < 2 or [len(x) for x in one] != [len(y) for y in other]:
        raise ValueError(
            f"expected the same moments of at least two recordings, got {[len(x) for x in one]} "
            f"and {[len(y) for y in other]}"
        )
    missed, spread = np.zeros(len(one)), np.zeros(len(one))
    for left in range(len(one)):
        x = np.concatenate([part for i, part in enumerate(one) if i != left]).astype(np.float64)
        y = np.concatenate([part for i, part in enumerate(other) if i != left]).astype(np.float64)
        x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
        centred = x - x_mean
        square = centred.T @ centred
        square += STEADY * np.trace(square) / len(square) * np.eye(len(square))
        linear = np.linalg.solve(square, centred.T @ (y - y_mean))
        missed[left] = np.square(other[left] - y_mean - (one[left] - x_mean) @ linear).sum()
        spread[left] = np.square(other[left] - y_mean).sum()
    each = tuple((1 - missed / spread).tolist())
    return Consistency(float(1 - missed.sum() / spread.sum()), each)
