"""Opens a store by its name in the settings: a path is a SQLite file, `redis://HOST:PORT/DB` a Redis.

STORES is the one table of stores; the check of the setting `storage.location` follows from it. A new store is a module
with a class that has the methods of Store, and a line in STORES.
"""

from collections.abc import Callable
from pkgutil import resolve_name

from motionscribe_server.errors import SettingsError
from motionscribe_server.storage.store import Store

STORES: dict[str, str] = {
    "": "motionscribe_server.storage.sqlite_store:SqliteStore",
    "redis": "motionscribe_server.storage.redis_store:RedisStore",
    "rediss": "motionscribe_server.storage.redis_store:RedisStore",
}
"""What stands before `://`, empty for a path -> `module:name`, imported when used: name(location) returns a Store."""


def scheme_of(location: str) -> str:
    """What stands before `://`; empty for a path. Raises ValueError for a scheme that is not in STORES."""
    before, separator, _ = location.partition("://")
    scheme = before if separator else ""
    if scheme not in STORES:
        raise ValueError(f"expected a path or a URL of {' or '.join(f'{name}://' for name in STORES if name)}")
    return scheme


def open_store(location: str) -> Store:
    """At a path or a URL. Raises StoreError, SettingsError for a store whose package is not installed."""
    scheme = scheme_of(location)
    try:
        opener: Callable[[str], Store] = resolve_name(STORES[scheme])
    except ImportError as error:
        needed = f"the package that {scheme}:// needs" if scheme else "SQLite"
        raise SettingsError(f"storage.location: expected {needed}, got {error}") from error
    return opener(location)
