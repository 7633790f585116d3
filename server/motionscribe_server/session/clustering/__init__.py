"""Online clusterers behind one interface: predict, then learn, ids that last."""

from motionscribe_server.session.clustering.base import OnlineClusterer
from motionscribe_server.session.clustering.dpmeans import DPMeans
from motionscribe_server.session.clustering.factory import CLUSTERERS, make_clusterer
from motionscribe_server.session.clustering.river_clusterers import CluStream, DBStream
from motionscribe_server.session.clustering.state import (
    Change,
    ClusterError,
    ClusterState,
    Created,
    Merged,
    UnknownClusterError,
    warm_clusters,
)

__all__ = [
    "CLUSTERERS",
    "Change",
    "CluStream",
    "ClusterError",
    "ClusterState",
    "Created",
    "DBStream",
    "DPMeans",
    "Merged",
    "OnlineClusterer",
    "UnknownClusterError",
    "make_clusterer",
    "warm_clusters",
]
