"""What clusters look like: for each a few short clips of its motion, for people who are about to name it.

In: the frames of each final moment, and the ends of segments. Out: clips by cluster id, of the last seconds of the
segments nearest to the centre, nearest first, and of the newest. A clip shows somebody on the spot (representations,
`figure`): neither where they were, nor how tall. Models whose features do not say where joints are have none.
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
EDGE_S = 0.3
"""Before the end of a segment, which may lie a little late."""
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
        has_figure = feature_map.figure(np.zeros((1, feature_map.width))) is not None
        self._kept = kept and has_figure
        self._frames = self._nothing()  # the newest of the open final segment
        self._of = {state.id: state.exemplars for state in stored if state.exemplars and kept}

    @property
    def wants_frames(self) -> bool:
        """Whether it looks at any."""
        return self._kept

    def of(self, id: int) -> tuple[Exemplar, ...]:
        """The clips of a cluster, without those of clusters that are part of it."""
        return self._of.get(id, ())

    def add_final(self, frames: NDArray[np.float32]) -> None:
        """One more final moment of the open segment, of frames (n, F)."""
        if self._kept:
            longest = round((LENGTH_S + EDGE_S) * self._rate_hz)
            self._frames = np.concatenate([self._frames, frames])[-longest:]

    def end_segment(self, id: int, start_us: int, distance: float) -> None:
        """The open segment was one of cluster `id`; `distance` is that of its mean from the cluster's centre."""
        frames, self._frames = self._frames, self._nothing()
        spare = len(frames) - round(SHORTEST_S * self._rate_hz)
        if not self._kept or spare < 0:
            return
        inside = frames[: len(frames) - min(spare, round(EDGE_S * self._rate_hz))]
        clip = clip_of(self._feature_map, inside, self._rate_hz)
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
        self._frames = self._nothing()

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
            "frames": self._frames.copy(),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        ends = np.cumsum(state["lengths"], dtype=int)
        parts = np.split(state["values"], ends[:-1]) if len(ends) else []
        self._frames = state["frames"]
        self._of = {}
        for id, start_us, distance, part in zip(
            state["ids"], state["starts_us"], state["distance"], parts, strict=True
        ):
            self._of[id] = (*self.of(id), Exemplar(start_us, float(distance), part.tobytes()))

    def _nothing(self) -> NDArray[np.float32]:
        return np.empty((0, self._feature_map.width), np.float32)


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
