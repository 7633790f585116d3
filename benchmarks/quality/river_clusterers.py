"""river's own stream clusterers behind the interface of base, with ids that stay though river renumbers.

river learns every point and moves its places as it likes. After each step they are matched with the centres that have
an id, first with those that river listed the step before. A place without an id gets one when a point falls near it
and near no centre. A centre that river has given up stays where it was until it fades; so warm, stored and merged
clusters need no help of river: they are centres that river has not listed yet.
Neither of the two is given weights: CluStream takes a weight other than 1 for a spread, DBSTREAM ignores it.
Not here: DenStream, wrong above one dimension (river issue 2004); KMeans and STREAMKMeans, whose centres start from
random places and are drawn back there: neither keeps eight well-separated blobs apart.
"""

import abc
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import cluster

from benchmarks.quality.matching import match
from motionscribe_server.session.clustering.base import CAPACITY, RADIUS, OnlineClusterer
from motionscribe_server.session.clustering.state import ClusterState

FOLLOW = 0.5
"""Share of the radius over which a centre follows a place in one step: farther off, another action may be as near."""


class RiverClusterer(OnlineClusterer):
    """Ids for the places that one of river's clusterers keeps."""

    def __init__(
        self,
        dimensions: int,
        start: Sequence[ClusterState] = (),
        next_id: int = 1,
        *,
        radius: float = RADIUS,
        capacity: int = CAPACITY,
    ) -> None:
        super().__init__(dimensions, start, next_id, radius=radius, capacity=capacity)
        self._river = self._make()
        self._listed: NDArray[np.int64] = np.zeros(0, np.int64)  # ids of the centres that were places at the last step
        self._free: NDArray[np.float64] = np.zeros((0, dimensions))  # (m, d) the places that were none of them

    @abc.abstractmethod
    def _make(self) -> Any:
        """A fresh clusterer of river."""

    @abc.abstractmethod
    def _places(self) -> Mapping[int, Mapping[int, float]]:
        """Where river sees clusters now, under whatever keys: feature -> value."""

    def _take(self, x: NDArray[np.float64], weight: float, slot: int) -> int:
        self._see(x)
        if not slot:
            slot = self._nearest(x) or self._adopt(x)
        if slot:
            self._weights[self._at(slot)] += weight
        return slot

    def _see(self, x: NDArray[np.float64]) -> None:
        """Let river learn x, and move the centres to the places that they are now."""
        self._river.learn_one(dict(enumerate(x.tolist())))
        listing = [[place[i] for i in range(self.dimensions)] for place in self._places().values()]
        places = np.array(listing, np.float64).reshape(-1, self.dimensions)
        was_listed = np.isin(self._ids, self._listed)
        listed: list[int] = []
        for rows in (np.flatnonzero(was_listed), np.flatnonzero(~was_listed)):
            pairs = match(self._centres[rows], places, FOLLOW * self.radius)
            for i, j in pairs:
                self._centres[rows[i]] = places[j]
                listed.append(int(self._ids[rows[i]]))
            places = np.delete(places, [j for _, j in pairs], 0)
        self._listed = np.array(listed, np.int64)
        self._free = places

    def _nearest(self, x: NDArray[np.float64]) -> int:
        distances = np.sqrt(np.square(self._centres - x).sum(1))
        return int(self._ids[distances.argmin()]) if distances.size and distances.min() <= self.radius else 0

    def _adopt(self, x: NDArray[np.float64]) -> int:
        """Give an id to the free place nearest to x, when it is near and there is room."""
        distances = np.sqrt(np.square(self._free - x).sum(1))
        if not distances.size or distances.min() > self.radius:
            return 0
        id = self._birth(self._free[distances.argmin()], 0.0)
        self._listed = np.append(self._listed, id)
        return id


class DBStream(RiverClusterer):
    """river.cluster.DBSTREAM: a place is a group of micro-clusters that share points."""

    def _make(self) -> Any:
        # remembers a single point for 100 points (an hour of motion), anything heavier for longer
        return cluster.DBSTREAM(clustering_threshold=self.radius, fading_factor=0.001, cleanup_interval=100)

    def _places(self) -> Mapping[int, Mapping[int, float]]:
        places: Mapping[int, Mapping[int, float]] = self._river.centers
        return places


class CluStream(RiverClusterer):
    """river.cluster.CluStream: a place is a micro-cluster; its k-means over them starts at random and is left out."""

    def _make(self) -> Any:
        # CMU subject 86 lost nothing with 32, and the pairwise merge in river is quadratic Python
        return cluster.CluStream(max_micro_clusters=32, time_gap=sys.maxsize)

    def _places(self) -> Mapping[int, Mapping[int, float]]:
        return {key: micro.center for key, micro in self._river.micro_clusters.items()}
