"""Decayed DP-means: clusters are born, drift, merge and fade while points arrive, in arrays over the clusters.

A point farther than `radius` from every centre becomes one (Kulis and Jordan 2012, arXiv 1111.0352); a nearer one moves
its centre by its share of the weight, as online k-means does; centres that meet become one; weights halve with time
(`decay`, in base). Of the clusterers tried on CMU subject 86 this one was best and cheapest. Deterministic.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.state import State
from motionscribe_server.session.clustering.base import OnlineClusterer
from motionscribe_server.session.clustering.state import columns_of, states_from

MERGE = 0.9
"""Centres nearer than this share of the radius become one. ARI of seven trials of subject 86, in true segments of 2
to 5 s and slow features scaled as here: .86 with .9, .81 with .8, .70 with .5."""
FLOOR = 0.05
"""Least share of the way that a centre moves to a point, so that heavy clusters follow a tiring performer; 0 to .2
score alike on the same trials."""


class DPMeans(OnlineClusterer):
    """Decayed online DP-means.

    >>> from motionscribe_server.session.clustering.dpmeans import DPMeans
    >>> clusterer = DPMeans(dimensions=2, radius=0.5)
    >>> clusterer.predict([0.0, 0.0])
    0
    >>> clusterer.learn([0.0, 0.0], weight=3.0), clusterer.learn([1.0, 0.0], weight=3.0)
    (1, 2)
    >>> clusterer.predict_many([[0.1, 0.0], [0.9, 0.1], [5.0, 5.0]]).tolist()
    [1, 2, 0]
    """

    def state(self) -> State:
        """Everything learnt of the stream, as nested plain values and arrays that share nothing with this object."""
        return {
            "clusters": columns_of(self._present()),
            "next_id": self.next_id,
            "changes": self._records.pending(),
            "features": list(self._features),
        }

    def restore(self, state: State) -> None:
        """Goes on as the clusterer that gave `state`, of the same parameters, to the bit."""
        self._begin(states_from(state["clusters"]), state["next_id"], state["changes"])
        self._features = tuple(state["features"])

    def _take(self, x: NDArray[np.float64], weight: float, slot: int) -> int:
        if slot:
            k = self._at(slot)
        else:
            distances = np.sqrt(np.square(self._centres - x).sum(1))
            if not distances.size or distances.min() > self.radius:
                return self._birth(x, weight)
            k = int(distances.argmin())
        self._weights[k] += weight
        self._centres[k] += max(weight / self._weights[k], FLOOR) * (x - self._centres[k])
        return self._fold(k)

    def _fold(self, k: int) -> int:
        """Joins centre k, which moved, with the centres that it met; returns the id of the one that is left."""
        while True:
            distances = np.sqrt(np.square(self._centres - self._centres[k]).sum(1))
            near = [i for i in np.flatnonzero(distances < MERGE * self.radius).tolist() if self._foldable(i, k)]
            if not near:
                return int(self._ids[k])
            pair = (k, min(near, key=lambda i: float(distances[i])))
            stays, goes = sorted(pair, key=self._rank, reverse=True)
            share = self._weights[goes] / (self._weights[stays] + self._weights[goes])
            self._centres[stays] += share * (self._centres[goes] - self._centres[stays])
            self._weights[stays] += self._weights[goes]
            survivor, gone = int(self._ids[stays]), int(self._ids[goes])
            self._drop(gone)
            if self.resolve(gone) != self.resolve(survivor):
                self._records.join(gone, survivor)
            self._forget()
            k = self._at(survivor)

    def _foldable(self, i: int, k: int) -> bool:
        """True where centres i and k may become one: they differ, and not both are kept.

        A centre that a user merged joins only centres of its cluster. A warm centre that has learnt nothing stays where
        it is: the motion that is labelled with its id may be elsewhere.
        """
        a, b = int(self._ids[i]), int(self._ids[k])
        if not self._records.by_id[self.resolve(a)].segments:
            return False
        if a == b or (self._records.keeps(a) and self._records.keeps(b)):
            return False
        return self.resolve(a) == self.resolve(b) or (self.resolve(a) == a and self.resolve(b) == b)

    def _rank(self, k: int) -> tuple[bool, float, int]:
        """Sort key of centre k: the kept one of two survives, else the heavier, else the older."""
        return self._records.keeps(int(self._ids[k])), float(self._weights[k]), -int(self._ids[k])
