"""C3D files of motion capture systems: the places of labelled points.

A point with a negative residual was not seen. Left out, and said in the notes, are points without a label or with that
of an unknown one (`*12`), and those that are no places: angles, forces and the like that programs store as points.
"""

import re
from pathlib import Path

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.c3d_parameters import Header, read_header
from motionscribe_models.recordings.places import (
    MILLIMETRE,
    Unit,
    check_names,
    places_recording,
    places_skeleton,
    unit_called,
)
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.standing import up_of

_NO_PLACES = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")
"""Parameters of POINT that list the labels of points which are none."""
_UNKNOWN = re.compile(r"\*\d*")
_MANY = ("", "2", "3", "4", "5", "6", "7", "8", "9")
"""A parameter holds 255 labels; LABELS2 and so on hold more."""


def read_c3d(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for a file that is no C3D, is cut off, or has no labelled points."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: expected a C3D file, got {error}") from error
    header = read_header(content, path)
    labels = [label for n in _MANY for label in header.texts(f"POINT:LABELS{n}")][: header.points]
    labels += [""] * (header.points - len(labels))
    no_places = {label for name in _NO_PLACES for n in _MANY for label in header.texts(f"POINT:{name}{n}")} - {""}
    unknown = [i for i, label in enumerate(labels) if not label or _UNKNOWN.fullmatch(label)]
    others = [i for i, label in enumerate(labels) if label in no_places]
    chosen = sorted(set(range(header.points)) - {*unknown, *others})
    if not chosen:
        raise RecordingError(f"{path}: expected points with labels, got {header.points} points, of which none has one")
    joints = [labels[i] for i in chosen]
    check_names(joints, str(path))
    places = _read_places(content, header, path)[:, chosen]
    unit, unit_note = _unit(header, path)
    up, why = _up(header, joints, places)
    rate = rate_hz or (header.numbers("POINT:RATE") or [0.0])[0] or header.rate_hz
    if not 0 < rate < 1e6:
        raise RecordingError(f"{path}: expected a rate above 0 Hz and below 1 MHz, got {rate}")
    notes = [f"up axis: {up}, {why}", *unit_note]
    notes += [f"{len(unknown)} points without a label left out"] if unknown else []
    notes += [f"points that are no places left out: {', '.join(labels[i] for i in others)}"] if others else []
    skeleton = places_skeleton("c3d", joints, unit, up, rate)
    return places_recording(path, places, even_times(len(places), rate), skeleton, notes)


def _read_places(content: bytes, header: Header, path: Path) -> Array:
    """(n, points, 3), NaN where a point was not seen."""
    size = 4 if header.scale < 0 else 2
    width = size * (4 * header.points + header.analog)
    frames = _frames(header)
    end = header.data + width * frames
    if frames < 1 or header.data < 1 or end > len(content):
        raise RecordingError(
            f"{path}: expected {frames} frames of {width} bytes from byte {header.data}, got {len(content)} bytes"
        )
    rows = np.frombuffer(content, np.uint8)[header.data : end].reshape(frames, width)[:, : 4 * size * header.points]
    points = header.stored.read(rows.tobytes(), size).reshape(frames, header.points, 4)
    places = points[:, :, :3] * (1.0 if header.scale < 0 else header.scale)
    places[points[:, :, 3] < 0] = np.nan
    return places


def _frames(header: Header) -> int:
    """How many: the header counts to 65535, and programs have written larger numbers elsewhere."""
    long = header.numbers("POINT:LONG_FRAMES")
    if long and 0 < long[0] < 2**31:
        return int(long[0])
    ends = (header.numbers(f"TRIAL:ACTUAL_{end}_FIELD") for end in ("START", "END"))
    first, last = ([int(half) % 65536 for half in halves if abs(half) < 65536] for halves in ends)
    if len(first) == len(last) == 2:
        return (last[0] + 65536 * last[1]) - (first[0] + 65536 * first[1]) + 1
    return header.frames


def _unit(header: Header, path: Path) -> tuple[Unit, list[str]]:
    named = (header.texts("POINT:UNITS") or [""])[0]
    if not named:
        return MILLIMETRE, ["units: mm, which is usual; the file names none"]
    return unit_called(named, f"{path}: POINT:UNITS"), []


def _up(header: Header, joints: list[str], places: Array) -> tuple[str, str]:
    """The up axis, and why. Programs disagree about the sign of Y_SCREEN; no floor lies above all points."""
    screen = (header.texts("POINT:Y_SCREEN") or [""])[0].lower()
    axis = screen.lstrip("+-")
    if axis in ("x", "y", "z"):
        seen = places[:, :, "xyz".index(axis)]
        seen = seen[np.isfinite(seen)]
        below = screen[0] == "-" and len(seen) > 0 and float(np.median(seen)) < 0
        return f"-{axis}" if below else axis, f"by Y_SCREEN {screen.upper()}"
    standing = up_of(joints, places)
    return (standing, "along which the body stands") if standing else ("z", "which is usual; the file does not tell")
