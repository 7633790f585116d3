"""The way to one worker, whatever it is: a process on this machine today, perhaps one on another machine tomorrow.

In: messages to the worker. Out: its messages, to a Receiver. Both are values of engine/messages.py; a transport that
crosses a wire turns them into bytes with engine/codec.py. It starts and ends the worker, and says when it is gone. It
does not know what messages mean, and does not start a worker again: that is the pool's business.
"""

from collections.abc import Sequence
from typing import Protocol

from motionscribe_server.engine.messages import FromServer, FromWorker


class Receiver(Protocol):
    """Who gets what a transport brings, in the event loop that called `spawn`."""

    def receive(self, messages: Sequence[FromWorker]) -> None:
        """What the worker sent, in order."""

    def ended(self) -> None:
        """The worker is gone, by itself or after `close`. Called once, and nothing follows."""


class Transport(Protocol):
    """One worker. Spawn it once, then send, then close it."""

    async def spawn(self, receiver: Receiver) -> None:
        """Starts the worker, which then waits for Start. Raises OSError where that is impossible."""

    def send(self, messages: Sequence[FromServer]) -> None:
        """Delivers messages in order and never waits; drops them where the worker is not alive."""

    @property
    def alive(self) -> bool:
        """True from `spawn` until the worker is gone or `close` was called."""

    def close(self) -> None:
        """Ends the worker, which gets what was sent before. Again, or before `spawn`, it does nothing."""

    def kill(self) -> None:
        """Ends a worker that does not answer, at once and whatever it does. Again, or before `spawn`, nothing."""

    async def wait_closed(self) -> None:
        """Returns when nothing of a closed worker is left."""
