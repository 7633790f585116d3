"""What clusters look like: for each a few short clips of its motion, for people who are about to name it.

In: the end of each segment, with the features of its last seconds. Out: clips by cluster id, those of the segments
nearest to its centre first, then the newest. A clip shows somebody on the spot (representations, `figure`): neither
where they were, nor how tall. Models whose features do not say where joints are have none.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_models.state import State
from motionscribe_server.session.clustering import ClusterState, Exemplar

LENGTH_S = 1.6
"""A stride and a half."""
SHORTEST_S = 0.8
FASTEST_HZ = 10.0
"""Frames of a clip: whoever shows it draws the poses between them."""
NEAREST = 2
"""Clips of a cluster, beside the newest."""
VALUES = np.dtype("<f2")
"""To a millimetre, where the unit is a metre."""


class Exemplars:
    """The clips of one stream."""

    def __init__(self, feature_map: FeatureMap, rate_hz: float, stored: Sequence[ClusterState], kept: bool) -> None:
        """Features come at `rate_hz`. Unless they are to be `kept`, there are none."""
        self._feature_map = feature_map
        self._rate_hz = rate_hz
        self._kept = kept
        self._of = {state.id: state.exemplars for state in stored if state.exemplars and kept}

    def of(self, id: int) -> tuple[Exemplar, ...]:
        """The clips of a cluster, without those of clusters that are part of it."""
        return self._of.get(id, ())

    def add(self, id: int, start_us: int, features: NDArray[np.float32], distance: float) -> None:
        """A segment of cluster `id` ended: its features (n, F), and how far its mean is from the cluster's centre."""
        if not self._kept or len(features) < SHORTEST_S * self._rate_hz:
            return
        clip = clip_of(self._feature_map, features, self._rate_hz)
        if clip is None:
            return
        newest = Exemplar(start_us, distance, clip.astype(VALUES).tobytes())
        nearest = sorted([*self.of(id), newest], key=lambda one: one.distance)[:NEAREST]
        self._of[id] = tuple(nearest if newest in nearest else [*nearest, newest])

    def keep(self, ids: Collection[int]) -> None:
        """Forgets the clips of all others."""
        self._of = {id: clips for id, clips in self._of.items() if id in ids}

    def forget(self) -> None:
        """From now on there are none."""
        self._kept, self._of = False, {}

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        rows = [(id, clip) for id, clips in self._of.items() for clip in clips]
        lengths = [len(clip.values) for _, clip in rows]
        values = np.frombuffer(b"".join(clip.values for _, clip in rows), np.uint8)
        return {
            "ids": [id for id, _ in rows],
            "starts_us": [clip.start_us for _, clip in rows],
            "distance": np.array([clip.distance for _, clip in rows], np.float64),
            "lengths": lengths,
            "values": values,
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        ends = np.cumsum(state["lengths"], dtype=int)
        parts = np.split(state["values"], ends[:-1]) if len(ends) else []
        self._of = {}
        for id, start_us, distance, part in zip(
            state["ids"], state["starts_us"], state["distance"], parts, strict=True
        ):
            self._of[id] = (*self.of(id), Exemplar(start_us, float(distance), part.tobytes()))


def clip_rate(rate_hz: float) -> float:
    """Frames a second of clips, for a model of so many."""
    return rate_hz / _step(rate_hz)


def clip_of(feature_map: FeatureMap, features: NDArray[np.floating], rate_hz: float) -> Array | None:
    """The middle of a segment's features (n, F) as raw frames (K, D) at `clip_rate`, None where there is no figure."""
    wanted = round(LENGTH_S * rate_hz)
    first = max(0, (len(features) - wanted) // 2)
    return feature_map.figure(features[first : first + wanted : _step(rate_hz)])


def _step(rate_hz: float) -> int:
    return max(1, round(rate_hz / FASTEST_HZ))
