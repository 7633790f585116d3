"""Places of joints, as most motion files hold them, to a recording. Names are checked, units and lost joints made one.

In: places (n, J, 3) with NaN where a joint was not seen, or the cells and times of a text file that holds them. Which
joints there are and which way is up is the reader's matter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.table import MISSING, read_number
from motionscribe_models.skeleton import Skeleton


@dataclass(frozen=True)
class Unit:
    """A unit of length."""

    name: str
    metres: float


METRE, CENTIMETRE, MILLIMETRE, INCH = Unit("m", 1.0), Unit("cm", 0.01), Unit("mm", 0.001), Unit("inch", 0.0254)
_LATEST_S = 1e10
"""Since 1970, which some clocks count from, it is some 2e9."""
_SPELLINGS = {
    METRE: "m meter meters metre metres",
    CENTIMETRE: "cm centimeter centimeters centimetre centimetres",
    MILLIMETRE: "mm millimeter millimeters millimetre millimetres",
    INCH: "in inch inches",
}


def unit_called(word: str, where: str) -> Unit:
    """The unit that a file calls `word`. `where` begins the RecordingError: it is none."""
    for unit, spellings in _SPELLINGS.items():
        if word.strip().lower() in spellings.split():
            return unit
    raise RecordingError(f"{where}: expected units of m, cm, mm or inches, got {word.strip()[:40]!r}")


def check_names(names: Iterable[str], where: str) -> None:
    """Raises RecordingError, which begins with `where`, unless each joint has a name of its own."""
    seen: set[str] = set()
    for name in names:
        if not name or name in seen:
            raise RecordingError(f"{where}: expected a name of its own for each joint, got {name[:40]!r}")
        seen.add(name)


def read_places(cells: Sequence[str], where: str) -> Array:
    """Numbers (n,), NaN for each cell that is empty or says so. `where` is `file:line` for the RecordingError."""
    try:
        numbers = np.array(list(map(float, cells)), np.float64)
    except ValueError:
        numbers = np.array([np.inf])
    if not np.isinf(numbers).any():
        return numbers
    lost = [cell.strip().lower() in MISSING for cell in cells]
    return np.array([np.nan if gone else read_number(cell, where) for cell, gone in zip(cells, lost, strict=True)])


def times_of(seconds: Array, lines: Sequence[int], path: Path) -> NDArray[np.int64]:
    """Microseconds (n,) of the times in a file, each from a line. Raises RecordingError unless they increase."""
    if not np.abs(seconds).max() < _LATEST_S:
        raise RecordingError(f"{path}: expected times in seconds, got {np.abs(seconds).max():g}")
    times = np.asarray(np.rint(seconds * 1e6), dtype=np.int64)
    late = np.flatnonzero(np.diff(times) <= 0)
    if len(late):
        row = int(late[0])
        raise RecordingError(
            f"{path}:{lines[row + 1]}: expected times to increase, got {seconds[row + 1]:g} s after {seconds[row]:g} s"
        )
    return times


def places_skeleton(
    name: str, joints: Sequence[str], unit: Unit, up_axis: str, rate_hz: float, parents: Sequence[int] = ()
) -> Skeleton:
    """The layout of places x y z. Joints without `parents` are all roots."""
    return Skeleton(
        name=name,
        joints=tuple(joints),
        parents=tuple(parents) or (-1,) * len(joints),
        representation="positions",
        units=unit.name,
        metres_per_unit=unit.metres,
        up_axis=up_axis,
        rate_hz=rate_hz,
    )


def places_recording(
    path: Path, places: Array, times: NDArray[np.int64], skeleton: Skeleton, notes: Sequence[str]
) -> Recording:
    """Places (n, J, 3) in the skeleton's units as a recording. A joint that lacks one of its three numbers is lost.

    Raises RecordingError for numbers that are infinite or too large for float32, and as Recording does.
    """
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which Recording refuses
        frames = places.astype(np.float32)
    frames[np.isnan(frames).any(axis=2)] = np.nan
    return Recording(path.stem, frames.reshape(len(frames), skeleton.width), times, skeleton, tuple(notes))
