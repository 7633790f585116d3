"""What every online clusterer of a session does: predict, then learn, with ids that are never reused.

In: points x (d,), each the mean embedding of a hypothesised segment, with a weight in seconds of motion.
Out: cluster ids >= 1, 0 for "near none of them"; what happened to ids (`changes`); the clusters (`clusters`).
A centre bears the id of the cluster that it was born as. Clusters that a user merges keep their centres and share an
answer, so that motion like the source is still found. What is known of ids is kept in records.py.
No clock, no randomness: the caller passes source time and says with `decay` how much of it went by.
"""

import abc
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from river import base

from motionscribe_server.errors import ExhaustedError
from motionscribe_server.session.clustering.points import point_of, points_of
from motionscribe_server.session.clustering.records import ClusterRecords
from motionscribe_server.session.clustering.state import Change, ClusterError, ClusterState

RADIUS = 0.5
"""Between .45 (clean) and .55 (fast), the linkage cuts that labelled CMU subject 86 best."""
HALF_LIFE = 1800.0
"""Seconds. With FAINT: an action of 4 s is remembered for an hour and a half, a spurious second for half an hour."""
CAPACITY = 64
"""Centres that a stream learns beside those of its model: twice the 32 with which CMU subject 86 lost nothing."""
NAMELESS = 8
"""One place in so many is never taken by a name, so that new motion always finds one."""
FAINT = 0.5
"""Seconds of weight below which a cluster that is neither warm nor named is forgotten; no segment is that short."""
ANCHOR = 10.0
"""Seconds of weight that fading leaves to warm and named clusters, so that no single late segment carries them away."""


