"""What a kind of network sink adds to the relay: how a few messages get to one receiver."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from motionscribe.sinks.message import Message


class Down(Exception):  # noqa: N818  it says what happened
    """The receiver is not there now: the same messages are sent again later."""

    def __init__(self, reason: object, wait_s: float = 0.0, *, slow: bool = False, delivered: int = 0) -> None:
        super().__init__(str(reason))
        self.wait_s = wait_s
        """How long the receiver wants to be left alone."""
        self.slow = slow
        """It is there, but took too long: fewer messages at a time may help."""
        self.delivered = delivered
        """So many of the messages, the first ones, it has all the same."""


class Refused(Exception):  # noqa: N818
    """The receiver will never take these messages: they are counted and left out."""


class Outlet(ABC):
    """One receiver. All methods but `expect` and `end` are called in one thread of the relay."""

    where: str
    """For people: no secret stands in it."""
    most: int = 100
    """Messages at a time."""
    run: str = ""
    """That of this command's messages, by the relay; those of others are what earlier commands left."""

    def expect(self, stream: str) -> None:  # noqa: B027  most have nothing to do
        """A stream begins; its first message may be a while away. Must return at once."""

    def end(self, stream: str) -> None:  # noqa: B027
        """A stream has ended; some of it may still wait to be sent. Must return at once."""

    @abstractmethod
    def send(self, messages: Sequence[Message]) -> None:
        """Connects where need be, and returns when the receiver has all of them, as far as that can be known.

        Raises Down or OSError where the receiver is not there, also for how long it takes (TimeoutError), Refused.
        """

    def leave(self, stream: str) -> None:  # noqa: B027
        """A stream has ended, and all of it was sent. Raises as `send` does."""

    def close(self) -> None:  # noqa: B027
        """The command is over. Raises nothing."""
