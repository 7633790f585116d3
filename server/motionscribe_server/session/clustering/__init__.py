"""Online clustering: predict, then learn, ids that last."""

from motionscribe_server.session.clustering.base import CAPACITY, OnlineClusterer
from motionscribe_server.session.clustering.dpmeans import DPMeans
from motionscribe_server.session.clustering.state import (
    Change,
    ClusterError,
    ClusterState,
    Created,
    Exemplar,
    Merged,
    Named,
    UnknownClusterError,
    initial_clusters,
    warm_clusters,
)

__all__ = [
    "CAPACITY",
    "Change",
    "ClusterError",
    "ClusterState",
    "Created",
    "DPMeans",
    "Exemplar",
    "Merged",
    "Named",
    "OnlineClusterer",
    "UnknownClusterError",
    "initial_clusters",
    "warm_clusters",
]
