"""The store as the event loop sees it: one thread does the work, in the order it was asked for.

In: functions of a Store. Out: what they return, awaited. It knows nothing of what is stored.

A store that is slow delays whoever asks it, and nobody else. One thread is enough: SQLite has one writer anyway. And it
is needed: a stream that is deleted after it was saved must stay deleted. So nobody asks for much at a time.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from motionscribe_server.storage.store import Store

T = TypeVar("T")


class AsyncStore:
    """Owns `store`, and closes it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "store")

    async def run(self, work: Callable[[Store], T]) -> T:
        """The result of `work(store)`. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._store)

    async def close(self) -> None:
        """Returns when all that was asked for is done."""
        await self.run(Store.close)
        self._thread.shutdown()
