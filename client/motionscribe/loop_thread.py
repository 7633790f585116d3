"""The event loop of a blocking client, in a thread of its own. In: coroutines. Out: their results, once they come."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass
class _Raised:
    """What would end the loop, or look like a cancelled call, if it were raised there."""

    error: BaseException


Future: TypeAlias = concurrent.futures.Future[T | _Raised]
"""Of a coroutine that runs in the thread."""


async def _contained(coroutine: Coroutine[Any, Any, T]) -> T | _Raised:
    try:
        return await coroutine
    except (SystemExit, KeyboardInterrupt, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if task and task.cancelling():  # from outside
            raise
        return _Raised(error)


def finish(future: Future[T]) -> T:
    """The result; whoever is interrupted while it waits may ask again. Raises what the coroutine raised."""
    result = future.result()
    if isinstance(result, _Raised):
        raise result.error
    return result


class LoopThread:
    """Runs until it is closed."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._loop.is_closed()

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """What `finish` waits for. Raises RuntimeError after `close`."""
        if self.closed:
            coroutine.close()
            raise RuntimeError("the client is closed")
        return asyncio.run_coroutine_threadsafe(_contained(coroutine), self._loop)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, which Ctrl-C cancels. Raises what it raises, RuntimeError after `close`."""
        future = self.begin(coroutine)
        try:
            return finish(future)
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        """Ends the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
