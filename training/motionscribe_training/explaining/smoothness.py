"""How well labels follow a graph of segments, and how well chance would.

In: symmetric weights (N, N) with an empty diagonal, and labels (N,). Out: numbers. Everything is asked of the nodes'
own neighbours: 0 is best for `smoothness` and `cross_label_mass`, 1 for `vote`.
"""

from dataclasses import dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_training.evaluation.metrics import Labels

PERMUTATIONS = 1000
"""Of the labels, for the null: 25 of them lie beyond each end of its interval."""


@dataclass(frozen=True)
class Null:
    """Smoothness of the same labels in random order."""

    mean: float
    low: float
    """2.5 % of the orders are smoother."""
    high: float
    """2.5 % are less smooth."""


def smoothness(weights: Array, labels: Labels) -> float:
    """tr(Y' L Y) / N of labels Y (N, C), one of C each, and the random-walk Laplacian L = I - D^-1 W.

    That is the share of its weight that a node has with other labels, in the mean over nodes: 0 where no edge joins
    two labels, 1 where all do. A node without an edge counts 1.
    """
    return float(_smoothness(weights, labels[None])[0])


def by_node(weights: Array, labels: Labels) -> Array:
    """(N,) what `smoothness` is the mean of: the share of its weight that each node has with other labels."""
    degrees = weights.sum(axis=1)
    within = (weights * (labels[:, None] == labels)).sum(axis=1)
    return np.asarray(1 - np.divide(within, degrees, out=np.zeros_like(degrees), where=degrees > 0))


def permuted(weights: Array, labels: Labels, seed: int) -> Null:
    """Smoothness over PERMUTATIONS random orders of the labels, which keep their numbers, on the same graph."""
    orders = np.random.default_rng(seed).permuted(np.tile(labels, (PERMUTATIONS, 1)), axis=1)
    found = _smoothness(weights, orders)
    low, high = np.percentile(found, [2.5, 97.5])
    return Null(float(found.mean()), float(low), float(high))


def cross_label_mass(weights: Array, labels: Labels) -> float:
    """Share of all weight that joins two labels; a node counts by its weight, unlike in `smoothness`. 1 for none."""
    total = weights.sum()
    return float((weights * (labels[:, None] != labels)).sum() / total) if total else 1.0


def vote(weights: Array, labels: Labels) -> float:
    """Share of nodes that have most weight with nodes of their own label, each left out of its own vote.

    A tie, and a node without an edge, is wrong.
    """
    names, numbers = np.unique(labels, return_inverse=True)
    votes = weights @ np.eye(len(names))[numbers]  # (N, C)
    nodes = np.arange(len(labels))
    own = votes[nodes, numbers].copy()
    votes[nodes, numbers] = 0
    return float((own > votes.max(axis=1)).mean())


def _smoothness(weights: Array, orders: Labels) -> Array:
    """(k,) of k orders (k, N) of labels."""
    degrees = weights.sum(axis=1)
    walk = np.divide(weights, degrees[:, None], out=np.zeros_like(weights), where=degrees[:, None] > 0)
    tails, heads = np.nonzero(walk)
    within: Array = (orders[:, tails] == orders[:, heads]) @ walk[tails, heads]
    return 1 - within / len(weights)
