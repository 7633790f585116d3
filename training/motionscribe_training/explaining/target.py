"""A number that the network computes from a window, of which can be asked which motion makes it largest.

In: normalised windows (B, T, F) and the encoder's states (B, T, H) along them, from a zero state. Out: activations
(B,), differentiable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.evidence_score import Evidence
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.seq2seq import Seq2Seq

FULL = 0.75
"""State of a unit that real motion drives nearly to its end, 1: made motion could not show what more it wants."""


@dataclass(frozen=True, eq=False)
class Target:
    """What is maximised."""

    name: str
    activation: Callable[[Tensor, Tensor], Tensor]
    """(B, T, F) and (B, T, H) -> (B,)"""


def unit(index: int) -> Target:
    """A unit of the encoder's last state, -1..1."""
    return Target(f"unit {index}", lambda windows, states: states[:, -1, index])


def direction(network: Seq2Seq, index: int, sign: int, steps: int) -> Target:
    """A principal component of the decoder states after the window, mean over `steps`; `sign` is 1 or -1."""

    def activation(windows: Tensor, states: Tensor) -> Tensor:
        decoded, _ = network.decode(states[:, -1], windows[:, -1], steps)  # (B, M, H)
        return sign * network.project(decoded.mean(1))[:, index]

    return Target(f"component {index + 1} {'up' if sign > 0 else 'down'}", activation)


def cluster(evidence: Evidence, wanted: int) -> Target:
    """The log odds of a cluster in the window's second half."""
    return Target(
        f"cluster {wanted}", lambda windows, states: evidence.log_odds(_late(evidence, windows, states), wanted)
    )


def rather(evidence: Evidence, wanted: int, than: int) -> Target:
    """The log odds of one cluster against another in the window's second half."""
    row, other = evidence.index(wanted), evidence.index(than)

    def activation(windows: Tensor, states: Tensor) -> Tensor:
        posteriors = evidence.log_posteriors(_late(evidence, windows, states))
        return posteriors[:, row] - posteriors[:, other]

    return Target(f"cluster {wanted} rather than {than}", activation)


@torch.no_grad()
def telling_units(network: Seq2Seq, watched: Sequence[Watched], count: int) -> list[int]:
    """The units whose state varies most for its variance within clusters, the most telling first.

    Those that real motion drives above FULL are left out, so there may be fewer than `count`.
    """
    states, labels = [], []
    for each in watched:
        normal = network.normalise(torch.from_numpy(each.features).to(network.mean))
        states.append(network.run(normal[None])[0, each.stride - 1 :: each.stride].cpu().numpy())
        labels.append(each.clusters)
    known = np.concatenate(labels) > 0
    rows, label = np.concatenate(states)[known], np.concatenate(labels)[known]  # (n, H), (n,)
    ids, which = np.unique(label, return_inverse=True)
    means = np.array([rows[label == each].mean(0) for each in ids])  # (k, H)
    ratio: Array = rows.var(0) / np.maximum((rows - means[which]).var(0), 1e-12)
    order = np.argsort(-ratio, kind="stable")
    return [int(index) for index in order[rows.max(0)[order] < FULL][:count]]


def _late(evidence: Evidence, windows: Tensor, states: Tensor) -> Tensor:
    """Mean point (B, P) of the second half of windows: before, the encoder has seen little."""
    points = evidence.points(windows, states)  # (B, n, P)
    return points[:, points.shape[1] // 2 :].mean(1)
