"""Tasks that nobody waits for, kept until they end: the event loop alone would forget them."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """None at first."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    @property
    def any_runs(self) -> bool:
        """One has not ended."""
        return bool(self._running)

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Does `work`, from the next turn of the event loop on."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
