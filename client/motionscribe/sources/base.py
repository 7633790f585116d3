"""What a source is: blocks of frames, as they come, with the layout of their columns where it is known."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator

import numpy as np
from numpy.typing import ArrayLike

from motionscribe.errors import BadFrames
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock


class Source(ABC):
    """Frames with times of their own clock, numbered 1, 2, 3, ..."""

    name: str = "stream"
    """For people: the beginning of a stream id that the client makes up."""
    skeleton: Skeleton | None = None
    """What the columns mean; None leaves the server only their number to check."""
    rate_hz: float = 0.0
    """Nominal; 0 where unknown."""
    notes: tuple[str, ...] = ()
    """What the reader of a file decided, for people."""

    @abstractmethod
    def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Blocks of up to `size` frames until there are no more. Called once."""


def pack(first_seq: int, times_us: list[int], frames: list[ArrayLike]) -> FrameBlock:
    """One block of times and frames (D,) each. Raises BadFrames where the frames are not of one width."""
    rows = [np.asarray(frame, dtype=np.float32) for frame in frames]
    shapes = {row.shape for row in rows}
    if len(shapes) != 1 or len(rows[0].shape) != 1 or not rows[0].size:
        raise BadFrames(f"expected frames of one shape (D,), got {' and '.join(map(str, sorted(shapes)))}")
    return FrameBlock(first_seq, np.stack(rows), np.array(times_us, dtype=np.int64))
