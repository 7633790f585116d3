"""Smoothness is that of the Laplacian, its null is where random labels lie, and a vote is a vote."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.arrays import Array
from motionscribe_training.evaluation.metrics import Labels
from motionscribe_training.explaining.smoothness import by_node, cross_label_mass, permuted, smoothness, vote


def graph_of(seed: int, nodes: int, density: float = 0.3) -> Array:
    random = np.random.default_rng(seed)
    upper = np.triu(random.uniform(0, 1, (nodes, nodes)) * (random.uniform(0, 1, (nodes, nodes)) < density), 1)
    return upper + upper.T


def labels_of(seed: int, nodes: int, classes: int) -> Labels:
    return np.random.default_rng(seed).integers(0, classes, nodes)


@given(seed=st.integers(0, 2**31), nodes=st.integers(1, 15), classes=st.integers(1, 4))
def test_smoothness_is_the_trace_of_the_laplacian(seed: int, nodes: int, classes: int) -> None:
    weights, labels = graph_of(seed, nodes), labels_of(seed, nodes, classes)
    walk = np.array([row / row.sum() if row.sum() else row for row in weights])
    one_hot = np.eye(classes)[labels]
    trace = np.trace(one_hot.T @ (np.eye(nodes) - walk) @ one_hot) / nodes
    assert smoothness(weights, labels) == pytest.approx(trace)
    assert by_node(weights, labels).mean() == pytest.approx(trace)
    assert -1e-12 <= smoothness(weights, labels) <= 1 + 1e-12


@given(seed=st.integers(0, 2**31), nodes=st.integers(1, 15), classes=st.integers(1, 4))
def test_votes_and_mass_are_counted(seed: int, nodes: int, classes: int) -> None:
    weights, labels = graph_of(seed, nodes), labels_of(seed, nodes, classes)
    right, across = 0, 0.0
    for i in range(nodes):
        votes = dict.fromkeys(range(classes), 0.0)
        for j in range(nodes):
            votes[labels[j]] += weights[i, j]
            across += weights[i, j] * (labels[i] != labels[j])
        own = votes.pop(labels[i])
        right += own > max(votes.values(), default=0)
    assert vote(weights, labels) == pytest.approx(right / nodes)
    assert cross_label_mass(weights, labels) == pytest.approx(across / weights.sum() if weights.sum() else 1)


def test_two_islands() -> None:
    weights: Array = np.kron(np.eye(2), 1 - np.eye(3)).astype(np.float64)
    islands, mixed = np.repeat([0, 1], 3), np.array([0, 1, 0, 1, 0, 1])
    assert (smoothness(weights, islands), cross_label_mass(weights, islands), vote(weights, islands)) == (0, 0, 1)
    assert smoothness(weights, mixed) == pytest.approx(4 / 6)
    assert vote(weights, mixed) == 0  # of two neighbours one says so, the other so: a tie


def test_a_node_without_an_edge_counts_as_wrong() -> None:
    labels = np.zeros(3, np.int64)
    weights = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0.0]])
    assert smoothness(weights, labels) == pytest.approx(1 / 3)
    assert vote(weights, labels) == pytest.approx(2 / 3)
    assert cross_label_mass(np.zeros((3, 3)), labels) == 1


def test_random_labels_lie_within_their_null_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(200):
        weights, labels = graph_of(seed, 30), labels_of(1000 + seed, 30, 4)
        null = permuted(weights, labels, seed)
        assert null.low < null.mean < null.high
        inside += null.low <= smoothness(weights, labels) <= null.high
    assert 0.90 < inside / 200 < 0.99  # 0.95 in the mean, 0.015 its standard deviation


def test_labels_that_follow_the_graph_lie_below_their_null() -> None:
    labels = np.repeat([0, 1, 2], 10)
    weights = graph_of(3, 30) * np.where(labels[:, None] == labels, 1, 0.2)
    assert smoothness(weights, labels) < permuted(weights, labels, 0).low


def test_the_mean_of_the_null_is_that_of_two_drawn_without_return() -> None:
    labels = np.repeat([0, 1, 2], [12, 6, 2])
    weights = 1 - np.eye(20)
    alike = sum(count * (count - 1) for count in (12, 6, 2)) / (20 * 19)
    assert permuted(weights, labels, 0).mean == pytest.approx(1 - alike)
    ring = np.roll(np.eye(20), 1, axis=1) + np.roll(np.eye(20), -1, axis=1)
    assert permuted(ring, labels, 0).mean == pytest.approx(1 - alike, abs=0.02)


def test_the_null_follows_its_seed() -> None:
    weights, labels = graph_of(0, 12), labels_of(0, 12, 3)
    assert permuted(weights, labels, 1) == permuted(weights, labels, 1) != permuted(weights, labels, 2)
