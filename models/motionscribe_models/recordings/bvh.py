"""Biovision hierarchies (BVH) to the places of their joints in the world.

A joint's channels, in any order and number, turn it about its own axes in the order in which they stand; those of its
position take the place of its OFFSET. An end site becomes a joint, `<parent>_end`. The format names neither units nor
an up axis: the rest pose decides, and the recording's notes say what it decided.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.bvh_hierarchy import Joint, read_hierarchy
from motionscribe_models.recordings.places import (
    CENTIMETRE,
    INCH,
    METRE,
    MILLIMETRE,
    Unit,
    places_recording,
    places_skeleton,
)
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.skeletons import CMU_METRES
from motionscribe_models.recordings.standing import length_of, up_of
from motionscribe_models.recordings.table import read_number, read_numbers
from motionscribe_models.recordings.text import read_lines
from motionscribe_models.rotations import AFTER, BEFORE

UNITS = (METRE, CENTIMETRE, MILLIMETRE, INCH, Unit(f"{CMU_METRES:.5f} m", CMU_METRES))
"""Those that BVH files are written in; the last is that of CMU's recordings."""
TALL_M = (1.2, 2.2)
"""How tall somebody is who stands."""
_BENT = 1.1
"""The way along the bones from foot to head, of an average body, as a multiple of its height."""
_AT_ONCE = 1 << 18
"""Rotations that are held at a time; 19 MB."""


def read_bvh(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the line where the file is no BVH or is cut off."""
    lines = read_lines(path)
    joints, start = read_hierarchy(lines, path)
    motion, own_rate_hz, notes = _read_motion(lines, start, sum(len(joint.channels) for joint in joints), path)
    with np.errstate(over="ignore", invalid="ignore"):
        places = world_places(joints, motion)
        rest = world_places(joints, _at_rest(joints, motion[:1]))
    if not np.isfinite(places).all():
        raise RecordingError(f"{path}: expected a body of usual size, got numbers too large to add up")
    names, parents = [joint.name for joint in joints], [joint.parent for joint in joints]
    up, stands = _up(names, rest, places)
    bones = rest[0] - rest[0][[max(parent, 0) for parent in parents]]
    unit, because = _unit(length_of(names, parents, bones), float(np.ptp(rest[0], axis=0).max()))
    rate_hz = rate_hz or own_rate_hz
    skeleton = places_skeleton("bvh", names, unit, up, rate_hz, parents)
    notes = [f"up axis: {up}, {stands}", f"units: {unit.name}, {because}", *notes]
    return places_recording(path, places, even_times(len(places), rate_hz), skeleton, notes)


def world_places(joints: Sequence[Joint], motion: Array) -> Array:
    """Places (n, J, 3) of joints whose channels, in their order, are the columns of `motion` (n, channels)."""
    places = np.empty((len(motion), len(joints), 3))
    step = max(1, _AT_ONCE // len(joints))
    for start in range(0, len(motion), step):
        _move(joints, motion[start : start + step], places[start : start + step])
    return places


def _move(joints: Sequence[Joint], motion: Array, places: Array) -> None:
    """Fills in `places`."""
    world: list[Array] = []
    column = 0
    for i, joint in enumerate(joints):
        root = joint.parent < 0
        axes = np.broadcast_to(np.eye(3), (len(motion), 3, 3)).copy() if root else world[joint.parent].copy()
        local = np.tile(joint.offset, (len(motion), 1)).astype(np.float64)
        for n, (kind, axis) in enumerate(joint.channels, column):
            if kind == "position":
                local[:, axis] = motion[:, n]
        places[:, i] = (axes @ local[:, :, None])[:, :, 0] + (0.0 if root else places[:, joint.parent])
        for n, (kind, axis) in enumerate(joint.channels, column):
            if kind == "rotation":
                _turn(axes, axis, np.deg2rad(motion[:, n]))
        column += len(joint.channels)
        world.append(axes)


def _turn(axes: Array, axis: int, angle: Array) -> None:
    """Turns systems of axes, the columns of (n, 3, 3), about one of their own."""
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    first, second = axes[:, :, AFTER[axis]].copy(), axes[:, :, BEFORE[axis]].copy()
    axes[:, :, AFTER[axis]] = cosine * first + sine * second
    axes[:, :, BEFORE[axis]] = cosine * second - sine * first


def _at_rest(joints: Sequence[Joint], frame: Array) -> Array:
    """A frame (1, channels) with all turns taken back."""
    kinds = [kind for joint in joints for kind, _ in joint.channels]
    return np.where([kind == "rotation" for kind in kinds], 0.0, frame)


def _read_motion(lines: Sequence[str], start: int, width: int, path: Path) -> tuple[Array, float, list[str]]:
    """The numbers (n, width) of the frames, the rate, and what is odd about them."""
    rows = [(n, line) for n, line in enumerate(lines[start:], start + 1) if line.strip()]
    heads = []
    for (number, line), name in zip(rows[:2], ("Frames", "Frame Time"), strict=False):
        head, _, value = line.partition(":")
        if head.strip().lower() != name.lower():
            raise RecordingError(f"{path}:{number}: expected {name}:, got {line.strip()[:40]!r}")
        read_number(value, f"{path}:{number}")
        heads.append(value.strip())
    if len(heads) < 2:
        raise RecordingError(f"{path}: expected Frames: and Frame Time: after MOTION, got the end of the file")
    promised, rate = float(heads[0]), _rate(heads[1], f"{path}:{rows[1][0]}")
    motion = np.empty((len(rows) - 2, width))
    for row, (number, line) in enumerate(rows[2:]):
        words = line.split()
        if len(words) != width:
            raise RecordingError(f"{path}:{number}: expected {width} numbers, one a channel, got {len(words)}")
        motion[row] = read_numbers(words, f"{path}:{number}")
    if len(motion) < promised:
        raise RecordingError(f"{path}: expected {heads[0]} frames, got {len(motion)}: the file is cut off")
    return motion, rate, [f"{len(motion)} frames, not {heads[0]}"] if len(motion) > promised else []


def _rate(frame_time: str, place: str) -> float:
    """Frames a second. A whole number where its frame time, rounded as the file rounds, is this one."""
    period = Decimal(frame_time)
    if not Decimal("1e-6") < period < 1000:
        raise RecordingError(f"{place}: expected a frame time in seconds, got {frame_time[:40]!r}")
    nearest = round(1 / period)
    if nearest and round(1 / Decimal(nearest), min(20, max(0, -int(period.as_tuple().exponent)))) == period:
        return float(nearest)
    return float(1 / period)


def _up(names: Sequence[str], rest: Array, places: NDArray[np.floating]) -> tuple[str, str]:
    """The up axis, and why."""
    standing = up_of(names, rest)
    if standing == "z" and up_of(names, places) != "y":
        return "z", "along which the rest pose stands"
    return "y", "along which the rest pose stands" if standing == "y" else "which is usual; the rest pose does not tell"


def _unit(length: float | None, span: float) -> tuple[Unit, str]:
    """The unit in which a body is about as tall as people are, and why."""
    tall = length / _BENT if length is not None else span
    because = "by the way from foot to head" if length is not None else "by the size of the rest pose"
    if not tall > 0:
        return CENTIMETRE, "which is usual; the rest pose has no size"
    unit = min(UNITS, key=lambda unit: abs(math.log(unit.metres * tall / 1.7)))
    doubt = "" if TALL_M[0] <= unit.metres * tall <= TALL_M[1] else "; in doubt"
    return unit, f"{because}: a body of about {unit.metres * tall:.2f} m{doubt}"
