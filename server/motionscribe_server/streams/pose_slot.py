"""The place where poses wait to be written to one watcher: the newest alone, and no more often than eyes can tell.

In: frames, whenever they come. Out: one message at a time, when it is due. What comes meanwhile takes its place, so
that a watcher who does not read costs no more than one message.
"""

import asyncio
from collections.abc import Callable

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import WIRE_FLOAT
from motionscribe_proto.frames import FrameBlock

PERIOD_S = 1 / 33
"""Between two messages, on average: as many as films show, and a few more, so that a viewer's screen draws thirty."""
MOST_FRAMES = 64
"""Of one message: a quarter of a second of the fastest cameras. Recordings are sent in larger blocks."""


class PoseSlot:
    """For one watcher; `wake` is called when a message is due."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._newest: pb.Poses | None = None
        self._is_due = False
        self._next_at = 0.0

    def put(self, poses: pb.Poses) -> None:
        """Replaces what waits."""
        if self._newest is None:
            asyncio.get_running_loop().call_at(self._next_at, self._fall_due)
        self._newest = poses

    def take(self) -> pb.Poses | None:
        """What is to be written now, None where nothing is due."""
        if not self._is_due:
            return None
        poses, self._newest, self._is_due = self._newest, None, False
        # what is late does not delay those after it: of thirty frames a second each is written
        self._next_at = max(self._next_at + PERIOD_S, asyncio.get_running_loop().time())
        return poses

    def _fall_due(self) -> None:
        self._is_due = True
        self._wake()


def poses_to_message(block: FrameBlock) -> pb.Poses:
    """The newest frames of a block."""
    newest = block.rows(max(0, len(block) - MOST_FRAMES), len(block))
    return pb.Poses(
        first_seq=newest.first_seq,
        timestamps_us=newest.timestamps_us.tolist(),
        values=newest.values.astype(WIRE_FLOAT, copy=False).tobytes(),
    )
