"""A store by its name in the settings: a path is a SQLite file, redis:// a Redis."""

from pathlib import Path

from motionscribe_server.errors import SettingsError
from motionscribe_server.storage.store import REDIS, Store


def open_store(where: str) -> Store:
    """At a path or a URL of Redis. Raises StoreError, SettingsError."""
    if where.startswith(REDIS):
        try:
            from motionscribe_server.storage.redis_store import RedisStore
        except ImportError as error:
            raise SettingsError(f"storage.location: expected the package redis for {REDIS[0]}, got {error}") from error
        return RedisStore(where)
    from motionscribe_server.storage.sqlite_store import SqliteStore

    return SqliteStore(Path(where))
