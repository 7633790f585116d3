"""What waits for a viewer: events in order, none ever lost; of pictures and tables only the newest.

A slow viewer sees fewer pictures and every event. Messages are JSON here, written once for all viewers. No network.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

Text: TypeAlias = str | Callable[[], str]
"""A message as JSON, or what writes a long one as soon as it is its turn."""

MOST_WAITING = 50_000
"""Ordered messages. At some ten a second that is more than an hour: who reads nothing for so long does not look."""


class TooSlowError(Exception):
    """The viewer does not read; it is better to come again than to wait."""


class Outgoing:
    """Filled by those who follow a stream, emptied by the one who writes to the viewer.

    A message of a stream names it as `stream`, and is dropped where the viewer leaves the stream before it was written.
    """

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._ordered: deque[tuple[str | None, Text]] = deque()
        self._newest: dict[str, tuple[str | None, str]] = {}
        self._filled = asyncio.Event()
        self._overfull = asyncio.Event()

    def put(self, text: Text, stream: str | None = None) -> None:
        """A message that must arrive, after those before it. Where too many wait, all are lost, and the viewer is."""
        if len(self._ordered) >= self._most_waiting:
            self._ordered.clear()
            self._overfull.set()
        elif not self._overfull.is_set():
            self._ordered.append((stream, text))
            self._filled.set()

    def replace(self, kind: str, text: str, stream: str | None = None) -> None:
        """A picture or table: takes the place of one of its kind that still waits."""
        self._newest[kind] = (stream, text)
        self._filled.set()

    def drop_stream(self, stream: str) -> None:
        """Forgets what waits of a stream that the viewer has left."""
        self._ordered = deque(one for one in self._ordered if one[0] != stream)
        self._newest = {kind: one for kind, one in self._newest.items() if one[0] != stream}

    async def take(self) -> str:
        """The next message, those that are ordered first; waits for one."""
        while not self._ordered and not self._newest:
            self._filled.clear()
            await self._filled.wait()
        if self._ordered:
            text = self._ordered.popleft()[1]
            return text if isinstance(text, str) else text()
        return self._newest.pop(next(iter(self._newest)))[1]

    async def wait_until_overfull(self) -> None:
        """Never returns. Raises TooSlowError when too many messages wait."""
        await self._overfull.wait()
        raise TooSlowError(f"expected a viewer that reads, got {self._most_waiting} messages that wait")
