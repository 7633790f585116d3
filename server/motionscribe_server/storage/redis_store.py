"""The store in Redis, for servers of several machines: see store.py and checkpoints.py.

A stream has a hash of clusters by model, one for its checkpoint and one for its outbox. Whoever changes one watches it
from before it is read until the change, which Redis refuses where somebody else was quicker. Calls block for the
network.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import redis
from redis.client import Pipeline

from motionscribe_server.errors import FencedError, SettingsError, StoreError
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.checkpoints import Checkpoint
from motionscribe_server.storage.store import StoredStream
from motionscribe_server.stream_keys import id_of

PATIENCE_S = 5.0
PREFIX = "motionscribe:"
FORMAT, VERSION = PREFIX + "format", b"1"
SAVED, KEPT = PREFIX + "saved", PREFIX + "kept"
"""Sorted sets: when streams were saved, and when durable ones were."""
SAVES = PREFIX + "saves"
"""Counts, so that the newest of a stream's models is known."""


class RedisStore:
    """One connection."""

    def __init__(self, url: str) -> None:
        try:
            self._redis = redis.Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
        except ValueError as error:
            raise SettingsError(f"storage.location: expected redis://HOST:PORT/DB, got another URL: {error}") from error
        self.checkpoints = RedisCheckpoints(self._redis)
        with _told("open"):
            self._redis.set(FORMAT, VERSION, nx=True)
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

    def save(self, model: str, stream: str, next_id: int, clusters: Sequence[ClusterState]) -> None:
        """See Store."""
        fields = [{**vars(cluster), "centre": cluster.centre.tolist()} for cluster in clusters]
        if len({cluster.id for cluster in clusters}) < len(clusters):
            raise StoreError(f"redis: cannot save clusters of {stream!r}: expected an id for each, got one for several")
        key = _clusters_of(stream)

        def work(pipe: Pipeline) -> None:
            before = pipe.hget(key, model)
            lowest = json.loads(before)["next_id"] if before else 1
            saved = pipe.incr(SAVES)
            pipe.multi()
            value = {"next_id": max(next_id, lowest), "saved": saved, "clusters": fields}
            pipe.hset(key, model, json.dumps(value))
            pipe.zadd(SAVED, {stream: time.time()})

        with _told(f"save clusters of {stream!r}"):
            self._redis.transaction(work, key)

    def forget(self, stream: str) -> bool:
        """See Store."""
        with _told(f"delete {stream!r}"), self._redis.pipeline() as pipe:
            pipe.delete(_clusters_of(stream), _checkpoint_of(stream), _outbox_of(stream))
            pipe.zrem(SAVED, stream)
            pipe.zrem(KEPT, stream)
            return any(pipe.execute())

    def expire(self, before_s: float, open_streams: Collection[str]) -> int:
        """See Store."""
        with _told("find old streams"):
            found = _before(self._redis, SAVED, before_s)
        return sum(self.forget(stream) for stream in found if stream not in open_streams)

    def close(self) -> None:
        """See Store."""
        self._redis.close()

    def _kept(self, stream: str) -> dict[str, Any]:
        with _told(f"read clusters of {stream!r}"):
            found = self._redis.hgetall(_clusters_of(stream))
        return {_text(model): json.loads(value) for model, value in found.items()}


