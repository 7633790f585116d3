"""What both halves of the Redis store share: the names of keys, the two indexes by time, and errors.

A stream has one hash of clusters by model, and one each for its checkpoint, its outbox and its edits. Nothing here
writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from motionscribe_server.errors import StoreError

PREFIX = "motionscribe:"
SAVED, KEPT = PREFIX + "saved", PREFIX + "kept"
"""Sorted sets: when streams were saved, and when durable ones were, in seconds since 1970."""


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


def saved_before(connection: redis.Redis, index: str, before_s: float) -> list[str]:
    """The streams of an index (SAVED or KEPT) whose time is earlier."""
    found = connection.zrange(index, "-inf", f"({before_s}", byscore=True)
    return [text(name) for name in found]


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
