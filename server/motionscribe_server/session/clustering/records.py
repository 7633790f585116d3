"""The book of cluster ids: what is known of each, which were merged, which may not be forgotten.

In: births, learnt segments, merges and names. Out: the id that stands for another one, what happened to ids.
An id is never reused. Where clusters lie is kept elsewhere (base.py): a record's centre and weight are those that it
was born with while a centre bears its id, and those that the centre had at last with weight 0 afterwards.
"""

from collections.abc import Collection, Sequence
from dataclasses import astuple, replace
from typing import Any

from numpy.typing import NDArray

from motionscribe_server.session.clustering.state import (
    Change,
    ClusterError,
    ClusterState,
    Created,
    Merged,
    Named,
    UnknownClusterError,
)


class ClusterRecords:
    """One ClusterState for each id that is remembered. Raises UnknownClusterError for ids that are not there."""

    def __init__(self, start: Sequence[ClusterState], next_id: int, changes: Sequence[Sequence[int]] = ()) -> None:
        """`start` in order of birth; `changes` are pending ones of a stored book (`pending`).

        Raises ClusterError for an id that comes twice, or was merged into one that does not stand for itself.
        """
        self.next_id = max([next_id, 1, *(state.id + 1 for state in start)])
        self.by_id = {state.id: state for state in start}
        self._changes = [_change_of(*plain) for plain in changes]
        if len(self.by_id) < len(start):
            raise ClusterError(f"expected ids that differ, got {sorted(state.id for state in start)}")
        for state in start:
            target = self.by_id.get(state.merged_into)
            if state.merged_into and (target is None or target.merged_into):
                raise ClusterError(
                    f"cluster {state.id}: merged into {state.merged_into}, which does not stand for itself"
                )

    def resolve(self, id: int) -> int:
        """The id that stands for `id` now: itself, what it was merged into, or 0 when it was never born or faded."""
        record = self.by_id.get(id)
        return 0 if record is None else record.merged_into or id

    def root(self, id: int) -> int:
        """The same. Raises UnknownClusterError in place of 0."""
        root = self.resolve(id)
        if not root and 0 < id < self.next_id:
            raise UnknownClusterError(
                f"expected a cluster that is still there, got {id}, which is forgotten: it made room for others, "
                "faded, or turned out to be part of others"
            )
        if not root:
            raise UnknownClusterError(f"expected one of clusters {sorted(self.by_id)}, got {id}")
        return root

    def name(self, id: int) -> str:
        """What users call `id`, or what it was merged into; empty when it has none or is unknown."""
        root = self.resolve(id)
        return self.by_id[root].given_name if root else ""

    def keeps(self, id: int) -> bool:
        """True for an id that may not be forgotten: warm, named, or part of a named cluster."""
        return self.by_id[id].warm or bool(self.by_id[id].given_name or self.name(id))

    def changes(self) -> list[Change]:
        """What happened to ids since the last call, in order."""
        changes, self._changes = self._changes, []
        return changes

    def pending(self) -> list[list[int]]:
        """What `changes` would tell: [id] for a birth, [source, target] for a merge, [id, 0] for a name."""
        return [[change.id, 0] if isinstance(change, Named) else [*astuple(change)] for change in self._changes]

    def rename(self, id: int, name: str) -> None:
        """Gives a name, or takes it away with an empty one. Raises ClusterError for an id that was merged."""
        if self.root(id) != id:
            raise ClusterError(f"cluster {id} is part of {self.resolve(id)}: name that one")
        if name != self.by_id[id].given_name and Named(id) not in self._changes:
            self._changes.append(Named(id))
        self.by_id[id] = replace(self.by_id[id], name=name, guessed=False)

    def merge(self, sources: Sequence[int], target: int) -> None:
        """Makes all of `sources` part of `target`. Raises ClusterError unless they stand for different clusters."""
        into, roots = self.root(target), [self.root(source) for source in sources]
        if len({into, *roots}) <= len(roots):
            raise ClusterError(f"expected clusters that differ, got {[*sources, target]}, which are {[*roots, into]}")
        for root in roots:
            self.join(root, into)

    def split(self, id: int, centred: Collection[int]) -> int:
        """Makes `id` stand for itself again; returns what it was part of.

        Raises ClusterError where it was of none, or where one of the two has no centre: none of the ids `centred`.
        """
        target = self.root(id)
        if target == id:
            raise ClusterError(f"expected a cluster that is part of another, got {id}, which stands for itself")
        if id not in centred or not any(self.resolve(other) == target for other in centred if other != id):
            raise ClusterError(f"expected a cluster that a user merged and that was learnt, got {id}")
        record, whole = self.by_id[id], self.by_id[target]
        self.by_id[id] = replace(record, merged_into=0)
        self.by_id[target] = replace(
            whole,
            segments=max(0, whole.segments - record.segments),
            seconds=max(0.0, whole.seconds - record.seconds),
        )
        return target

    def join(self, source: int, target: int) -> None:
        """Records that `source`, which stands for itself, is part of `target`, which does too."""
        s, t = self.by_id[source], self.by_id[target]
        parts = [record for record in self.by_id.values() if record.merged_into == source]
        self.by_id[target] = replace(
            t,
            last_seen_us=max(s.last_seen_us, t.last_seen_us),
            segments=s.segments + t.segments,
            seconds=s.seconds + t.seconds,
        )
        for id, record in self.by_id.items():
            if id == source or record.merged_into == source:
                # what nobody called it is what it stands for now
                self.by_id[id] = replace(record, merged_into=target, name=record.given_name, guessed=False)
        # its parts are the target's own from now on: it keeps what a split gives back to it alone
        self.by_id[source] = replace(
            self.by_id[source],
            segments=s.segments - sum(part.segments for part in parts),
            seconds=max(0.0, s.seconds - sum(part.seconds for part in parts)),
        )
        self._changes.append(Merged(source, target))

    def add(self, id: int, centre: NDArray[Any], weight: float) -> None:
        """A cluster was born."""
        self.next_id = max(self.next_id, id + 1)
        self.by_id[id] = ClusterState(id, "", 0, False, centre, weight, 0, 0, 0, 0.0)
        self._changes.append(Created(id))

    def count(self, root: int, weight: float, time_us: int) -> None:
        """A segment of `weight` seconds that ended at `time_us` was learnt into `root`, which stands for itself."""
        record = self.by_id[root]
        self.by_id[root] = replace(
            record,
            created_us=record.created_us if record.segments or record.warm else time_us,
            last_seen_us=max(record.last_seen_us, time_us),
            segments=record.segments + 1,
            seconds=record.seconds + weight,
        )

    def lose_centre(self, id: int, centre: NDArray[Any]) -> None:
        """The centre that bore `id` is gone from where it was; the record stays until `forget`."""
        self.by_id[id] = replace(self.by_id[id], centre=centre, weight=0.0)

    def forget(self, centred: Collection[int], most: int) -> None:
        """Removes records that no centre of the ids `centred` stands behind.

        Of nameless merged ids without a centre, the `most` that were born last stay.
        """
        alive = {self.resolve(id) for id in centred}
        self.by_id = {id: r for id, r in self.by_id.items() if (r.merged_into or id) in alive}
        bare = set(self.by_id) - set(centred)
        traces = [id for id, r in self.by_id.items() if r.merged_into and not r.given_name and id in bare]
        for id in traces[:-most]:
            del self.by_id[id]


def _change_of(id: int, target: int | None = None) -> Change:
    """The inverse of `pending`, of one change."""
    if target is None:
        return Created(id)
    return Merged(id, target) if target else Named(id)