class RedisCheckpoints:
    """See Checkpoints."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection

    def find(self, key: str) -> tuple[Checkpoint, list[tuple[int, bytes]]] | None:
        """See Checkpoints."""
        with _told(f"read {key!r}"), self._redis.pipeline() as pipe:
            pipe.hgetall(_checkpoint_of(key))
            pipe.hgetall(_outbox_of(key))
            kept, outbox = pipe.execute()
        if not kept:
            return None
        fields, epoch, snapshot = json.loads(kept[b"fields"]), int(kept[b"epoch"]), kept.get(b"snapshot")
        checkpoint = Checkpoint(**fields, epoch=epoch, snapshot=snapshot)
        return checkpoint, sorted((int(number), event) for number, event in outbox.items())

    def begin(self, first: Checkpoint) -> None:
        """See Checkpoints."""

        def work(pipe: Pipeline) -> None:
            before = pipe.hget(_checkpoint_of(first.key), "epoch")
            if before and int(before) >= first.epoch:
                raise FencedError(f"expected an epoch above {int(before)} for {first.key!r}, got {first.epoch}")
            pipe.multi()
            pipe.delete(_outbox_of(first.key))
            _write(pipe, first)

        self._change(first.key, work)

    def claim(self, key: str, epoch: int) -> int:
        """See Checkpoints."""
        self._own(key, epoch, lambda pipe: pipe.hset(_checkpoint_of(key), "epoch", epoch + 1))
        return epoch + 1

    def append(self, key: str, epoch: int, events: Sequence[tuple[int, bytes]]) -> None:
        """See Checkpoints."""

        def work(pipe: Pipeline) -> None:
            for number, event in events:
                pipe.hsetnx(_outbox_of(key), str(number), event)

        self._own(key, epoch, work)

    def keep(self, checkpoint: Checkpoint, acknowledged: int) -> None:
        """See Checkpoints."""
        key = checkpoint.key
        with _told(f"read {key!r}"):
            numbers = self._redis.hkeys(_outbox_of(key))
        handled = [number for number in numbers if int(number) <= acknowledged]

        def work(pipe: Pipeline) -> None:
            _write(pipe, checkpoint)
            if handled:
                pipe.hdel(_outbox_of(key), *handled)

        self._own(key, checkpoint.epoch, work)

    def expire(self, before_s: float) -> int:
        """See Checkpoints."""
        with _told("find old streams"):
            old = _before(self._redis, KEPT, before_s)
            for key in old:
                self._redis.transaction(partial(_delete_old, key=key, before_s=before_s), _checkpoint_of(key))
        return len(old)

    def _own(self, key: str, epoch: int, work: Callable[[Pipeline], object]) -> None:
        def change(pipe: Pipeline) -> None:
            found = pipe.hget(_checkpoint_of(key), "epoch")
            if found is None or int(found) != epoch:
                raise FencedError(f"stream {id_of(key)!r} has another owner than that of epoch {epoch}")
            pipe.multi()
            work(pipe)

        self._change(key, change)

    def _change(self, key: str, work: Callable[[Pipeline], None]) -> None:
        with _told(f"write {key!r}"):
            self._redis.transaction(work, _checkpoint_of(key))


def _write(pipe: Pipeline, checkpoint: Checkpoint) -> None:
    fields = asdict(checkpoint)
    epoch, snapshot = fields.pop("epoch"), fields.pop("snapshot")
    pipe.delete(_checkpoint_of(checkpoint.key))
    values: dict[Any, Any] = {"fields": json.dumps(fields), "epoch": epoch}
    if snapshot is not None:
        values["snapshot"] = snapshot
    pipe.hset(_checkpoint_of(checkpoint.key), mapping=values)
    pipe.zadd(KEPT, {checkpoint.key: checkpoint.saved_s})


def _before(connection: redis.Redis, index: str, before_s: float) -> list[str]:
    found = connection.zrange(index, "-inf", f"({before_s}", byscore=True)
    return [_text(name) for name in found]


def _delete_old(pipe: Pipeline, key: str, before_s: float) -> None:
    """Unless it was saved since."""
    score = pipe.zscore(KEPT, key)
    pipe.multi()
    if score is not None and score < before_s:
        pipe.delete(_checkpoint_of(key), _outbox_of(key))
        pipe.zrem(KEPT, key)


def _cluster(fields: dict[str, Any]) -> ClusterState:
    return ClusterState(**{**fields, "centre": np.array(fields["centre"])})


def _text(name: Any) -> str:
    """Redis gives bytes; its type says that it might give text."""
    return str(name, "utf-8")


def _clusters_of(stream: str) -> str:
    return f"{PREFIX}clusters:{stream}"


def _checkpoint_of(key: str) -> str:
    return f"{PREFIX}durable:{key}"


def _outbox_of(key: str) -> str:
    return f"{PREFIX}outbox:{key}"


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise StoreError(f"redis: cannot {what}: {error}") from error
