"""The newest ten minutes of a stream, for viewers who come later: events as they were told, poses thinned. Bounded.

In: what happens, once. Out: the same again, in order, without what is of no use any more: provisional labels that final
ones have overtaken. A session whose clock is another one begins the history anew, as store.js does in the browser.
No network and no clock: time is the source's.
"""

import sys
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe.events import Event, Label
from motionscribe.poses import Poses

KEPT_US = 600_000_000
EVENT_BYTES = 4 * 2**20
"""Of the texts of all events: ten minutes of some forty a second, where a stream with scores has twenty."""
POSE_BYTES = 4 * 2**20
"""Ten minutes of 96 columns; of more columns, less."""
POSE_US = 60_000
"""Between two poses that are kept: 15 a second of cameras of 30, 60 or 120 Hz."""
BLOCK_FRAMES = 150
"""Poses are sent and forgotten ten seconds at a time."""
BLOCK_NUMBERS = 40_000
"""Times and places of a block at most. A number has 25 characters at most, so a block is below 1 MB as JSON."""
BACK_US = 5_000_000
"""A clock that went back this far is that of another session."""


@dataclass
class PoseBlock:
    """Some successive poses; the first `count` rows are filled, and never change."""

    times_us: NDArray[np.int64]
    frames: NDArray[np.float32]
    """(K, D) as in Poses."""
    count: int = 0

    @property
    def nbytes(self) -> int:
        """Whether filled or not."""
        return self.times_us.nbytes + self.frames.nbytes


@dataclass(frozen=True, slots=True)
class _Told:
    end_us: int
    text: str


class History:
    """Of one stream, from session to session."""

    def __init__(self, event_bytes: int = EVENT_BYTES, pose_bytes: int = POSE_BYTES) -> None:
        self._most_event_bytes, self._most_pose_bytes = event_bytes, pose_bytes
        self.begin(None)

    def begin(self, start_us: int | None) -> None:
        """Forgets everything. `start_us` is the time of the session's first frame where it is known."""
        self.origin_us = start_us
        """Time 0 of the history; None before the first frame."""
        self._now_us: int | None = None
        self._told: OrderedDict[int, _Told] = OrderedDict()
        self._provisional: dict[int, int] = {}  # number -> end_us, of those in _told
        self._numbers = 0
        self._event_bytes = 0
        self._blocks: deque[PoseBlock] = deque()
        self._pose_us: int | None = None

    def open(self, start_us: int | None) -> None:
        """The stream is watched, again perhaps: it is another session unless its clock goes on."""
        now_us = self.origin_us if self._now_us is None else self._now_us
        if start_us is None or now_us is None or self.origin_us is None:
            self.begin(start_us)
        elif not self.origin_us <= start_us <= now_us + KEPT_US:
            self.begin(start_us)  # nothing that was kept is near it

    def add(self, event: Event, text: str) -> None:
        """An event, and what viewers were told."""
        start_us, end_us = span_of(event)
        self._advance(start_us, end_us)
        self._numbers += 1
        self._told[self._numbers] = _Told(end_us, text)
        self._event_bytes += sys.getsizeof(text)
        if isinstance(event, Label) and not event.final:
            self._provisional[self._numbers] = end_us
        elif isinstance(event, Label):
            for number in [number for number, until_us in self._provisional.items() if until_us <= end_us]:
                self._forget(number)
        while self._told and (self._event_bytes > self._most_event_bytes or self._is_old(self._oldest.end_us)):
            self._forget(next(iter(self._told)))

    def add_poses(self, poses: Poses) -> None:
        """Keeps some of them."""
        times = poses.timestamps_us.tolist()
        if self._now_us is not None and times[-1] < self._now_us - BACK_US:
            self.begin(times[-1])
        self._advance(times[0], times[-1])
        for time_us, frame in zip(times, poses.frames, strict=True):
            if self._pose_us is None or time_us >= self._pose_us + POSE_US:
                self._pose_us = time_us
                block = self._open_block(poses.frames.shape[1])
                block.times_us[block.count], block.frames[block.count] = time_us, frame
                block.count += 1
        while self._blocks and self._is_old(int(self._blocks[0].times_us[self._blocks[0].count - 1])):
            self._blocks.popleft()
        while sum(block.nbytes for block in self._blocks) > self._most_pose_bytes:
            self._blocks.popleft()

    def events(self) -> Iterator[str]:
        """As they were told, in order."""
        return (told.text for told in self._told.values())

    def poses(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """In order: times (K,) and frames (K, D) of each block, which stay as they are."""
        return ((block.times_us[: block.count], block.frames[: block.count]) for block in self._blocks)

    def _advance(self, start_us: int, end_us: int) -> None:
        self.origin_us = start_us if self.origin_us is None else self.origin_us
        self._now_us = max(end_us, end_us if self._now_us is None else self._now_us)

    def _is_old(self, end_us: int) -> bool:
        return self._now_us is not None and end_us < self._now_us - KEPT_US

    @property
    def _oldest(self) -> _Told:
        return next(iter(self._told.values()))

    def _forget(self, number: int) -> None:
        self._event_bytes -= sys.getsizeof(self._told.pop(number).text)
        self._provisional.pop(number, None)

    def _open_block(self, width: int) -> PoseBlock:
        """The one that the next pose goes into. Poses of another model's layout are of no use any more."""
        if self._blocks and self._blocks[-1].frames.shape[1] != width:
            self._blocks.clear()
        if not self._blocks or self._blocks[-1].count == len(self._blocks[-1].frames):
            frames = max(1, min(BLOCK_FRAMES, BLOCK_NUMBERS // (width + 1)))
            self._blocks.append(PoseBlock(np.empty(frames, np.int64), np.empty((frames, width), np.float32)))
        return self._blocks[-1]


def span_of(event: Event) -> tuple[int, int]:
    """Start and end in microseconds, the same where an event is of a moment."""
    start: int = event.time_us if hasattr(event, "time_us") else event.start_us
    return start, getattr(event, "end_us", start)
