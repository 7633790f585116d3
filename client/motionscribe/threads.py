"""What blocks, in a thread of its own, for an event loop: an iterator that is read, or calls one after the other.

The threads are daemons: what never returns keeps neither the consumer nor the program from ending.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def from_thread(items: Iterator[T], ahead: int = 2) -> AsyncGenerator[T, None]:
    """Items of an iterator that may wait, as a camera does, read in a thread of its own, up to `ahead` in advance."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue()
    room = threading.Semaphore(ahead)
    stopped = threading.Event()

    def read() -> None:
        end: BaseException | None = None
        try:
            for item in items:
                room.acquire()
                if stopped.is_set():
                    return
                loop.call_soon_threadsafe(arrived.put_nowait, (item,))
        except BaseException as error:
            end = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(arrived.put_nowait, end)

    threading.Thread(target=read, name="motionscribe-reader", daemon=True).start()
    try:
        while (item := await arrived.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
            room.release()
    finally:
        stopped.set()
        room.release()


class OwnThread:
    """Makes calls that may block, one after the other, from its first until `end`."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def call(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """What `function` returns or raises. Who stops waiting for it does not keep it from being called."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._calls.put((future, partial(function, *arguments)))
        return future

    def end(self) -> None:
        """No more calls: the thread ends after the last one."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function = call
            try:
                result = partial(future.set_result, function())
            except BaseException as error:
                result = partial(future.set_exception, _raisable(error))
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_settle, future, result)
            del call, future, function, result  # nothing is kept while the next one is waited for


def _settle(future: asyncio.Future[Any], settle: Callable[[], object]) -> None:
    if not future.done():
        settle()


def _raisable(error: BaseException) -> BaseException:
    """A future cannot hold StopIteration; one that raised CancelledError would look cancelled."""
    if isinstance(error, StopIteration | asyncio.CancelledError):
        return RuntimeError(f"a call in a thread raised {error!r}")
    return error
