"""Clusters as values, what a clusterer begins with, and where it refuses; the battery is run in test_dpmeans."""

import math

import numpy as np
import pytest
from tests.support.cluster_points import CORNERS, D

from motionscribe_server.errors import ExhaustedError
from motionscribe_server.session.clustering import (
    ClusterError,
    ClusterState,
    DPMeans,
    UnknownClusterError,
    initial_clusters,
    warm_clusters,
)
from motionscribe_server.session.clustering.state import columns_of, states_from


def test_states_and_settings_are_checked() -> None:
    state = warm_clusters(np.zeros((1, D)))[0]
    with pytest.raises(ClusterError, match=r"expected warm centres \(n, d\), got shape \(6,\)"):
        warm_clusters(np.ones(D))
    with pytest.raises(ClusterError, match=r"expected centre \(5,\), got \(6,\)"):
        DPMeans(5, [state])
    with pytest.raises(ClusterError, match="ids that differ"):
        DPMeans(D, [state, state])
    with pytest.raises(ClusterError, match="which does not stand for itself"):
        DPMeans(D, [ClusterState(2, "", 1, False, np.zeros(D), 1.0, 0, 0, 1, 1.0)])
    for fields in (
        {"id": 0},
        {"merged_into": 1},
        {"weight": math.nan},
        {"centre": np.array([math.inf])},
        {"segments": -1},
    ):
        with pytest.raises(ClusterError, match="expected"):
            ClusterState(**{**vars(state), **fields})
    for arguments in ({"radius": 0.0}, {"radius": math.inf}, {"capacity": 0}):
        with pytest.raises(ClusterError, match="expected"):
            DPMeans(D, **arguments)


def test_states_are_values() -> None:
    one, two = (warm_clusters(np.zeros((1, D)))[0] for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != warm_clusters(np.ones((1, D)))[0]
    assert one != "cluster 1"


def test_clusters_of_the_model_take_no_places() -> None:
    clusterer = DPMeans(D, warm_clusters(CORNERS), capacity=2)
    for x in CORNERS:
        clusterer.learn(x + 9, 1.0)
    assert [state.id for state in clusterer.clusters()] == [1, 2, 3, 4, 7, 8]


def test_names_leave_a_place_for_new_motion() -> None:
    clusterer = DPMeans(D, capacity=3)
    a, b, c = (clusterer.learn(x, 3.0) for x in CORNERS[:3])
    clusterer.rename(a, "walk")
    clusterer.rename(b, "run")
    before = clusterer.clusters()
    with pytest.raises(ExhaustedError, match=r"at most 2 clusters of this stream with names, .* got 3"):
        clusterer.rename(c, "one too many")
    with pytest.raises(ExhaustedError, match="got 3"):
        clusterer.merge([c], a)
    assert clusterer.clusters() == before
    clusterer.rename(a, "stroll")
    clusterer.learn(CORNERS[3], 1.0)
    with pytest.raises(UnknownClusterError, match=f"got {c}, which is forgotten: it made room"):
        clusterer.rename(c, "too late")


def test_more_stored_clusters_than_room_keeps_the_heaviest() -> None:
    stored = [ClusterState(k + 1, "", 0, False, x, float(k + 1), 0, 0, 1, 1.0) for k, x in enumerate(CORNERS)]
    assert [state.id for state in DPMeans(D, stored, capacity=2).clusters()] == [3, 4]


def test_a_stored_cluster_takes_the_place_of_the_warm_one_with_its_id() -> None:
    stored = [ClusterState(id, "walk", 0, id == 2, np.ones(D), 3.0, 0, 5, 1, 3.0) for id in (2, 7)]
    start = initial_clusters(np.zeros((3, D)), stored)
    assert [state.id for state in start] == [1, 2, 3, 7]
    assert start[1] is stored[0]
    assert initial_clusters((), ()) == []


def test_clusters_as_columns_and_back_are_the_same() -> None:
    clusters = [
        ClusterState(3, "walk", 0, True, np.array([0.1, -1e300]), 1 / 3, 0, 2**62, 4, 0.1),
        ClusterState(1, "", 3, False, np.array([5e-324, 2.0]), 0.0, 1, 2, 0, 0.0),
    ]
    assert states_from(columns_of(clusters)) == clusters
    assert states_from(columns_of([])) == []
    with pytest.raises(ValueError, match="shorter"):
        states_from(columns_of(clusters) | {"name": ["walk"]})
