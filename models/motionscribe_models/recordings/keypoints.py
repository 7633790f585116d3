"""Recordings of joints that were found one by one, by a camera or markers. Places, confidences and times go in.

A joint that was not found is NaN: where an axis is missing, and where the finder writes zeros with confidence 0. Joints
keep their names and have no parents, for these files name none. What places are in is the matter of spaces.py.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.spaces import Space
from motionscribe_models.skeleton import Skeleton

USUAL_RATE_HZ = 30.0
"""Of files without times: that of most cameras."""
MOST_NUMBERS = 1 << 27
"""In one recording, which are 512 MiB: an hour of 300 joints at 30 Hz has 3/4 of it. A small file may promise more."""
_MOST_FRAMES = 10**9
"""By their numbers: a year at 30 Hz."""
_REPRESENTATIONS = {2: "positions2d", 3: "positions"}


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Joints of one individual, as a file has them."""

    joints: tuple[str, ...]
    places: NDArray[np.float64]
    """(n, J, A) with A = 2 or 3 axes."""
    confidences: NDArray[np.float64] | None = None
    """(n, J), 0..1."""

    @property
    def found(self) -> NDArray[np.bool_]:
        """(n, J): which joints have a place."""
        return np.asarray(np.isfinite(self.places).all(axis=2))


@dataclass(frozen=True, eq=False)
class Clock:
    """Times of frames."""

    times_us: NDArray[np.int64]
    rate_hz: float
    notes: tuple[str, ...] = ()


def frame_clock(
    path: Path, numbers: NDArray[np.int64], rate_hz: float | None, file_rate_hz: float | None = None
) -> Clock:
    """Times of frames (n,) by their rising numbers, from the first on; missing numbers are missing time.

    The rate is `rate_hz`, else the file's, else the usual one, which a note says. Raises RecordingError for numbers
    that count no frames.
    """
    if len(numbers) and numbers[-1] - numbers[0] > _MOST_FRAMES:
        raise RecordingError(f"{path}: expected numbers of frames, got {numbers[0]} to {numbers[-1]}")
    rate = rate_hz or file_rate_hz or USUAL_RATE_HZ
    missing = int(numbers[-1] - numbers[0]) + 1 - len(numbers) if len(numbers) else 0
    notes = [f"{missing} frames are missing"] if missing else []
    if not (rate_hz or file_rate_hz):
        notes.append(f"no times in the file: taken for {USUAL_RATE_HZ:g} Hz")
    times = np.asarray(np.rint((numbers - numbers[:1]) * (1e6 / rate)), dtype=np.int64)
    return Clock(times, rate, tuple(notes))


def even_clock(path: Path, count: int, rate_hz: float | None, file_rate_hz: float | None = None) -> Clock:
    """Times of frames of which none is missing."""
    return frame_clock(path, np.arange(count), rate_hz, file_rate_hz)


def timed_clock(times_us: NDArray[np.int64], rate_hz: float | None) -> Clock:
    """The file's times (n,), two or more, unless `rate_hz` overrides them."""
    if rate_hz is not None:
        return Clock(even_times(len(times_us), rate_hz), rate_hz)
    step_us = float(np.median(np.diff(times_us)))
    return Clock(times_us, 1e6 / max(step_us, 1.0))  # a Recording refuses times that do not increase


def check_size(path: Path, frames: int, joints: int) -> None:
    """Raises RecordingError where a recording would be larger than any real one. Asked before room is made."""
    if frames * joints * 3 > MOST_NUMBERS:
        raise RecordingError(f"{path}: expected at most {MOST_NUMBERS} numbers, got {frames} frames of {joints} joints")


def keypoint_recording(
    path: Path, kind: str, found: Keypoints, space: Space, clock: Clock, notes: tuple[str, ...] = ()
) -> Recording:
    """`kind` names the skeleton. Raises RecordingError for joints of one name, and where none is ever found."""
    joints = found.joints
    name, times = Counter(joints).most_common(1)[0] if joints else ("", 0)
    if times != 1 or "" in joints:
        got = f"{name[:40]!r} {times} times" if times > 1 else "one without"
        raise RecordingError(f"{path}: expected a name of its own for each joint, got {got}")
    frames, sure = keypoint_frames(found)
    if np.isnan(frames).all():
        raise RecordingError(f"{path}: expected places of joints, found none in {len(frames)} frames")
    skeleton = keypoint_skeleton(kind, found, space, clock.rate_hz)
    return Recording(path.stem, frames, clock.times_us, skeleton, (*space.notes, *clock.notes, *notes), sure)


def keypoint_skeleton(kind: str, found: Keypoints, space: Space, rate_hz: float) -> Skeleton:
    """The layout of `keypoint_frames`, called `kind`."""
    return Skeleton(
        kind,
        found.joints,
        (-1,) * len(found.joints),
        _REPRESENTATIONS[found.places.shape[2]],
        space.units,
        space.metres_per_unit,
        space.up_axis,
        rate_hz,
        level=space.level,
    )


def keypoint_frames(found: Keypoints) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Values (n, A * J), NaN for each joint that was not found, and confidences (n, J) of 0..1 where they are known."""
    places = found.places.copy()
    lost = np.isnan(places).any(axis=2)
    sure = None
    if found.confidences is not None:
        sure = np.nan_to_num(found.confidences, nan=0.0).clip(0, 1).astype(np.float32)
        lost |= (sure == 0) & (places == 0).all(axis=2)
    places[lost] = np.nan
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which Recording refuses
        return places.reshape(len(places), -1).astype(np.float32), sure
