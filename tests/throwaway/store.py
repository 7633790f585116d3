"""A throw-away store: dictionaries in this process, gone with it. One line in STORES adds it: "memory": OPENER."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from motionscribe_server.errors import FencedError
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.checkpoints import Checkpoint, KeptStream, Numbered
from motionscribe_server.storage.store import NO_ANOMALIES, Edited, Owner, StoredStream, lost_session
from motionscribe_server.storage.unused import Kept, Unused, too_many_ids
from motionscribe_server.stream_keys import tenant_of

OPENER = "tests.throwaway.store:MemoryStore"


@dataclass
class Durable:
    """A durable stream."""

    checkpoint: Checkpoint
    events: dict[int, bytes] = field(default_factory=dict)
    edits: dict[int, bytes] = field(default_factory=dict)
    deferred: dict[int, bytes] = field(default_factory=dict)

    @property
    def kept(self) -> KeptStream:
        return KeptStream(self.checkpoint, *(sorted(d.items()) for d in (self.events, self.edits, self.deferred)))


@dataclass
class Row:
    """All of one stream; `models` in the order in which it was saved under them."""

    used_s: float = 0.0
    named: bool = False
    session: str = ""
    models: dict[str, StoredStream] = field(default_factory=dict)
    durable: Durable | None = None

    def is_of(self, kept: Kept) -> bool:
        return self.durable is not None if kept is Kept.CHECKPOINT else self.named == (kept is Kept.NAMED)


class MemoryCheckpoints:
    def __init__(self, rows: dict[str, Row]) -> None:
        self._rows = rows
        self._tickets = count(1)

    def find(self, key: str) -> KeptStream | None:
        found = self._rows.get(key, Row()).durable
        return found.kept if found else None

    def begin(self, first: Checkpoint) -> None:
        before = self._rows.get(first.key, Row()).durable
        if before and before.checkpoint.epoch >= first.epoch:
            raise FencedError(f"expected an epoch above {before.checkpoint.epoch}, got {first.epoch}")
        row = self._rows.setdefault(first.key, Row())
        row.durable, row.session = Durable(first), first.name
        self._use(first.key)

    def claim(self, key: str, epoch: int) -> int:
        return self.take_over(key, epoch).checkpoint.epoch

    def take_over(self, key: str, epoch: int) -> KeptStream:
        found = self.require_owner(key, epoch)
        found.checkpoint = replace(found.checkpoint, epoch=epoch + 1)
        self._use(key)
        return found.kept

    def append(self, key: str, epoch: int, events: Numbered, edits: Numbered = (), tickets: Sequence[int] = ()) -> None:
        found = self.require_owner(key, epoch)
        found.events = {**dict(events), **found.events}
        found.edits.update(edits)
        found.deferred = {ticket: edit for ticket, edit in found.deferred.items() if ticket not in tickets}

    def deferred(self, key: str) -> Numbered:
        found = self.find(key)
        return found.deferred if found else []

    def defer(self, key: str, edit: bytes) -> int | None:
        found = self._rows.get(key, Row()).durable
        if found is None or found.checkpoint.closed:
            return None
        found.deferred[ticket := next(self._tickets)] = edit
        return ticket

    def keep(self, checkpoint: Checkpoint, acknowledged: int) -> Numbered:
        found = self.require_owner(checkpoint.key, checkpoint.epoch)
        found.checkpoint = checkpoint
        found.events = {number: event for number, event in found.events.items() if number > acknowledged}
        found.edits = {number: edit for number, edit in found.edits.items() if number > checkpoint.edits}
        self._use(checkpoint.key)
        return found.kept.deferred

    def require_owner(self, key: str, epoch: int) -> Durable:
        found = self._rows.get(key, Row()).durable
        if found is None or found.checkpoint.epoch != epoch:
            raise FencedError(f"stream {key} has another owner than that of epoch {epoch}")
        return found

    def _use(self, key: str) -> None:
        self._rows[key].used_s = time.time()


class MemoryStore:
    def __init__(self, location: str) -> None:
        self._rows: dict[str, Row] = {}
        self.checkpoints = MemoryCheckpoints(self._rows)

    def load(self, model: str, stream: str) -> StoredStream:
        models = self._rows.get(stream, Row()).models
        next_id = max((each.next_id for each in models.values()), default=1)
        own = models.get(model, StoredStream(1, ()))
        next_anomaly = max((each.book.next_id for each in models.values()), default=1)
        return replace(own, next_id=next_id, book=replace(own.book, next_id=next_anomaly))

    def model_of(self, stream: str) -> str | None:
        return next(reversed(self._rows.get(stream, Row()).models), None)

    def begin(self, stream: str, session: str) -> None:
        row = self._rows.setdefault(stream, Row())
        row.durable, row.session, row.used_s = None, session, time.time()

    def edit(self, stream: str, change: Callable[[StoredStream], StoredStream], row: bytes) -> Edited | None:
        model = self.model_of(stream)
        if model is None:
            return None
        changed = change(self.load(model, stream))
        self.save(model, stream, changed.next_id, changed.clusters, book=changed.book)
        return Edited(changed, self.checkpoints.defer(stream, row))

    def save(
        self,
        model: str,
        stream: str,
        next_id: int,
        clusters: Sequence[ClusterState],
        owner: Owner | None = None,
        book: PackedBook = NO_ANOMALIES,
    ) -> None:
        if owner is not None and self._rows.get(stream, Row(session="?")).session not in ("", owner.session):
            raise lost_session(stream)
        if owner is not None and owner.epoch is not None:
            self.checkpoints.require_owner(stream, owner.epoch)
        row = self._rows.setdefault(stream, Row())
        before = row.models.pop(model, StoredStream(1, ()))
        book = replace(book, next_id=max(before.book.next_id, book.next_id))
        row.models[model] = StoredStream(max(before.next_id, next_id), tuple(clusters), book)
        row.used_s, row.named = time.time(), row.named or row.models[model].is_named

    def forget(self, stream: str) -> bool:
        return self._rows.pop(stream, None) is not None

    def reserve(self, stream: str, limit: int, age_s: float, in_use: Collection[str]) -> None:
        own = [key for key in self._rows if tenant_of(key) == tenant_of(stream)]
        if limit and stream not in own and len(own) >= limit:
            old = [each for each in self.unused(Kept.UNNAMED, age_s) if each.stream in set(own) - set(in_use)]
            old.sort(key=lambda each: each.used_s)
            if not self.expire(old[: len(own) + 1 - limit]):
                raise too_many_ids(limit)
        self._rows.setdefault(stream, Row())
        self.renew([stream])

    def renew(self, streams: Collection[str]) -> None:
        for stream in streams:
            if stream in self._rows:
                self._rows[stream].used_s = time.time()

    def unused(self, kept: Kept, age_s: float) -> list[Unused]:
        before_s = time.time() - age_s
        return [Unused(kept, key, r.used_s) for key, r in self._rows.items() if r.is_of(kept) and r.used_s < before_s]

    def expire(self, unused: Sequence[Unused]) -> int:
        return sum(map(self._expire, unused))

    def _expire(self, unused: Unused) -> bool:
        row = self._rows.get(unused.stream)
        if row is None or row.used_s != unused.used_s or not row.is_of(unused.kept):
            return False
        if unused.kept is Kept.CHECKPOINT:
            row.durable = None
        else:
            del self._rows[unused.stream]
        return True

    def close(self) -> None:
        pass
