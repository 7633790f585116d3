"""A take: what came of one person in a live feed, frame by frame as it came, also where times repeat or go back.

In: frames with the sender's times and the times of arrival. Out: the same, or a Recording of the frames whose times
can be used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError, TimesError
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.skeleton import Skeleton
from motionscribe_models.stamps import Stamps, Timed


@dataclass(frozen=True, eq=False)
class Take:
    """Raises RecordingError unless there is a frame and all arrays fit the skeleton and each other."""

    name: str
    frames: NDArray[np.float32]
    """(n, D) in the order in which they came; NaN for a joint that was not seen."""
    times_us: NDArray[np.int64]
    """(n,) the sender's own, whatever they are."""
    arrived_us: NDArray[np.int64]
    """(n,) when each came, by the clock of whoever listened."""
    skeleton: Skeleton
    feed: str = ""
    """Name of the scheme that it came by, such as `lsl`; empty where unknown."""
    confidences: NDArray[np.float32] | None = None
    """(n, J), 0..1 per joint, where the sender knows."""

    def __post_init__(self) -> None:
        count = len(self.frames)
        shapes: dict[str, tuple[NDArray[Any], tuple[int, ...], type]] = {
            "frames": (self.frames, (count, self.skeleton.width), np.float32),
            "times": (self.times_us, (count,), np.int64),
            "arrivals": (self.arrived_us, (count,), np.int64),
        }
        if self.confidences is not None:
            shapes["confidences"] = self.confidences, (count, len(self.skeleton.joints)), np.float32
        for what, (array, shape, dtype) in shapes.items():
            if array.shape != shape or array.dtype != dtype or not count:
                raise RecordingError(
                    f"{self.name}: expected {what} of shape {shape} and type {dtype.__name__}, "
                    f"got {array.dtype} of shape {array.shape}"
                )

    def numbered(self) -> Recording:
        """All frames as a Recording, at times that increase: those of arrival, a microsecond later where they do not.

        What no number can be is 0 where a joint cannot be lost.
        """
        places = np.arange(len(self.frames))
        times = np.maximum.accumulate(self.arrived_us - places) + places
        frames = self._possible()
        frames = frames if self._may_be_lost else np.where(np.isfinite(frames), frames, np.float32(0))
        return Recording(self.name, frames, times, self.skeleton, confidences=self.confidences)

    def in_order(self) -> Recording:
        """What a stream would take of it: frames whose times increase. Notes say what is left out.

        Raises RecordingError for times of no use, and where no frame is left.
        """
        frames = self._possible()
        usable = np.flatnonzero(self._may_be_lost | np.isfinite(frames).all(axis=1))
        stamps: Stamps[int] = Stamps(self.skeleton.rate_hz)
        timed: list[Timed[int]] = []
        try:
            for row, time_us in zip(usable.tolist(), self.times_us[usable].tolist(), strict=True):
                timed += stamps.take(time_us, row)
        except TimesError as error:
            raise RecordingError(f"{self.name}: {error}") from error
        timed += stamps.end()
        rows = [one.item for one in timed]
        if not rows:
            raise RecordingError(f"{self.name}: expected frames of numbers with times below 2^62 us, got none")
        notes = [one.restart for one in timed if one.restart]
        if len(usable) < len(frames):
            notes.append(f"{len(frames) - len(usable)} of {len(frames)} frames left out, which are no numbers")
        if stamps.dropped:
            notes.append(f"{stamps.dropped} of {len(self.frames)} frames left out, whose times do not increase")
        sure = None if self.confidences is None else self.confidences[rows]
        times = np.array([one.time_us for one in timed], np.int64)
        return Recording(self.name, frames[rows], times, self.skeleton, tuple(notes), sure)

    @property
    def _may_be_lost(self) -> bool:
        return REPRESENTATIONS[self.skeleton.representation].may_be_lost

    def _possible(self) -> NDArray[np.float32]:
        """Frames without infinity, where a joint may be lost: a stream takes it for one that was not seen."""
        if not self._may_be_lost:
            return self.frames
        return np.where(np.isfinite(self.frames), self.frames, np.float32(np.nan))


def joined(takes: Sequence[Take]) -> Take:
    """Parts of one take, one after the other, as one."""
    sure = [take.confidences for take in takes if take.confidences is not None]
    return replace(
        takes[0],
        frames=np.concatenate([take.frames for take in takes]),
        times_us=np.concatenate([take.times_us for take in takes]),
        arrived_us=np.concatenate([take.arrived_us for take in takes]),
        confidences=np.concatenate(sure) if len(sure) == len(takes) else None,
    )
