"""The store in Redis, for servers on several machines: clusters of streams by model. See store.py.

Checkpoints are in the same database (redis_checkpoints.py). A change watches its key from before the first read on;
Redis refuses it where another server changed the key in between. Calls block for the network.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import redis
from redis.client import Pipeline

from motionscribe_server.errors import SettingsError, StoreError
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.redis_checkpoints import RedisCheckpoints, require_owner
from motionscribe_server.storage.redis_ids import RedisIds, indexes_of, use
from motionscribe_server.storage.redis_keys import (
    PREFIX,
    checkpoint_key,
    clusters_key,
    deferred_key,
    edits_key,
    outbox_key,
    redis_errors,
    text,
)
from motionscribe_server.storage.redis_upgrade import upgrade
from motionscribe_server.storage.store import StoredStream
from motionscribe_server.storage.unused import AT_ONCE, Kept, Unused, too_many_ids
from motionscribe_server.stream_keys import tenant_of

PATIENCE_S = 5.0
FORMAT, VERSION = PREFIX + "format", b"2"
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
            if self._redis.get(FORMAT) == b"1":
                upgrade(self._redis)
                self._redis.set(FORMAT, VERSION)
            version = self._redis.get(FORMAT)
        if version != VERSION:
            raise StoreError(f"redis: expected format {VERSION!r}, got {version!r}: a newer server wrote it")

    def load(self, model: str, stream: str) -> StoredStream:
        """See Store."""
        kept = self._kept(stream)
        own = kept.get(model, {"clusters": []})
        next_id = max((each["next_id"] for each in kept.values()), default=1)
        return StoredStream(next_id, tuple(_cluster(fields) for fields in own["clusters"]))

    def model_of(self, stream: str) -> str | None:
        """See Store."""
        kept = self._kept(stream)
        return max(kept, key=lambda model: kept[model]["saved"]) if kept else None

    def save(
        self, model: str, stream: str, next_id: int, clusters: Sequence[ClusterState], owner: int | None = None
    ) -> None:
        """See Store."""
        fields = [{**vars(cluster), "centre": cluster.centre.tolist()} for cluster in clusters]
        if len({cluster.id for cluster in clusters}) < len(clusters):
            raise StoreError(f"redis: cannot save clusters of {stream!r}: expected an id for each, got one for several")
        key = clusters_key(stream)

        def work(pipe: Pipeline) -> None:
            if owner is not None:
                require_owner(pipe, stream, owner)
            before = pipe.hget(key, model)
            lowest = json.loads(before)["next_id"] if before else 1
            saved = pipe.incr(SAVES)
            pipe.multi()
            value = {"next_id": max(next_id, lowest), "saved": saved, "clusters": fields}
            pipe.hset(key, model, json.dumps(value))
            use(pipe, stream, named=any(cluster.name for cluster in clusters))

        with redis_errors(f"save clusters of {stream!r}"):
            self._redis.transaction(work, key, checkpoint_key(stream))

    def forget(self, stream: str) -> bool:
        """See Store."""
        with redis_errors(f"delete {stream!r}"), self._redis.pipeline() as pipe:
            pipe.delete(
                clusters_key(stream),
                checkpoint_key(stream),
                outbox_key(stream),
                edits_key(stream),
                deferred_key(stream),
            )
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
            found = self._redis.hgetall(clusters_key(stream))
        return {text(model): json.loads(value) for model, value in found.items()}


def _cluster(fields: dict[str, Any]) -> ClusterState:
    return ClusterState(**{**fields, "centre": np.array(fields["centre"])})
