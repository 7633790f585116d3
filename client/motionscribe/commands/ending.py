"""How a signal ends a command: well where it can, at once where it is told twice.

SIGTERM does what an interrupt does. A stream that goes on gets the labels of what it has sent first.
"""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_S = 5.0
"""How long the last labels may take."""
ONE_S = 0.3
"""Signals so near to each other are one: `timeout` sends it to the process and to its group."""


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt in the main thread while the context lasts; in others this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def ending_well(work: Awaitable[None], finish: Callable[[], None]) -> None:
    """Awaits `work`. The first signal calls `finish`, after which the work has GRACE_S; the second one ends it at once.

    Raises KeyboardInterrupt after a signal, when the work has ended. Outside the main thread it only awaits.
    """
    if threading.current_thread() is not threading.main_thread():
        await work
        return
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    began_s: float | None = None

    def begin() -> None:
        finish()
        loop.call_later(GRACE_S, task.cancel)

    def end(*_: object) -> None:
        nonlocal began_s
        if began_s is None:
            began_s = loop.time()
            loop.call_soon_threadsafe(begin)
        elif loop.time() - began_s > ONE_S:
            loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, end) for number in SIGNALS}
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
    if began_s is not None:
        raise KeyboardInterrupt
    task.result()
