"""How much final motion each cluster has shown: what a user sees beside its id.

In: final spans with their cluster. Out: ClusterStates whose segments, seconds and times count final segments, those of
earlier sessions of the same stream included. The clusterer counts what it has learnt, which is older.
"""

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, replace

from motionscribe_models.state import State
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.span import Span


@dataclass
class _Count:
    created_us: int
    last_seen_us: int
    segments: int
    seconds: float


class ClusterCounts:
    """Counts by cluster id."""

    def __init__(self, stored: Sequence[ClusterState]) -> None:
        self._counts = {s.id: _Count(s.created_us, s.last_seen_us, s.segments, s.seconds) for s in stored}
        self._merged = {s.id: s.merged_into for s in stored if s.merged_into}

    def add(self, id: int, span: Span, begins: bool) -> None:
        """A final span of cluster `id`; `begins` where it starts a segment."""
        count = self._counts.setdefault(id, _Count(span.start_us, span.end_us, 0, 0.0))
        count.last_seen_us = max(count.last_seen_us, span.end_us)
        count.segments += begins
        count.seconds += span.seconds

    def keep(self, ids: Collection[int]) -> None:
        """Forgets the counts of all others."""
        self._counts = {id: count for id, count in self._counts.items() if id in ids}
        self._merged = {id: into for id, into in self._merged.items() if id in ids}

    def merge(self, source: int, target: int) -> None:
        """`source` is part of `target`, and so are its parts: it keeps what a split gives back to it alone."""
        gone = self._counts.get(source)
        if gone is not None:
            kept = self._counts.setdefault(target, _Count(gone.created_us, gone.last_seen_us, 0, 0.0))
            kept.last_seen_us = max(kept.last_seen_us, gone.last_seen_us)
            kept.segments += gone.segments
            kept.seconds += gone.seconds
        parts = [id for id, into in self._merged.items() if into == source]
        for part in parts:
            self._take_from(source, part)
        self._merged |= dict.fromkeys([source, *parts], target)

    def split(self, id: int, target: int) -> None:
        """`id` is not part of `target` any more: it takes with it what it brought."""
        self._take_from(target, id)
        self._merged.pop(id, None)

    def _take_from(self, whole: int, part: int) -> None:
        own, all = self._counts.get(part), self._counts.get(whole)
        if own is not None and all is not None:
            all.segments = max(0, all.segments - own.segments)
            all.seconds = max(0.0, all.seconds - own.seconds)

    def complete(self, states: Sequence[ClusterState]) -> list[ClusterState]:
        """The states with the counts of final motion."""
        completed = []
        for state in states:
            count = self._counts.get(state.id, _Count(state.created_us, state.last_seen_us, 0, 0.0))
            completed.append(
                replace(
                    state,
                    created_us=0 if state.warm else count.created_us,
                    last_seen_us=count.last_seen_us,
                    segments=count.segments,
                    seconds=count.seconds,
                )
            )
        return completed

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        counts = [[id, *astuple(count)] for id, count in self._counts.items()]
        return {"counts": counts, "merged": [[id, into] for id, into in self._merged.items()]}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._counts = {id: _Count(*count) for id, *count in state["counts"]}
        self._merged = dict(state["merged"])
