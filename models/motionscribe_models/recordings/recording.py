"""A recording: frames (n, D) float32 with their times (n,) int64 microseconds and the skeleton that names the columns.

It is what every reader returns and every file source streams. It holds no labels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Recording:
    """Raises RecordingError unless there is a frame, values and times can be what they stand for, and times increase.

    NaN is the place of a joint that was not seen, where the representation has places; elsewhere it is refused.
    """

    name: str
    frames: NDArray[np.float32]
    """(n, D), in the skeleton's units."""
    timestamps_us: NDArray[np.int64]
    """(n,), strictly increasing."""
    skeleton: Skeleton
    notes: tuple[str, ...] = ()
    """What the reader decided, for people: which skeleton, which unit of time, what it left out."""
    confidences: NDArray[np.float32] | None = None
    """(n, J), 0..1 per joint, where the source knows."""

    def __post_init__(self) -> None:
        frames, times = self.frames, self.timestamps_us
        if frames.ndim != 2 or frames.shape[1] != self.skeleton.width or frames.dtype != np.float32:
            raise RecordingError(
                f"{self.name}: expected float32 frames of {self.skeleton.width} columns ({self.skeleton.name}), "
                f"got {frames.dtype} of shape {frames.shape}"
            )
        if not len(frames):
            raise RecordingError(f"{self.name}: expected frames, got none")
        possible = np.isfinite(frames)
        if REPRESENTATIONS[self.skeleton.representation].may_be_lost:
            possible |= np.isnan(frames)
        if not possible.all():
            row, column = np.argwhere(~possible)[0]
            raise RecordingError(
                f"{self.name}: expected finite numbers, got {frames[row, column]} "
                f"in frame {row + 1}, column {self.skeleton.columns[column]}"
            )
        if times.shape != (len(frames),) or times.dtype != np.int64:
            raise RecordingError(
                f"{self.name}: expected {len(frames)} int64 times, got {times.dtype} of shape {times.shape}"
            )
        if np.any(np.diff(times) <= 0):
            frame = int(np.argmax(np.diff(times) <= 0))
            raise RecordingError(
                f"{self.name}: expected times to increase, got {times[frame + 1]} us in frame {frame + 2} "
                f"after {times[frame]} us"
            )
        confidences = self.confidences
        if confidences is not None:
            expected = (len(frames), len(self.skeleton.joints))
            if confidences.shape != expected or confidences.dtype != np.float32:
                raise RecordingError(
                    f"{self.name}: expected float32 confidences of shape {expected}, "
                    f"got {confidences.dtype} of shape {confidences.shape}"
                )


def even_times(count: int, rate_hz: float) -> NDArray[np.int64]:
    """(count,) microseconds from 0, `rate_hz` a second, each rounded for itself so that no error adds up."""
    return np.asarray(np.rint(np.arange(count) * (1e6 / rate_hz)), dtype=np.int64)


def even_recording(name: str, values: NDArray[np.floating], skeleton: Skeleton) -> Recording:
    """Values (n, D) of any float type as a recording at the skeleton's nominal rate. Raises RecordingError."""
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which Recording refuses
        frames = values.astype(np.float32)
    return Recording(name, frames, even_times(len(frames), skeleton.rate_hz), skeleton)
