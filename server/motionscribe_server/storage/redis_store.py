"""The store in Redis, for servers on several machines: clusters and anomalies of streams by model. See store.py.

Checkpoints are in the same database (redis_checkpoints.py). A change watches its key from before the first read on;
Redis refuses it where another server changed the key in between. Calls block for the network.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import redis
from redis.client import Pipeline

from motionscribe_server.errors import SettingsError, StoreError
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import ClusterState, Exemplar
from motionscribe_server.storage.redis_checkpoints import RedisCheckpoints, require_owner, take_ticket
from motionscribe_server.storage.redis_ids import RedisIds, begin, indexes_of, require_session, use
from motionscribe_server.storage.redis_keys import (
    PREFIX,
    checkpoint_key,
    clusters_key,
    deferred_key,
    keys_of,
    redis_errors,
    session_key,
    text,
)
from motionscribe_server.storage.redis_upgrade import upgrade
from motionscribe_server.storage.store import NO_ANOMALIES, Edited, Owner, StoredStream
from motionscribe_server.storage.unused import AT_ONCE, Kept, Unused, too_many_ids
from motionscribe_server.stream_keys import tenant_of

PATIENCE_S = 5.0
FORMAT, VERSION = PREFIX + "format", b"4"
READABLE = (b"2", b"3")
"""Without anomalies, and without exemplars."""
SAVES = PREFIX + "saves"
"""Counts saves, so that the model under which a stream was saved last is known."""


class RedisStore:
    """One connection. Raises StoreError, SettingsError for a URL that is none of Redis."""

    def __init__(self, url: str) -> None:
        try:
            self._redis = redis.Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
        except ValueError as error:
            raise SettingsError(f"storage.location: expected redis://HOST:PORT/DB, got another URL: {error}") from error
        self._ids = RedisIds(self._redis)
        self.checkpoints = RedisCheckpoints(self._redis)
        with redis_errors("open"):
            self._redis.set(FORMAT, VERSION, nx=True)
            before = self._redis.get(FORMAT)
            if before == b"1":
                upgrade(self._redis)
            if before in (b"1", *READABLE):
                self._redis.set(FORMAT, VERSION)
            version = self._redis.get(FORMAT)
        if version != VERSION:
            raise StoreError(f"redis: expected format {VERSION!r}, got {version!r}: a newer server wrote it")

    def load(self, model: str, stream: str) -> StoredStream:
        """See Store."""
        return _stored(self._kept(stream), model)

    def model_of(self, stream: str) -> str | None:
        """See Store."""
        return _newest(self._kept(stream))

    def begin(self, stream: str, session: str) -> None:
        """See Store."""
        with redis_errors(f"note {stream!r}"), self._redis.pipeline() as pipe:
            pipe.delete(*keys_of(stream)[:4])
            begin(pipe, stream, session, durable=False)
            pipe.execute()

    def save(
        self,
        model: str,
        stream: str,
        next_id: int,
        clusters: Sequence[ClusterState],
        owner: Owner | None = None,
        book: PackedBook = NO_ANOMALIES,
    ) -> None:
        """See Store."""

        def work(pipe: Pipeline) -> None:
            if owner is not None:
                require_session(pipe, stream, owner.session)
            if owner is not None and owner.epoch is not None:
                require_owner(pipe, stream, owner.epoch)
            write = _prepare(pipe, model, stream, StoredStream(next_id, tuple(clusters), book))
            pipe.multi()
            write()

        with redis_errors(f"save clusters of {stream!r}"):
            self._redis.transaction(work, clusters_key(stream), checkpoint_key(stream), session_key(stream))

    def edit(self, stream: str, change: Callable[[StoredStream], StoredStream], row: bytes) -> Edited | None:
        """See Store."""
        done: list[Edited | None] = []

        def work(pipe: Pipeline) -> None:
            done[:] = [None]  # also of a try that another server came before
            found: Any = pipe.hgetall(clusters_key(stream))
            kept = _read(found)
            model = _newest(kept)
            if model is None:
                pipe.multi()
                return
            changed = change(_stored(kept, model))
            ticket = take_ticket(pipe, stream)
            write = _prepare(pipe, model, stream, changed)
            done[:] = [Edited(changed, ticket)]
            pipe.multi()
            write()
            if ticket is not None:
                pipe.hset(deferred_key(stream), str(ticket), row)

        with redis_errors(f"edit clusters of {stream!r}"):
            self._redis.transaction(work, clusters_key(stream), checkpoint_key(stream))
        return done[0]

    def forget(self, stream: str) -> bool:
        """See Store."""
        with redis_errors(f"delete {stream!r}"), self._redis.pipeline() as pipe:
            pipe.delete(*keys_of(stream))
            for index in indexes_of(stream):
                pipe.zrem(index, stream)
            return any(pipe.execute())

    def reserve(self, stream: str, limit: int, age_s: float, in_use: Collection[str]) -> None:
        """See Store. Servers that reserve at the same time may each find the last place."""
        tenant = tenant_of(stream)
        with redis_errors(f"note {stream!r}"), self._redis.pipeline() as pipe:
            excess = self._ids.count(tenant) + 1 - limit if limit and not self._ids.has(stream) else 0
            if excess > 0:
                old = self._ids.longest_unused(tenant, age_s, in_use, min(excess, AT_ONCE))
                if not sum(map(self._ids.expire, old)):
                    raise too_many_ids(limit)
            use(pipe, stream)
            pipe.execute()

    def renew(self, streams: Collection[str]) -> None:
        """See Store."""
        with redis_errors("renew streams"):
            self._ids.renew(streams)

    def unused(self, kept: Kept, age_s: float) -> list[Unused]:
        """See Store."""
        with redis_errors("find old streams"):
            return self._ids.unused(kept, age_s)

    def expire(self, unused: Sequence[Unused]) -> int:
        """See Store."""
        with redis_errors("delete old streams"):
            return sum(map(self._ids.expire, unused))

    def close(self) -> None:
        """See Store."""
        self._redis.close()

    def _kept(self, stream: str) -> dict[str, Any]:
        with redis_errors(f"read clusters of {stream!r}"):
            found: Any = self._redis.hgetall(clusters_key(stream))
        return _read(found)


Models = dict[str, dict[str, Any]]
"""By model what was saved under it."""


def _read(found: Mapping[bytes, bytes]) -> Models:
    return {text(model): json.loads(value) for model, value in found.items()}


def _newest(kept: Models) -> str | None:
    return max(kept, key=lambda model: int(kept[model]["saved"])) if kept else None


def _stored(kept: Models, model: str) -> StoredStream:
    own = kept.get(model, {"clusters": []})
    next_id = max((each["next_id"] for each in kept.values()), default=1)
    next_anomaly = max((_book(each).next_id for each in kept.values()), default=1)
    clusters = tuple(_cluster(fields) for fields in own["clusters"])
    return StoredStream(next_id, clusters, replace(_book(own), next_id=next_anomaly))


def _book(own: Mapping[str, Any]) -> PackedBook:
    """Of one model; format 2 had none."""
    return PackedBook(*own.get("book", ()))


def _prepare(pipe: Pipeline, model: str, stream: str, stored: StoredStream) -> Callable[[], None]:
    """Reads what a save needs, before the first write of a transaction; what it returns writes."""
    fields = [_fields(cluster) for cluster in stored.clusters]
    if len({cluster.id for cluster in stored.clusters}) < len(stored.clusters):
        raise StoreError(f"redis: cannot save clusters of {stream!r}: expected an id for each, got one for several")
    before = pipe.hget(clusters_key(stream), model)
    kept = json.loads(before) if before else {"next_id": 1}
    book = replace(stored.book, next_id=max(stored.book.next_id, _book(kept).next_id))
    next_id = max(stored.next_id, kept["next_id"])
    value = {"next_id": next_id, "saved": pipe.incr(SAVES), "clusters": fields, "book": astuple(book)}

    def write() -> None:
        pipe.hset(clusters_key(stream), model, json.dumps(value))
        use(pipe, stream, named=stored.is_named)

    return write


def _fields(cluster: ClusterState) -> dict[str, Any]:
    clips = [
        (one.start_us, None if one.distance == math.inf else one.distance, one.values.hex())
        for one in cluster.exemplars
    ]
    return {**vars(cluster), "centre": cluster.centre.tolist(), "exemplars": clips}


def _cluster(fields: dict[str, Any]) -> ClusterState:
    """Formats before 4 had no exemplars."""
    exemplars = tuple(
        Exemplar(start_us, math.inf if distance is None else distance, bytes.fromhex(values))
        for start_us, distance, values in fields.get("exemplars", ())
    )
    return ClusterState(**{**fields, "centre": np.array(fields["centre"]), "exemplars": exemplars})
