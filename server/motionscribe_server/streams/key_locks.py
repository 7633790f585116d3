"""A lock for each stream key: what is done to one stream happens in turn, and holds up no other stream.

In: keys. Out: the right to work on one. A lock exists only while somebody holds it or waits for it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class KeyLocks:
    """A task that holds a key must not wait for another one; stream_opener.py has the one exception that is safe."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Waits until nobody else holds `key`, in the order of asking. Does not wait where the key is not in use."""
        entry = self._entries.setdefault(key, _Entry())
        entry.users += 1
        try:
            async with entry.lock:
                yield
        finally:
            entry.users -= 1
            if not entry.users:
                del self._entries[key]

    def in_use(self) -> frozenset[str]:
        """The keys that somebody holds or waits for."""
        return frozenset(self._entries)
