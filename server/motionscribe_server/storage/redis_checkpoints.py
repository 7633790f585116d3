"""Checkpoints of durable streams in Redis: who owns one, its newest snapshot, unacknowledged events, edits since then.

See checkpoints.py. Each write is one transaction that watches the checkpoint. Calls block for the network.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import redis
from redis.client import Pipeline

from motionscribe_server.errors import FencedError
from motionscribe_server.storage.checkpoints import Checkpoint, KeptStream, Numbered
from motionscribe_server.storage.redis_ids import begin, use
from motionscribe_server.storage.redis_keys import (
    TICKETS,
    checkpoint_key,
    deferred_key,
    edits_key,
    outbox_key,
    redis_errors,
)
from motionscribe_server.stream_keys import id_of

Values = Mapping[bytes, bytes]


class RedisCheckpoints:
    """The checkpoints of one connection. Raises StoreError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection

    def find(self, key: str) -> KeptStream | None:
        """See Checkpoints."""
        with redis_errors(f"read {key!r}"), self._redis.pipeline() as pipe:
            pipe.hgetall(checkpoint_key(key))
            pipe.hgetall(outbox_key(key))
            pipe.hgetall(edits_key(key))
            pipe.hgetall(deferred_key(key))
            kept, *rest = pipe.execute()
        return _read(kept, *rest) if kept else None

    def begin(self, first: Checkpoint) -> None:
        """See Checkpoints."""

        def work(pipe: Pipeline) -> None:
            before = pipe.hget(checkpoint_key(first.key), "epoch")
            if before and int(before) >= first.epoch:
                raise FencedError(f"expected an epoch above {int(before)} for {first.key!r}, got {first.epoch}")
            pipe.multi()
            pipe.delete(outbox_key(first.key), edits_key(first.key), deferred_key(first.key))
            _write(pipe, first)
            begin(pipe, first.key, first.name, durable=True)

        self._change(first.key, work)

    def claim(self, key: str, epoch: int) -> int:
        """See Checkpoints."""
        self._change_as_owner(key, epoch, partial(_claim, key=key, epoch=epoch))
        return epoch + 1

    def take_over(self, key: str, epoch: int) -> KeptStream:
        """See Checkpoints."""

        def work(pipe: Pipeline) -> None:
            _claim(pipe, key, epoch)
            pipe.hgetall(checkpoint_key(key))
            pipe.hgetall(outbox_key(key))
            pipe.hgetall(edits_key(key))
            pipe.hgetall(deferred_key(key))

        *_, kept, outbox, edits, deferred = self._change_as_owner(key, epoch, work)
        return _read(kept, outbox, edits, deferred)

    def append(self, key: str, epoch: int, events: Numbered, edits: Numbered = (), tickets: Sequence[int] = ()) -> None:
        """See Checkpoints."""

        def work(pipe: Pipeline) -> None:
            for number, event in events:
                pipe.hsetnx(outbox_key(key), str(number), event)
            for number, edit in edits:
                pipe.hset(edits_key(key), str(number), edit)
            if tickets:
                pipe.hdel(deferred_key(key), *map(str, tickets))

        self._change_as_owner(key, epoch, work)

    def deferred(self, key: str) -> Numbered:
        """See Checkpoints."""
        with redis_errors(f"read {key!r}"):
            found: Any = self._redis.hgetall(deferred_key(key))
        return _numbered(found)

    def keep(self, checkpoint: Checkpoint, acknowledged: int) -> Numbered:
        """See Checkpoints."""
        key = checkpoint.key
        with redis_errors(f"read {key!r}"):
            handled = [number for number in self._redis.hkeys(outbox_key(key)) if int(number) <= acknowledged]
            made = [number for number in self._redis.hkeys(edits_key(key)) if int(number) <= checkpoint.edits]

        def work(pipe: Pipeline) -> None:
            _write(pipe, checkpoint)
            if handled:
                pipe.hdel(outbox_key(key), *handled)
            if made:
                pipe.hdel(edits_key(key), *made)
            pipe.hgetall(deferred_key(key))

        return _numbered(self._change_as_owner(key, checkpoint.epoch, work)[-1])

    def _change_as_owner(self, key: str, epoch: int, work: Callable[[Pipeline], object]) -> list[Any]:
        def change(pipe: Pipeline) -> None:
            require_owner(pipe, key, epoch)
            pipe.multi()
            work(pipe)

        return self._change(key, change)

    def _change(self, key: str, work: Callable[[Pipeline], None]) -> list[Any]:
        with redis_errors(f"write {key!r}"):
            return list(self._redis.transaction(work, checkpoint_key(key)) or ())


def require_owner(pipe: Pipeline, key: str, epoch: int) -> None:
    """Within a transaction that watches the checkpoint, before its first write. Raises FencedError."""
    found = pipe.hget(checkpoint_key(key), "epoch")
    if found is None or int(found) != epoch:
        raise FencedError(f"stream {id_of(key)!r} has another owner than that of epoch {epoch}")


def take_ticket(pipe: Pipeline, key: str) -> int | None:
    """Within a transaction that watches the checkpoint, before its first write; None where there is none to go on."""
    fields = pipe.hget(checkpoint_key(key), "fields")
    return int(pipe.incr(TICKETS)) if fields and not json.loads(fields)["closed"] else None


def _numbered(found: Values) -> Numbered:
    return sorted((int(number), value) for number, value in found.items())


def _write(pipe: Pipeline, checkpoint: Checkpoint) -> None:
    fields = asdict(checkpoint)
    epoch, snapshot = fields.pop("epoch"), fields.pop("snapshot")
    pipe.delete(checkpoint_key(checkpoint.key))
    values: dict[Any, Any] = {"fields": json.dumps(fields), "epoch": epoch}
    if snapshot is not None:
        values["snapshot"] = snapshot
    pipe.hset(checkpoint_key(checkpoint.key), mapping=values)
    use(pipe, checkpoint.key, durable=True)


def _claim(pipe: Pipeline, key: str, epoch: int) -> None:
    pipe.hset(checkpoint_key(key), "epoch", str(epoch + 1))
    use(pipe, key, durable=True)


def _read(kept: Values, outbox: Values, edits: Values, deferred: Values) -> KeptStream:
    fields, epoch, snapshot = json.loads(kept[b"fields"]), int(kept[b"epoch"]), kept.get(b"snapshot")
    # earlier servers had no edits and no refusals
    checkpoint = Checkpoint(**{"edits": 0, "refusal": "", **fields}, epoch=epoch, snapshot=snapshot)
    return KeptStream(checkpoint, *map(_numbered, (outbox, edits, deferred)))