class OnlineClusterer(base.Clusterer):  # type: ignore[misc]  # river's classes are Any to mypy, see pyproject.toml
    """Centres with ids; a subclass decides in `_take` how a point moves them.

    Raises ClusterError for points that are not finite or not (d,), UnknownClusterError for ids that are not there,
    ExhaustedError for one name too many; then nothing has changed.
    """

    _ids: NDArray[np.int64]  # (k,) of the centres, ascending
    _centres: NDArray[np.float64]  # (k, d)
    _weights: NDArray[np.float64]  # (k,) seconds

    def __init__(
        self,
        dimensions: int,
        start: Sequence[ClusterState] = (),
        next_id: int = 1,
        *,
        radius: float = RADIUS,
        capacity: int = CAPACITY,
    ) -> None:
        """Begins with the clusters `start`, warm or stored; a stored `next_id` keeps faded ids from being reused."""
        if dimensions < 1 or capacity < 1:
            raise ClusterError(f"expected dimensions and capacity >= 1, got {dimensions} and {capacity}")
        if not 0 < radius < math.inf:
            raise ClusterError(f"expected a positive radius, got {radius}")
        # river reads parameters back from attributes of the same names
        self.dimensions, self.start = dimensions, list(start)
        self.radius, self.capacity = radius, capacity
        self._features: tuple[Any, ...] = ()
        self._begin(sorted(start, key=lambda state: state.id), next_id)
        self.make_room(0)
        self._forget()

    @property
    def next_id(self) -> int:
        """The id of the next birth, beyond all that were ever given."""
        return self._records.next_id

    # river's verbs

    def learn_one(self, x: Mapping[Any, float], w: float = 1.0) -> None:
        """Learns a point of named features, taken in ascending order of name; the first call fixes the names."""
        self.learn(self._named(x), w)
        self._features = tuple(sorted(x))

    def predict_one(self, x: Mapping[Any, float]) -> int:
        """Id of the nearest cluster, 0 when none is within the radius. Changes nothing."""
        return self.predict(self._named(x))

    # the same on arrays

    def predict(self, x: ArrayLike) -> int:
        """Id of the cluster nearest to x (d,), 0 when none is within the radius. Changes nothing."""
        return int(self.predict_many(point_of(x, self.dimensions)[None])[0])

    def predict_many(self, X: ArrayLike) -> NDArray[np.int64]:
        """The same for X (n,d): ids (n,)."""
        ids, distances = self.distances(X)
        if not ids.size:
            return np.zeros(len(distances), np.int64)
        return np.where(distances.min(1) <= self.radius, ids[distances.argmin(1)], 0)

    def distances(self, X: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids (k,) that the centres answer with, one id twice where merged, and distances (n,k) of X (n,d) to them."""
        return self._roots(), np.sqrt(np.square(points_of(X, self.dimensions)[:, None] - self._centres).sum(2))

    def nearest(self, x: ArrayLike, segments: int) -> tuple[int, float] | None:
        """Id and distance of the cluster nearest to x (d,), of those that learnt at least so many; None for none."""
        ids, distances = self.distances(point_of(x, self.dimensions)[None])
        often = np.array([self._records.by_id[int(id)].segments >= segments for id in ids], bool)
        if not often.any():
            return None
        nearest = int(np.where(often, distances[0], math.inf).argmin())
        return int(ids[nearest]), float(distances[0, nearest])

    def learn(self, x: ArrayLike, weight: float, id: int | None = None, time_us: int = 0) -> int:
        """Learns the mean x (d,) of a segment of `weight` seconds that ended at `time_us`; returns the id that took it.

        With `id`, that cluster takes it however far it is, and is born if the id was never used; without, the
        clusterer chooses, or gives birth. The answer is 0 where it has no cluster for x yet.
        """
        point = point_of(x, self.dimensions)
        if not (0 < weight < math.inf):
            raise ClusterError(f"expected a finite weight > 0 seconds, got {weight}")
        if id is not None and id < 1:
            raise ClusterError(f"expected an id >= 1, got {id}")
        root = 0 if id is None else self.resolve(id)
        if id is None or root:
            slot = self._take(point, float(weight), self._nearest_centre_of(root, point) if root else 0)
        else:
            slot = self._birth(point, float(weight), int(id))
            self._see(point)
        if slot == 0:
            return 0
        root = self.resolve(slot)
        self._records.count(root, float(weight), time_us)
        return root

    def centres(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Ids (k,) that the centres answer with, the centres (k,d), and their weights (k,) in seconds; copies."""
        return self._roots(), self._centres.copy(), self._weights.copy()

    def decay(self, seconds: float) -> None:
        """Lets `seconds` of source time go by: weights halve every half-life, clusters that got faint are forgotten."""
        if not (0 <= seconds < math.inf):
            raise ClusterError(f"expected finite seconds >= 0, got {seconds}")
        kept, faded = self._kept(), self._weights * 0.5 ** (seconds / HALF_LIFE)
        self._weights = np.where(kept, np.maximum(faded, np.minimum(self._weights, ANCHOR)), faded)
        for id in self._ids[~kept & (self._weights < FAINT)]:
            self._drop(int(id))
        self._forget()

    # room

    @property
    def most_named(self) -> int:
        """Learnt centres, those of merged clusters included, that names may keep from being forgotten."""
        return self.capacity - max(1, self.capacity // NAMELESS)

    @property
    def nameless_places(self) -> int:
        """Learnt centres without a name that there may be; one at least."""
        return self.capacity - min(int((self._kept() & ~self._warm()).sum()), self.most_named)

    def make_room(self, births: int, spared: Collection[int] = ()) -> list[int]:
        """Forgets the faintest centres that are not kept, until there is room for so many `births`.

        The `spared` ids go last. Returns what was forgotten.
        """
        forgotten: list[int] = []
        while (free := ~self._kept()).sum() > max(0, self.nameless_places - births):
            gone = free & ~np.isin(self._ids, list(spared))
            forgotten.append(int(self._ids[np.where(gone if gone.any() else free, self._weights, math.inf).argmin()]))
            self._drop(forgotten[-1])
        if forgotten:
            self._forget()
        return forgotten

    # ids

    def note_given(self, id: int) -> None:
        """A label bore `id`: no birth gets it any more."""
        self._records.next_id = max(self._records.next_id, id + 1)

    def changes(self) -> list[Change]:
        """What happened to ids since the last call, in order."""
        return self._records.changes()

    def resolve(self, id: int) -> int:
        """The id that stands for `id` now: itself, what it was merged into, or 0 when it was never born or faded."""
        return self._records.resolve(id)

    def clusters(self) -> list[ClusterState]:
        """All that is remembered, in ascending order of id, merged ones included."""
        return sorted(self._present(), key=lambda state: state.id)

    def name(self, id: int) -> str:
        """The name that `id`, or what it was merged into, bears; empty when it has none or is unknown."""
        return self._records.name(id)

    def rename(self, id: int, name: str) -> None:
        """Gives a name, or takes it away with an empty one. A named cluster does not fade away."""
        if name:
            self._require_places([id])
        self._records.rename(id, name)

    def merge(self, sources: Sequence[int], target: int) -> None:
        """Makes all of `sources` part of `target`: points near any of them are answered with the target's id."""
        if self.name(target):
            self._require_places(sources)
        self._records.merge(sources, target)

    def split(self, id: int) -> int:
        """Undoes a merge that a user made: `id` has its own centre still. Returns what it was part of."""
        return self._records.split(id, self._ids.tolist())

    @abc.abstractmethod
    def _take(self, x: NDArray[np.float64], weight: float, slot: int) -> int:
        """Learns x into the centre of id `slot`, or of its own choice when 0; returns the centre's id, 0 for none."""

    def _see(self, x: NDArray[np.float64]) -> None:  # not every clusterer has one
        """Shows x, which was born under a given id, to the model behind the centres where there is one."""

    def _begin(self, start: Sequence[ClusterState], next_id: int, changes: Sequence[Sequence[int]] = ()) -> None:
        """Takes the clusters `start`, in order of birth, in place of what is there; `changes` are not reported yet."""
        for state in start:
            if (shape := state.centre.shape) != (self.dimensions,):
                raise ClusterError(f"cluster {state.id}: expected centre ({self.dimensions},), got {shape}")
        self._records = ClusterRecords(start, next_id, changes)
        centred = sorted((state for state in start if state.weight > 0), key=lambda state: state.id)
        self._ids = np.array([state.id for state in centred], np.int64)
        self._centres = np.array([state.centre for state in centred], np.float64).reshape(-1, self.dimensions)
        self._weights = np.array([state.weight for state in centred], np.float64)

    def _present(self) -> list[ClusterState]:
        """All records in order of birth, with the centres and weights of now."""
        at = {int(id): k for k, id in enumerate(self._ids)}
        return [
            replace(r, centre=self._centres[at[id]], weight=float(self._weights[at[id]])) if id in at else r
            for id, r in self._records.by_id.items()
        ]

    def _birth(self, x: NDArray[np.float64], weight: float, id: int = 0) -> int:
        """A new cluster at x, in place of the faintest when there is no room.

        `id` 0 is the next free one; another was given out before, and returns after its cluster was forgotten at most.
        """
        self.make_room(1)
        id = id or self.next_id
        self._records.add(id, x, weight)
        k = self._at(id)  # ids stay ascending
        self._ids = np.insert(self._ids, k, id)
        self._centres = np.insert(self._centres, k, x, axis=0)
        self._weights = np.insert(self._weights, k, weight)
        return id

    def _require_places(self, ids: Collection[int]) -> None:
        """Raises ExhaustedError where names would keep too many centres if they kept those of `ids`, too."""
        kept, learnt = self._kept(), ~self._warm()
        more = ~kept & learnt & np.isin(self._roots(), [self.resolve(id) for id in ids])
        if more.any() and (needed := int((kept & learnt | more).sum())) > self.most_named:
            raise ExhaustedError(
                f"expected at most {self.most_named} clusters of this stream with names, those merged into them "
                f"included, got {needed}: new motion would find no place; take a name away first"
            )

    def _drop(self, id: int) -> None:
        """Removes a centre; its record stays until `_forget` finds that nothing needs it."""
        k = self._at(id)
        self._records.lose_centre(id, self._centres[k])
        self._ids = np.delete(self._ids, k)
        self._centres = np.delete(self._centres, k, 0)
        self._weights = np.delete(self._weights, k)

    def _forget(self) -> None:
        self._records.forget(self._ids.tolist(), self.capacity)

    def _kept(self) -> NDArray[np.bool_]:
        """True (k,) for centres that may not be forgotten."""
        return np.array([self._records.keeps(int(id)) for id in self._ids], np.bool_)

    def _warm(self) -> NDArray[np.bool_]:
        """True (k,) for the centres of the model."""
        return np.array([self._records.by_id[int(id)].warm for id in self._ids], np.bool_)

    def _roots(self) -> NDArray[np.int64]:
        return np.array([self.resolve(int(id)) for id in self._ids], np.int64)

    def _at(self, id: int) -> int:
        """Row of the centre that bears `id`."""
        return int(np.searchsorted(self._ids, id))

    def _nearest_centre_of(self, root: int, x: NDArray[np.float64]) -> int:
        distances = np.where(self._roots() == root, np.square(self._centres - x).sum(1), math.inf)
        return int(self._ids[distances.argmin()])

    def _named(self, x: Mapping[Any, float]) -> NDArray[np.float64]:
        names = tuple(sorted(x))
        if self._features and names != self._features:
            raise ClusterError(f"expected features {self._features}, got {names}")
        return point_of([x[name] for name in names], self.dimensions)
