"""What a source is: blocks of frames, as they come, with the layout of their columns where it is known."""

import operator
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionscribe.errors import BadFrames
from motionscribe.feed_clock import FeedClock
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock


class Source(ABC):
    """Frames with times of their own clock, numbered 1, 2, 3, ...

    Times may be as wrong as the clock is: in_order.py stands between every source and its stream.
    """

    name: str = "stream"
    """For people: the beginning of a stream id that the client makes up."""
    skeleton: Skeleton | None = None
    """What the columns mean; None leaves the server only their number to check."""
    rate_hz: float = 0.0
    """Nominal; 0 where unknown."""
    notes: tuple[str, ...] = ()
    """What the reader of a file decided, for people."""
    time_unit: str = "microseconds"
    """What the sender counts its times in, for an error that asks for it."""
    live: bool = False
    """Frames come when they are taken, so that no pace can be chosen."""
    clock: FeedClock | None = None
    """Of a live feed that says when its frames came here."""
    person: str = ""
    """Of a feed with several people, who of them it is: of A-Z a-z 0-9 . _ -"""
    dropped: int = 0
    """Frames that came and were never sent."""

    def drop(self, frames: int) -> None:
        """Counts frames that are not sent."""
        self.dropped += frames

    async def ready(self) -> None:  # noqa: B027  most sources are from the beginning
        """Returns when `skeleton` and `rate_hz` are what they will be; called before `blocks`."""

    @abstractmethod
    def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Blocks of up to `size` frames until there are no more. Called once."""


def as_row(frame: ArrayLike, width: int = 0, what: str = "a frame") -> NDArray[np.float32]:
    """A copy of one frame (D,). Raises BadFrames for what is no frame of `width`; 0 allows any."""
    try:
        row = np.array(frame, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise BadFrames(f"expected {what} of shape ({width or 'D'},), got {error}") from None
    if row.ndim != 1 or not row.size or (width and len(row) != width):
        raise BadFrames(f"expected {what} of shape ({width or 'D'},), got {row.shape}")
    return row


def as_time(time_us: SupportsIndex) -> int:
    """A time in whole microseconds. Raises BadFrames for anything else, and beyond int64."""
    try:
        time = operator.index(time_us)
    except TypeError:
        raise BadFrames(f"expected a time in whole microseconds, got {time_us!r}") from None
    if not -(2**63) <= time < 2**63:
        raise BadFrames(f"expected a time within int64 microseconds, got {time}")
    return time


def pack(first_seq: int, rows: Sequence[tuple[int, NDArray[np.float32]]]) -> FrameBlock:
    """One block of times and frames (D,) of one width."""
    times, frames = zip(*rows, strict=True)
    return FrameBlock(first_seq, np.stack(frames), np.array(times, dtype=np.int64))
