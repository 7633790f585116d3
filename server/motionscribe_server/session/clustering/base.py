"""What every online clusterer of a session does: predict, then learn, with ids that are never reused.

In: points x (d,), each the mean embedding of a hypothesised segment, with a weight in seconds of motion.
Out: cluster ids >= 1, 0 for "near none of them"; what happened to ids (`changes`); the clusters (`clusters`).
A centre bears the id of the cluster that it was born as. Clusters that a user merges keep their centres and share an
answer, so that motion like the source goes on being found.
No clock, no randomness: the caller passes source time and says with `decay` how much of it went by.
"""

import abc
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from river import base

from motionscribe_models.state import State
from motionscribe_server.session.clustering.state import (
    Change,
    ClusterError,
    ClusterState,
    Created,
    Merged,
    UnknownClusterError,
)

RECORD = ("id", "name", "merged_into", "warm", "weight", "created_us", "last_seen_us", "segments", "seconds")
RADIUS = 0.5
"""Between .45 (clean) and .55 (fast), the linkage cuts that labelled CMU subject 86 best."""
HALF_LIFE = 1800.0
"""Seconds. With FAINT: an action of 4 s is remembered for an hour and a half, a spurious second for half an hour."""
CAPACITY = 64
"""Centres of one session: twice the 32 with which CMU subject 86 lost nothing."""
FAINT = 0.5
"""Seconds of weight below which a cluster that is neither warm nor named is forgotten; no segment is that short."""
ANCHOR = 10.0
"""Seconds of weight that fading leaves to warm and named clusters, so that no single late segment carries them away."""


