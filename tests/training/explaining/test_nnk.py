"""The graph's weights are the best of all non-negative ones, and what lies behind another is no neighbour."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.nnk import gaussian_kernel, nnk_weights, symmetric


def distances_of(points: Array) -> Array:
    return np.asarray(np.linalg.norm(points[:, None] - points, axis=2))


def warped(seed: int, nodes: int) -> Array:
    """Symmetric, and no metric: the triangle inequality fails."""
    upper = np.triu(np.random.default_rng(seed).uniform(0.1, 3, (nodes, nodes)), 1)
    return upper + upper.T


def loss(kernel: Array, node: int, weights: Array) -> float:
    """|phi_node - sum_j w_j phi_j|^2, from the kernel alone."""
    return float(weights @ kernel @ weights - 2 * weights @ kernel[node] + kernel[node, node])


def least(kernel: Array, node: int, candidates: list[int]) -> float:
    """The least loss over all sets of neighbours whose unconstrained weights are positive."""
    found = loss(kernel, node, np.zeros(len(kernel)))
    for size in range(1, len(candidates) + 1):
        for chosen in map(list, combinations(candidates, size)):
            weights = np.zeros(len(kernel))
            weights[chosen] = np.linalg.lstsq(kernel[np.ix_(chosen, chosen)], kernel[chosen, node])[0]
            if (weights >= -1e-9).all():
                found = min(found, loss(kernel, node, weights))
    return found


@given(seed=st.integers(0, 2**31), nodes=st.integers(2, 8), candidates=st.integers(1, 5))
def test_no_set_of_neighbours_is_better(seed: int, nodes: int, candidates: int) -> None:
    kernel = gaussian_kernel(warped(seed, nodes))
    weights = nnk_weights(kernel, candidates)
    assert (weights >= 0).all()
    assert (weights.diagonal() == 0).all()
    for node in range(nodes):
        nearest = sorted(set(range(nodes)) - {node}, key=lambda other: -kernel[node, other])[:candidates]
        assert set(np.flatnonzero(weights[node])) <= set(nearest)
        assert loss(kernel, node, weights[node]) == pytest.approx(least(kernel, node, nearest), abs=1e-7)


@given(seed=st.integers(0, 2**31), nodes=st.integers(2, 30), copies=st.integers(1, 3))
def test_a_kernel_is_positive_whatever_the_distances(seed: int, nodes: int, copies: int) -> None:
    which = np.repeat(np.arange(nodes), copies)  # nodes of which some are the same
    distances = warped(seed, nodes)[np.ix_(which, which)]
    kernel = gaussian_kernel(distances)
    assert np.linalg.eigvalsh(kernel).min() > -1e-9
    np.testing.assert_allclose(kernel.diagonal(), 1)
    np.testing.assert_allclose(kernel, gaussian_kernel(distances * 1000), atol=1e-9)
    assert np.isfinite(nnk_weights(kernel)).all()


def test_distances_of_points_need_no_clipping() -> None:
    points = np.random.default_rng(0).standard_normal((20, 2))
    distances = distances_of(points)
    bandwidth = np.median(np.sort(distances, axis=1)[:, 5])
    np.testing.assert_allclose(gaussian_kernel(distances), np.exp(-(distances**2) / 2 / bandwidth**2), atol=1e-9)


def test_distances_that_are_no_metric_are_clipped() -> None:
    distances = warped(1, 12)
    bandwidth = np.median(np.sort(distances, axis=1)[:, 5])
    raw = np.exp(-(distances**2) / 2 / bandwidth**2)
    assert np.linalg.eigvalsh(raw).min() < -0.01  # so that there is something to clip
    assert np.abs(gaussian_kernel(distances) - raw).max() > 0.01


def test_on_a_line_only_the_next_on_either_side_are_neighbours() -> None:
    """All others lie behind these two: candidates that would only repeat them get no weight."""
    weights = nnk_weights(gaussian_kernel(distances_of(np.arange(12.0)[:, None])))
    for node in range(1, 11):
        assert np.flatnonzero(weights[node]).tolist() == [node - 1, node + 1]
        assert weights[node, node - 1] == pytest.approx(weights[node, node + 1])


def test_equal_segments_are_each_others_neighbours() -> None:
    distances = distances_of(np.repeat([[0.0], [10.0]], 4, axis=0))
    graph = symmetric(nnk_weights(gaussian_kernel(distances)))
    assert graph[:4, 4:].max() < 1e-9
    assert (graph[:4, :4].sum(axis=1) > 0).any()


@given(st.integers(0, 2**31))
def test_the_graph_has_no_direction_and_all_of_the_weight(seed: int) -> None:
    weights = nnk_weights(gaussian_kernel(warped(seed, 9)))
    graph = symmetric(weights)
    np.testing.assert_array_equal(graph, graph.T)
    assert graph.sum() == pytest.approx(weights.sum())


def test_one_node_has_no_graph() -> None:
    with pytest.raises(ValueError, match="expected at least two nodes, got 1"):
        gaussian_kernel(np.zeros((1, 1)))
