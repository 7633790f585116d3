"""Stream ids in Redis: which each tenant has, when they were last used, which have a name or a checkpoint.

Each tenant has two sorted sets of ids by time, with and without names; checkpoints have one for all tenants. What
decides by more than one key is a script, which Redis runs as a whole. Times are those of Redis's own clock, which all
servers share.
"""

from collections.abc import Collection, Iterable
from typing import Any

import redis
from redis.client import Pipeline

from motionscribe_server.storage.redis_keys import (
    KEPT,
    TENANTS,
    ids_key,
    keys_of,
    session_key,
    text,
)
from motionscribe_server.storage.store import lost_session
from motionscribe_server.storage.unused import AT_ONCE, Kept, Unused
from motionscribe_server.stream_keys import tenant_of

USE = """
local named, unnamed, kept, tenants = unpack(KEYS)
local stream, tenant, has_name, is_durable = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
if has_name == '1' or redis.call('ZSCORE', named, stream) then
    redis.call('ZREM', unnamed, stream)
    redis.call('ZADD', named, now, stream)
else
    redis.call('ZADD', unnamed, now, stream)
end
if is_durable == '1' then
    redis.call('ZADD', kept, now, stream)
else
    redis.call('ZADD', kept, 'XX', now, stream)
end
redis.call('SADD', tenants, tenant)
"""
EXPIRE = """
local stream, used_s, indexes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if tonumber(redis.call('ZSCORE', KEYS[1], stream) or '-1') ~= used_s then
    return 0
end
for number, key in ipairs(KEYS) do
    if number <= indexes then redis.call('ZREM', key, stream) else redis.call('DEL', key) end
end
return 1
"""


def use(pipe: Pipeline, stream: str, named: bool = False, durable: bool = False) -> None:
    """It is used now. A name or a checkpoint that it has already stays."""
    tenant = tenant_of(stream)
    keys = ids_key(tenant, Kept.NAMED), ids_key(tenant, Kept.UNNAMED), KEPT, TENANTS
    pipe.eval(USE, len(keys), *keys, stream, tenant, int(named), int(durable))


def begin(pipe: Pipeline, stream: str, session: str, durable: bool) -> None:
    """A session has it from now on; it has a checkpoint where that is durable."""
    use(pipe, stream, durable=durable)
    pipe.set(session_key(stream), session)
    if not durable:
        pipe.zrem(KEPT, stream)


def require_session(pipe: Pipeline, stream: str, session: str) -> None:
    """Within a transaction that watches the session, before its first write. Raises FencedError.

    Where another session has it, or none; earlier servers did not say which has.
    """
    found = pipe.get(session_key(stream))
    is_there = any(pipe.zscore(key, stream) is not None for key in indexes_of(stream)[:2])
    if not is_there or (found is not None and text(found) != session):
        raise lost_session(stream)


class RedisIds:
    """The ids of one connection. Methods raise what Redis raises."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection

    def renew(self, streams: Iterable[str]) -> None:
        """They are used now, those that are there."""
        now = self._now()
        with self._redis.pipeline(transaction=False) as pipe:
            for stream in streams:
                for key in indexes_of(stream):
                    pipe.zadd(key, {stream: now}, xx=True)
            pipe.execute()

    def has(self, stream: str) -> bool:
        """It is there."""
        return any(self._redis.zscore(key, stream) is not None for key in indexes_of(stream)[:2])

    def count(self, tenant: str) -> int:
        """How many a tenant has."""
        return sum(int(self._redis.zcard(ids_key(tenant, kept))) for kept in (Kept.NAMED, Kept.UNNAMED))

    def longest_unused(self, tenant: str, age_s: float, in_use: Collection[str], most: int) -> list[Unused]:
        """Ids of a tenant without a name that nobody used for `age_s` seconds, the oldest first."""
        found = self._older(ids_key(tenant, Kept.UNNAMED), Kept.UNNAMED, age_s, most + len(in_use))
        return [each for each in found if each.stream not in in_use][:most]

    def unused(self, kept: Kept, age_s: float) -> list[Unused]:
        """See Store."""
        if kept is Kept.CHECKPOINT:
            return self._older(KEPT, kept, age_s, AT_ONCE)
        tenants = [text(tenant) for tenant in self._redis.smembers(TENANTS)]
        found = [each for tenant in tenants for each in self._older(ids_key(tenant, kept), kept, age_s, AT_ONCE)]
        return sorted(found, key=lambda each: each.used_s)[:AT_ONCE]

    def expire(self, unused: Unused) -> bool:
        """Deletes it where nobody has used it since."""
        stream = unused.stream
        indexes, rest = [KEPT], keys_of(stream)
        if unused.kept is Kept.CHECKPOINT:
            rest = rest[:4]
        else:
            indexes = [ids_key(tenant_of(stream), unused.kept), *indexes_of(stream)]
        keys = [*indexes, *rest]
        return bool(self._redis.eval(EXPIRE, len(keys), *keys, stream, repr(unused.used_s), str(len(indexes))))

    def _now(self) -> float:
        now: tuple[int, int] = self._redis.time()
        return now[0] + now[1] / 1e6

    def _older(self, key: str, kept: Kept, age_s: float, most: int) -> list[Unused]:
        before = f"({self._now() - age_s!r}"
        found: Any = self._redis.zrange(key, "-inf", before, byscore=True, offset=0, num=most, withscores=True)
        return [Unused(kept, text(stream), float(used_s)) for stream, used_s in found]


def indexes_of(stream: str) -> tuple[str, str, str]:
    """The sorted sets that may have it; the last is that of checkpoints."""
    tenant = tenant_of(stream)
    return ids_key(tenant, Kept.NAMED), ids_key(tenant, Kept.UNNAMED), KEPT
