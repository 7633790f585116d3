"""A clusterer by its name in the settings, with the clusters that it begins with."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from motionscribe_server.session.clustering.base import CAPACITY, HALF_LIFE, RADIUS, OnlineClusterer
from motionscribe_server.session.clustering.dpmeans import DPMeans
from motionscribe_server.session.clustering.river_clusterers import CluStream, DBStream
from motionscribe_server.session.clustering.state import ClusterError, ClusterState, warm_clusters

CLUSTERERS: dict[str, type[OnlineClusterer]] = {"dpmeans": DPMeans, "dbstream": DBStream, "clustream": CluStream}
"""By name; the first is the default."""


def make_clusterer(
    name: str,
    dimensions: int,
    warm_centres: ArrayLike = (),
    stored: Sequence[ClusterState] = (),
    next_id: int = 1,
    *,
    radius: float = RADIUS,
    half_life: float = HALF_LIFE,
    capacity: int = CAPACITY,
) -> OnlineClusterer:
    """The clusterer `name` for points (dimensions,), begun with a model's centres (n,d), ids 1..n, and what was stored.

    A stored cluster takes the place of the warm one with its id. Raises ClusterError for an unknown name, or for
    centres of another width.
    """
    if name not in CLUSTERERS:
        raise ClusterError(f"expected one of the clusterers {', '.join(CLUSTERERS)}, got {name!r}")
    start = {state.id: state for state in warm_clusters(warm_centres)}
    start |= {state.id: state for state in stored}
    return CLUSTERERS[name](
        dimensions, list(start.values()), next_id, radius=radius, half_life=half_life, capacity=capacity
    )
