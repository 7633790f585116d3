"""Reads an iterator that blocks in a thread of its own, for an event loop."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def from_thread(items: Iterator[T], ahead: int = 2) -> AsyncGenerator[T, None]:
    """Items of an iterator that may wait, as a camera does, read in a thread of its own, up to `ahead` in advance.

    The thread is a daemon: an iterator that never returns keeps neither the consumer nor the program from ending.
    """
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
