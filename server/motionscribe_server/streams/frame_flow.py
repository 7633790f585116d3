"""How far the frames of one stream are: received, on their way, computed; and the credits that bound them.

Pure counting: no clock, no tasks. A credit lets the owner send one frame. Every credit is in one of these places: with
the owner; used by a frame on its way, or by one of a durable stream that is computed and in no checkpoint; or waiting
to be given back. So the owner of a durable stream never has to remember more frames than there are credits.
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
    """Counts the frames of one stream that has `credits` in total and begins at the position `start`.

    Credits of a `durable` one come back when their frames are kept, of a live one when they are computed.
    """

    def __init__(self, credits: int, start: Position, durable: bool = False) -> None:
        self.received = start
        """Where the next frame belongs."""
        self.computed = start
        """Frames before it are computed."""
        self._credits = credits
        self._with_owner = 0
        self._to_return = credits
        self._on_their_way: deque[_BlockOnItsWay] = deque()
        self._unkept: deque[_BlockOnItsWay] | None = deque() if durable else None

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
        """The oldest `blocks` on their way are computed."""
        for _ in range(blocks):
            block = self._on_their_way.popleft()
            self.computed = block.end
            if self._unkept is None:
                self._to_return += block.frames
            else:
                self._unkept.append(block)

    def keep(self, position: Position) -> None:
        """The blocks of a durable stream before `position` are in a checkpoint."""
        while self._unkept and self._unkept[0].end.next_seq <= position.next_seq:
            self._to_return += self._unkept.popleft().frames
