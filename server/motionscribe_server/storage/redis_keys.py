"""What both halves of the Redis store share: the names of keys, the indexes by time, and errors.

A stream has one hash of clusters by model, one each for its checkpoint, its outbox and its edits, and a text for its
session. Nothing here writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from motionscribe_server.errors import StoreError
from motionscribe_server.storage.unused import Kept

PREFIX = "motionscribe:"
KEPT = PREFIX + "kept"
"""Sorted set of the streams that have a checkpoint, by when they were last used, in seconds since 1970."""
TICKETS = PREFIX + "tickets"
"""Counts deferred edits, so that no ticket is given twice."""
TENANTS = PREFIX + "tenants"
"""Set of the tenants that have stream ids."""


def clusters_key(stream: str) -> str:
    """The hash of a stream's clusters."""
    return f"{PREFIX}clusters:{stream}"


def checkpoint_key(stream: str) -> str:
    """The hash of a durable stream's checkpoint."""
    return f"{PREFIX}durable:{stream}"


def outbox_key(stream: str) -> str:
    """The hash of a durable stream's unacknowledged events."""
    return f"{PREFIX}outbox:{stream}"


def edits_key(stream: str) -> str:
    """The hash of a durable stream's edits that are not in its snapshot."""
    return f"{PREFIX}edits:{stream}"


def deferred_key(stream: str) -> str:
    """The hash of edits that wait for the owner of a durable stream, by their tickets."""
    return f"{PREFIX}deferred:{stream}"


def session_key(stream: str) -> str:
    """The name of the session that has a stream."""
    return f"{PREFIX}session:{stream}"


def keys_of(stream: str) -> list[str]:
    """All that is kept of a stream but its place in indexes, the clusters last."""
    return [
        checkpoint_key(stream),
        outbox_key(stream),
        edits_key(stream),
        deferred_key(stream),
        session_key(stream),
        clusters_key(stream),
    ]


def ids_key(tenant: str, kept: Kept) -> str:
    """The sorted set of a tenant's stream ids, NAMED or UNNAMED, by when they were last used."""
    return f"{PREFIX}{kept.name.lower()}:{tenant}"


def text(name: Any) -> str:
    """Redis gives bytes; its type says that it might give text."""
    return str(name, "utf-8")


@contextmanager
def redis_errors(what: str) -> Iterator[None]:
    """Turns errors of Redis into a StoreError: "cannot `what`"."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreError(f"redis: cannot {what}: {error}") from error