class OnlineClusterer(base.Clusterer):  # type: ignore[misc]  # river's classes are Any to mypy, see pyproject.toml
    """Centres with ids; a subclass decides in `_take` how a point moves them.

    Raises ClusterError for points that are not finite or not (d,), UnknownClusterError for ids that are not there; then
    nothing has changed.
    """

    def __init__(
        self,
        dimensions: int,
        start: Sequence[ClusterState] = (),
        next_id: int = 1,
        *,
        radius: float = RADIUS,
        half_life: float = HALF_LIFE,
        capacity: int = CAPACITY,
    ) -> None:
        """Begin with the clusters `start`, warm or stored; a stored `next_id` keeps faded ids from being reused."""
        if dimensions < 1 or capacity < 1:
            raise ClusterError(f"expected dimensions and capacity >= 1, got {dimensions} and {capacity}")
        if not (0 < radius < math.inf and half_life > 0):
            raise ClusterError(f"expected positive radius and half_life, got {radius} and {half_life}")
        # river reads parameters back from attributes of the same names
        self.dimensions, self.start = dimensions, list(start)
        self.radius, self.half_life, self.capacity = radius, half_life, capacity
        self.next_id = max([next_id, 1, *(state.id + 1 for state in start)])
        self._records = {state.id: state for state in sorted(start, key=lambda state: state.id)}
        if len(self._records) < len(start):
            raise ClusterError(f"expected ids that differ, got {sorted(state.id for state in start)}")
        for state in start:
            if state.centre.shape != (dimensions,):
                raise ClusterError(f"cluster {state.id}: expected centre ({dimensions},), got {state.centre.shape}")
            target = self._records.get(state.merged_into)
            if state.merged_into and (target is None or target.merged_into):
                raise ClusterError(
                    f"cluster {state.id}: merged into {state.merged_into}, which does not stand for itself"
                )
        centred = [state for state in self._records.values() if state.weight > 0]
        self._ids = np.array([state.id for state in centred], np.int64)  # (k,) ascending
        self._centres = np.array([state.centre for state in centred], np.float64).reshape(-1, dimensions)  # (k, d)
        self._weights = np.array([state.weight for state in centred], np.float64)  # (k,)
        self._changes: list[Change] = []
        self._features: tuple[Any, ...] = ()
        while len(self._ids) > capacity:
            if not self._evict():
                raise ClusterError(f"expected at most {capacity} warm or named clusters, got {len(self._ids)}")
        self._forget()

    # river's verbs

    def learn_one(self, x: Mapping[Any, float], w: float = 1.0) -> None:
        """Learn a point of named features, taken in ascending order of name; the first call fixes the names."""
        self.learn(self._named(x), w)
        self._features = tuple(sorted(x))

    def predict_one(self, x: Mapping[Any, float]) -> int:
        """Id of the nearest cluster, 0 when none is within the radius. Changes nothing."""
        return self.predict(self._named(x))

    # the same on arrays

    def predict(self, x: ArrayLike) -> int:
        """Id of the cluster nearest to x (d,), 0 when none is within the radius. Changes nothing."""
        return int(self.predict_many(self._point(x)[None])[0])

    def predict_many(self, X: ArrayLike) -> NDArray[np.int64]:
        """The same for X (n,d): ids (n,)."""
        ids, distances = self.distances(X)
        if not ids.size:
            return np.zeros(len(distances), np.int64)
        return np.where(distances.min(1) <= self.radius, ids[distances.argmin(1)], 0)

    def distances(self, X: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids (k,) that the centres answer with, one id twice where merged, and distances (n,k) of X (n,d) to them."""
        points = np.array(X, np.float64)
        if points.ndim != 2 or points.shape[1] != self.dimensions:
            raise ClusterError(f"expected points (n, {self.dimensions}), got shape {points.shape}")
        if not np.isfinite(points).all():
            raise ClusterError(f"expected finite points, got {points[~np.isfinite(points)][0]} among them")
        return self._roots(), np.sqrt(np.square(points[:, None] - self._centres).sum(2))

    def learn(self, x: ArrayLike, weight: float, id: int | None = None, time_us: int = 0) -> int:
        """Learn the mean x (d,) of a segment of `weight` seconds that ended at `time_us`; return the id that took it.

        With `id`, that cluster takes it however far it is, and is born if the id was never used; without, the
        clusterer chooses, or gives birth. The answer is 0 where it has no cluster for x yet, or no room for one because
        every centre is warm or named.
        """
        point = self._point(x)
        if not (0 < weight < math.inf):
            raise ClusterError(f"expected a finite weight > 0 seconds, got {weight}")
        if id is not None and id < 1:
            raise ClusterError(f"expected an id >= 1, got {id}")
        root = 0 if id is None else self.resolve(id)
        if id is None or root:
            slot = self._take(point, float(weight), self._nearest_centre_of(root, point) if root else 0)
        else:
            slot = self._birth(point, float(weight), id)
            self._see(point)
        if slot == 0:
            return 0
        root = self.resolve(slot)
        record = self._records[root]
        self._records[root] = replace(
            record,
            created_us=record.created_us if record.segments or record.warm else time_us,
            last_seen_us=max(record.last_seen_us, time_us),
            segments=record.segments + 1,
            seconds=record.seconds + weight,
        )
        return root

    def centres(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Ids (k,) that the centres answer with, the centres (k,d), and their weights (k,) in seconds; copies."""
        return self._roots(), self._centres.copy(), self._weights.copy()

    def decay(self, seconds: float) -> None:
        """Let `seconds` of source time go by: weights halve every half-life, clusters that got faint are forgotten."""
        if not (0 <= seconds < math.inf):
            raise ClusterError(f"expected finite seconds >= 0, got {seconds}")
        kept, faded = self._kept(), self._weights * 0.5 ** (seconds / self.half_life)
        self._weights = np.where(kept, np.maximum(faded, np.minimum(self._weights, ANCHOR)), faded)
        for id in self._ids[~kept & (self._weights < FAINT)]:
            self._drop(int(id))
        self._forget()

    # ids

    def changes(self) -> list[Change]:
        """What happened to ids since the last call, in order."""
        changes, self._changes = self._changes, []
        return changes

    def resolve(self, id: int) -> int:
        """The id that stands for `id` now: itself, what it was merged into, or 0 when it was never born or faded."""
        record = self._records.get(id)
        return 0 if record is None else record.merged_into or id

    def clusters(self) -> list[ClusterState]:
        """All that is remembered, in ascending order of id, merged ones included."""
        at = {int(id): k for k, id in enumerate(self._ids)}
        return [
            replace(r, centre=self._centres[at[id]], weight=float(self._weights[at[id]])) if id in at else r
            for id, r in sorted(self._records.items())
        ]

    def name(self, id: int) -> str:
        """The name that `id`, or what it was merged into, bears; empty when it has none or is unknown."""
        root = self.resolve(id)
        return self._records[root].name if root else ""

    def rename(self, id: int, name: str) -> None:
        """Give a name, or take it away with an empty one. A named cluster does not fade away."""
        if self._known(id) != id:
            raise ClusterError(f"cluster {id} is part of {self.resolve(id)}: name that one")
        self._records[id] = replace(self._records[id], name=name)

    def merge(self, sources: Sequence[int], target: int) -> None:
        """Make all of `sources` part of `target`: points near any of them are answered with the target's id."""
        into, roots = self._known(target), [self._known(source) for source in sources]
        if len({into, *roots}) <= len(roots):
            raise ClusterError(f"expected clusters that differ, got {[*sources, target]}, which are {[*roots, into]}")
        for root in roots:
            self._join(root, into)

    # to be stored

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "next_id": self.next_id,
            "ids": self._ids,
            "centres": self._centres,
            "weights": self._weights,
            "records": [[getattr(r, name) for name in RECORD] for r in self._records.values()],
            "record_centres": np.array([r.centre for r in self._records.values()]).reshape(-1, self.dimensions),
            "changes": [[c.source, c.target] if isinstance(c, Merged) else [c.id] for c in self._changes],
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self.next_id = state["next_id"]
        self._ids, self._centres, self._weights = (state[name].copy() for name in ("ids", "centres", "weights"))
        rows = zip(state["records"], state["record_centres"], strict=True)
        records = [ClusterState(**dict(zip(RECORD, row, strict=True)), centre=centre) for row, centre in rows]
        self._records = {record.id: record for record in records}
        self._changes = [Merged(*ids) if len(ids) == 2 else Created(*ids) for ids in state["changes"]]

    # for subclasses

    @abc.abstractmethod
    def _take(self, x: NDArray[np.float64], weight: float, slot: int) -> int:
        """Learn x into the centre of id `slot`, or of one's own choice when 0; return the centre's id, 0 for none."""

    def _see(self, x: NDArray[np.float64]) -> None:  # not every clusterer has one
        """Show x, which was born under a given id, to the model behind the centres where there is one."""

    def _birth(self, x: NDArray[np.float64], weight: float, id: int = 0) -> int:
        """A new cluster at x, in place of the faintest when there is no room; 0 when none may be forgotten.

        `id` 0 is the next free one; another was given out before, and returns after its cluster was forgotten at most.
        """
        if len(self._ids) >= self.capacity:
            if not self._evict():
                return 0
            self._forget()
        id = id or self.next_id
        self.next_id = max(self.next_id, id + 1)
        k = self._at(id)  # ids stay ascending
        self._ids = np.insert(self._ids, k, id)
        self._centres = np.insert(self._centres, k, x, axis=0)
        self._weights = np.insert(self._weights, k, weight)
        self._records[id] = ClusterState(id, "", 0, False, x, weight, 0, 0, 0, 0.0)
        self._changes.append(Created(id))
        return id

    def _evict(self) -> bool:
        """Drop the faintest centre that is not kept; False when all are."""
        free = ~self._kept()
        if free.any():
            self._drop(int(self._ids[np.where(free, self._weights, math.inf).argmin()]))
        return bool(free.any())

    def _drop(self, id: int) -> None:
        """Remove a centre; its record stays, with weight 0, until `_forget` finds that nothing needs it."""
        k = self._at(id)
        self._records[id] = replace(self._records[id], centre=self._centres[k], weight=0.0)
        self._ids = np.delete(self._ids, k)
        self._centres = np.delete(self._centres, k, 0)
        self._weights = np.delete(self._weights, k)

    def _join(self, source: int, target: int) -> None:
        """Record that `source`, which stands for itself, is part of `target`, which does too."""
        s, t = self._records[source], self._records[target]
        self._records[target] = replace(
            t,
            last_seen_us=max(s.last_seen_us, t.last_seen_us),
            segments=s.segments + t.segments,
            seconds=s.seconds + t.seconds,
        )
        for id, record in self._records.items():
            if id == source or record.merged_into == source:
                self._records[id] = replace(record, merged_into=target)
        self._changes.append(Merged(source, target))

    def _forget(self) -> None:
        """Remove records that no centre stands behind, and the oldest nameless merged ids beyond the capacity."""
        alive = set(self._roots().tolist())
        self._records = {id: r for id, r in self._records.items() if (r.merged_into or id) in alive}
        centred = set(self._ids.tolist())
        traces = [id for id, r in self._records.items() if r.merged_into and not r.name and id not in centred]
        for id in traces[: -self.capacity]:
            del self._records[id]

    def _keeps(self, id: int) -> bool:
        """True for a centre that may not be forgotten: warm, named, or part of a named cluster."""
        return self._records[id].warm or bool(self._records[id].name or self._records[self.resolve(id)].name)

    def _kept(self) -> NDArray[np.bool_]:
        return np.array([self._keeps(int(id)) for id in self._ids], np.bool_)

    def _roots(self) -> NDArray[np.int64]:
        return np.array([self.resolve(int(id)) for id in self._ids], np.int64)

    def _at(self, id: int) -> int:
        """Row of the centre that bears `id`."""
        return int(np.searchsorted(self._ids, id))

    def _known(self, id: int) -> int:
        root = self.resolve(id)
        if not root:
            raise UnknownClusterError(f"expected one of clusters {sorted(self._records)}, got {id}")
        return root

    def _nearest_centre_of(self, root: int, x: NDArray[np.float64]) -> int:
        distances = np.where(self._roots() == root, np.square(self._centres - x).sum(1), math.inf)
        return int(self._ids[distances.argmin()])

    def _point(self, x: ArrayLike) -> NDArray[np.float64]:
        """A copy of x (d,), checked."""
        point = np.array(x, np.float64)
        if point.shape != (self.dimensions,):
            raise ClusterError(f"expected a point ({self.dimensions},), got shape {point.shape}")
        if not np.isfinite(point).all():
            at = int(np.flatnonzero(~np.isfinite(point))[0])
            raise ClusterError(f"expected a finite point, got {point[at]} at position {at}")
        return point

    def _named(self, x: Mapping[Any, float]) -> NDArray[np.float64]:
        names = tuple(sorted(x))
        if self._features and names != self._features:
            raise ClusterError(f"expected features {self._features}, got {names}")
        return self._point([x[name] for name in names])
