"""How far the frames of one stream are: received, on their way, computed; and the credits that bound them.

Pure counting: no clock, no tasks. A credit lets the owner send one frame. Every credit is in one of three places: with
the owner, used by a frame on its way, or waiting to be given back after its frame was computed.
"""

from collections import deque
from typing import NamedTuple

from motionscribe_proto.frames import FrameBlock
from motionscribe_server.errors import ExhaustedError


class Position(NamedTuple):
    """A place in a stream's frames."""

    next_seq: int
    """Seq of the frame after it, 1 at the beginning."""
    last_us: int | None
    """Source time of the frame before it, microseconds; None at the beginning."""


class _BlockOnItsWay(NamedTuple):
    end: Position
    frames: int


class FrameFlow:
    """The frames of one stream with `credits` in total, from the position `start` on."""

    def __init__(self, credits: int, start: Position) -> None:
        self.received = start
        """Where the next frame belongs."""
        self.computed = start
        """Frames before it are computed; they need never be sent again."""
        self._credits = credits
        self._with_owner = 0
        self._to_return = credits
        self._on_their_way: deque[_BlockOnItsWay] = deque()

    @property
    def blocks_on_their_way(self) -> int:
        """Blocks that were received and are not computed."""
        return len(self._on_their_way)

    @property
    def credits_are_due(self) -> bool:
        """A quarter of all credits waits to be given back: worth a message of its own."""
        return 4 * self._to_return >= self._credits

    def grant(self) -> int:
        """Gives the credits that wait to the owner; returns how many."""
        granted, self._to_return = self._to_return, 0
        self._with_owner += granted
        return granted

    def restart(self) -> int:
        """A new owner has none of the old owner's credits; returns how many it gets."""
        self._to_return += self._with_owner
        self._with_owner = 0
        return self.grant()

    def require_credits(self, frames: int) -> None:
        """Raises ExhaustedError where the owner may not send so many."""
        if frames > self._with_owner:
            raise ExhaustedError(f"expected at most {self._with_owner} frames, the credits left, got {frames}")

    def receive(self, block: FrameBlock) -> None:
        """A block of the owner, within its credits, is on its way."""
        self._with_owner -= len(block)
        self.received = Position(block.next_seq, int(block.timestamps_us[-1]))
        self._on_their_way.append(_BlockOnItsWay(self.received, len(block)))

    def complete(self, blocks: int) -> None:
        """The oldest `blocks` on their way are computed; their credits wait to be given back."""
        for _ in range(blocks):
            self.computed, frames = self._on_their_way.popleft()
            self._to_return += frames
