"""Which segments are neighbours: a graph in which each is put together from as few others as its place needs.

In: (N, N) distances that need not be a metric. Out: (N, N) weights, row i those of i's neighbours. It is the
non-negative kernel graph of Shekkizhar and Ortega (2020, doi 10.1109/icassp40776.2020.9054425): of its nearest
candidates, each node keeps those whose non-negative combination is nearest to it in the space of a kernel. A candidate
that lies behind another gets the weight 0, so that there is no number of neighbours to be chosen.
"""

import numpy as np
from scipy.optimize import nnls

from motionscribe_models.arrays import Array

CANDIDATES = 15
"""Neighbours that a node may keep at most; it keeps far fewer."""
NEAR = 5
"""The median distance to this neighbour is the kernel's bandwidth. On subject 86 (five layers of the body model), nodes
keep about 6 neighbours from 1 to 4 times that bandwidth; the input stays smoothest, PCA 4 least smooth. A kernel half
as wide keeps 8: what lies farther is then alike to nothing and hides no other."""


def gaussian_kernel(distances: Array) -> Array:
    """(N, N), positive semi-definite, 1 on the diagonal. Raises ValueError for fewer than two nodes.

    exp(-d^2 / (2 s^2)), where s is the median over nodes of the distance to the NEAR-th neighbour: so layers are
    compared alike whatever their units. Such a matrix of distances that are no metric has negative eigenvalues; they
    are set to 0, and the diagonal is scaled back to 1.
    """
    nodes = len(distances)
    if nodes < 2:
        raise ValueError(f"expected at least two nodes, got {nodes}")
    near = np.sort(distances, axis=1)[:, min(NEAR, nodes - 1)]
    bandwidth = max(float(np.median(near)), np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        raw = np.exp(-((distances / bandwidth) ** 2) / 2)
    values, vectors = np.linalg.eigh((raw + raw.T) / 2)
    clipped = (vectors * np.maximum(values, 0)) @ vectors.T
    scale = np.sqrt(clipped.diagonal())
    kernel: Array = clipped / np.outer(scale, scale)
    return kernel


def nnk_weights(kernel: Array, candidates: int = CANDIDATES) -> Array:
    """(N, N), 0 on the diagonal; row i is the w >= 0 that makes |phi_i - sum_j w_j phi_j|^2 least.

    j are the `candidates` with the largest kernel value, and phi . phi is the kernel.
    """
    nodes = len(kernel)
    values, vectors = np.linalg.eigh(kernel)
    points = vectors * np.sqrt(np.maximum(values, 0))  # (N, N), the phi as rows: exact, and no kernel is inverted
    weights = np.zeros_like(kernel)
    for node in range(nodes):
        others = np.delete(np.arange(nodes), node)
        nearest = others[np.argsort(-kernel[node, others], kind="stable")[:candidates]]
        weights[node, nearest] = nnls(points[nearest].T, points[node])[0]
    return weights


def symmetric(weights: Array) -> Array:
    """The graph without directions: the mean of both. Where only one of two keeps the other, half its weight stays."""
    return (weights + weights.T) / 2
