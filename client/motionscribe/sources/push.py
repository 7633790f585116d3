"""A source that a camera's callback feeds: `push` never waits; when the network does not keep up, the oldest frames go.

Frames are numbered when they are taken from the queue: dropped ones leave no hole in the numbers but one in time,
which is a Gap event when it is long.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionscribe.sources.base import Source, as_row, as_time, pack
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock

log = logging.getLogger(__name__)

GATHER_S = 0.1
CAPACITY = 256
"""Frames that wait to be taken, about two seconds of motion capture: older ones are no news."""
Pushed = tuple[int, NDArray[np.float32], NDArray[np.float32] | None]
"""Time, frame (D,), confidences (J,) where they are known."""


class PushSource(Source):
    """A bounded queue between a callback and a stream. `push` and `close` may be called from any thread."""

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        name: str = "stream",
        skeleton: Skeleton | None = None,
        rate_hz: float = 0.0,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"expected a capacity of 1 frame or more, got {capacity}")
        self.name = name
        self.skeleton = skeleton
        self.rate_hz = rate_hz or (skeleton.rate_hz if skeleton else 0.0)
        self.dropped = 0
        """Frames that were pushed and never sent: too old, pushed after close, or of a time that cannot be."""
        self._overflowed = self._told = 0
        self._capacity = capacity
        self._width = skeleton.width if skeleton else 0
        self._joints = len(skeleton.joints) if skeleton else 0
        self._queue: deque[Pushed] = deque()
        self._lock = threading.Lock()  # held for a few instructions only
        self._closed = False
        self._listener: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def __len__(self) -> int:
        """Frames that wait to be taken."""
        return len(self._queue)

    def __bool__(self) -> bool:
        """Empty as it may be, it is one."""
        return True

    @property
    def closed(self) -> bool:
        """Whether no more frames come."""
        return self._closed

    def drop(self, frames: int) -> None:
        """See Source; the thread that pushes counts as well."""
        with self._lock:
            self.dropped += frames

    def push(self, frame: ArrayLike, timestamp_us: int, confidences: ArrayLike | None = None) -> None:
        """Queues a copy of one frame (D,), perhaps with the confidence of each joint (J,), 0..1; never waits.

        Raises BadFrames for another width than before, or no time.
        """
        time, row = as_time(timestamp_us), as_row(frame, self._width)
        sure = None if confidences is None else as_row(confidences, self._joints, "confidences")
        self._width = len(row)
        self._joints = self._joints if sure is None else len(sure)
        with self._lock:
            if self._closed:
                self.dropped += 1
                return
            if len(self._queue) == self._capacity:
                self._queue.popleft()
                self.dropped += 1
                self._overflowed += 1
            overflowed = self._overflowed
            self._queue.append((time, row, sure))
        if overflowed >= max(1, 10 * self._told):
            self._told = overflowed
            log.warning("%s: left out so far: %d frames that came faster than they left", self.name, overflowed)
        self._wake()

    def close(self) -> None:
        """No more frames: the stream sends what is queued, then ends."""
        with self._lock:
            self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._listener:
            loop, event = self._listener
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(event.set)

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Blocks of `size` frames, or fewer when the first of them has waited for a tenth of a second."""
        changed = asyncio.Event()
        self._listener = asyncio.get_running_loop(), changed
        size = min(size, self._capacity)
        first_seq = 1
        while True:
            await _until(lambda: self._closed or bool(self._queue), changed)
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await _until(lambda: self._closed or len(self._queue) >= size, changed)
            with self._lock:
                taken = [self._queue.popleft() for _ in range(min(size, len(self._queue)))]
            if not taken:
                if self._overflowed > self._told:
                    log.warning("%s: left out: %d frames that came faster than they left", self.name, self._overflowed)
                return
            yield _block(first_seq, taken)
            first_seq += len(taken)


def _block(first_seq: int, taken: Sequence[Pushed]) -> FrameBlock:
    """Has confidences where all of its frames have."""
    block = pack(first_seq, [(time, row) for time, row, _ in taken])
    sure = [confidences for _, _, confidences in taken if confidences is not None]
    return replace(block, confidences=np.stack(sure)) if len(sure) == len(taken) else block


async def _until(ready: Callable[[], bool], changed: asyncio.Event) -> None:
    """Waits until `ready`, which `changed` announces."""
    while not ready():
        changed.clear()
        # another thread may have made it true between the question and the clearing
        if not ready():
            await changed.wait()
