"""Work that is done as a whole, or not begun, though whoever waits for it may be cancelled at any moment.

A client that leaves cancels its call. What the call had begun with the store must not stay half done: written, but not
known to be.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. Where the caller is cancelled, it is so once `work` has ended."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # nobody is left to hear of it
    raise cancelled
