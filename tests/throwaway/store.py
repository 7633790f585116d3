"""A throw-away store: dictionaries in this process, gone with it. One line in STORES adds it: "memory": OPENER."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from motionscribe_server.errors import FencedError
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.checkpoints import Checkpoint, Kept, Numbered
from motionscribe_server.storage.store import StoredStream

OPENER = "tests.throwaway.store:MemoryStore"


@dataclass
class Row:
    """A durable stream."""

    checkpoint: Checkpoint
    events: dict[int, bytes] = field(default_factory=dict)
    edits: dict[int, bytes] = field(default_factory=dict)


class MemoryCheckpoints:
    """A row for each key."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def find(self, key: str) -> Kept | None:
        row = self.rows.get(key)
        return Kept(row.checkpoint, sorted(row.events.items()), sorted(row.edits.items())) if row else None

    def begin(self, first: Checkpoint) -> None:
        row = self.rows.get(first.key)
        if row and row.checkpoint.epoch >= first.epoch:
            raise FencedError(f"expected an epoch above {row.checkpoint.epoch}, got {first.epoch}")
        self.rows[first.key] = Row(first)

    def claim(self, key: str, epoch: int) -> int:
        row = self._owned(key, epoch)
        row.checkpoint = replace(row.checkpoint, epoch=epoch + 1)
        return epoch + 1

    def append(self, key: str, epoch: int, events: Numbered, edits: Numbered = ()) -> None:
        row = self._owned(key, epoch)
        row.events = {**dict(events), **row.events}
        row.edits.update(edits)

    def defer(self, key: str, edit: bytes) -> int | None:
        row = self.rows.get(key)
        if row is None or row.checkpoint.closed:
            return None
        number = max(row.edits, default=0) + 1
        row.edits[number] = edit
        return number

    def keep(self, checkpoint: Checkpoint, acknowledged: int, edits: int) -> None:
        row = self._owned(checkpoint.key, checkpoint.epoch)
        row.checkpoint = checkpoint
        row.events = {number: event for number, event in row.events.items() if number > acknowledged}
        row.edits = {number: edit for number, edit in row.edits.items() if number > edits}

    def expire(self, before_s: float) -> int:
        old = [key for key, row in self.rows.items() if row.checkpoint.saved_s < before_s]
        for key in old:
            del self.rows[key]
        return len(old)

    def _owned(self, key: str, epoch: int) -> Row:
        row = self.rows.get(key)
        if row is None or row.checkpoint.epoch != epoch:
            raise FencedError(f"stream {key} has another owner than that of epoch {epoch}")
        return row


class MemoryStore:
    """Clusters for each stream and model, in the order in which they were saved."""

    def __init__(self, location: str) -> None:
        self.checkpoints = MemoryCheckpoints()
        self._saved: dict[str, dict[str, tuple[float, int, tuple[ClusterState, ...]]]] = {}

    def load(self, model: str, stream: str) -> StoredStream:
        models = self._saved.get(stream, {})
        next_id = max((next_id for _, next_id, _ in models.values()), default=1)
        return StoredStream(next_id, models[model][2] if model in models else ())

    def model_of(self, stream: str) -> str | None:
        return next(reversed(self._saved.get(stream, {})), None)

    def save(self, model: str, stream: str, next_id: int, clusters: Sequence[ClusterState]) -> None:
        models = self._saved.setdefault(stream, {})
        _, before, _ = models.pop(model, (0.0, 1, ()))
        models[model] = time.time(), max(before, next_id), tuple(clusters)

    def forget(self, stream: str) -> bool:
        there = [self._saved.pop(stream, None), self.checkpoints.rows.pop(stream, None)]
        return any(there)

    def expire(self, before_s: float, open_streams: Collection[str]) -> int:
        last = {stream: max(saved_s for saved_s, _, _ in models.values()) for stream, models in self._saved.items()}
        old = [stream for stream, saved_s in last.items() if saved_s < before_s and stream not in open_streams]
        return sum(map(self.forget, old))

    def close(self) -> None:
        pass
