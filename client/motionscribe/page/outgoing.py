"""What waits for a viewer: events in order, none ever lost; of pictures and tables only the newest.

A slow viewer sees fewer pictures and every event. No network here.
"""

import asyncio
from collections import deque
from typing import Any

Message = dict[str, Any]

MOST_WAITING = 50_000
"""Events. At some ten a second that is more than an hour: who has not read for so long does not look any more."""


class TooSlowError(Exception):
    """The viewer does not read; it is better to come again than to wait."""


class Outgoing:
    """Filled by those who follow a stream, emptied by the one who writes to the viewer."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._ordered: deque[Message] = deque()
        self._newest: dict[str, Message] = {}
        self._filled = asyncio.Event()

    def put(self, message: Message) -> None:
        """A message that must arrive, after those before it. Raises TooSlowError where too many wait."""
        if len(self._ordered) >= self._most_waiting:
            raise TooSlowError(f"expected a viewer that reads, got {len(self._ordered)} messages that wait")
        self._ordered.append(message)
        self._filled.set()

    def replace(self, message: Message) -> None:
        """A picture or table: takes the place of one of its kind ("is") that still waits."""
        self._newest[message["is"]] = message
        self._filled.set()

    def drop_pictures(self) -> None:
        """Forgets pictures and tables that wait: they are of a stream that the viewer has left."""
        self._newest.clear()

    async def take(self) -> list[Message]:
        """Everything that waits, what is ordered first; waits for the first message."""
        await self._filled.wait()
        self._filled.clear()
        messages = [*self._ordered, *self._newest.values()]
        self._ordered.clear()
        self._newest.clear()
        return messages
