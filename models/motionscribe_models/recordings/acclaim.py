"""Acclaim skeletons (ASF) and their motion (AMC), as of the CMU motion capture database, to exponential maps.

A frame becomes root tx ty tz, then per bone in the ASF's order the rotation vector, negated, of its angles about the
fixed axes x, y, z; a degree of freedom that a bone lacks is 0. Translations stay in file units. The bones' own `axis`
is left out of the frames, as in the 96-column sets made from these files, and kept in the skeleton for pictures.
The ASF of `86_01.amc` is `86_01.asf` or `86.asf` in the same folder; without one, the CMU skeleton is assumed.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.recording import Recording, even_recording
from motionscribe_models.recordings.skeletons import CMU_EXPMAP, Vector, acclaim_skeleton
from motionscribe_models.recordings.table import read_lines, read_number
from motionscribe_models.rotations import euler_vector
from motionscribe_models.skeleton import Skeleton

ROOT_ORDER = ("tx", "ty", "tz", "rx", "ry", "rz")
_BONE_WORDS = {"name": 1, "direction": 3, "length": 1, "axis": 4}

_CMU_FREEDOMS = {
    **dict.fromkeys(("lowerback", "upperback", "thorax", "lowerneck", "upperneck", "head"), ("rx", "ry", "rz")),
    **{
        side + bone: freedoms
        for side in "lr"
        for bone, freedoms in (
            ("femur", ("rx", "ry", "rz")),
            ("tibia", ("rx",)),
            ("foot", ("rx", "rz")),
            ("toes", ("rx",)),
            ("clavicle", ("ry", "rz")),
            ("humerus", ("rx", "ry", "rz")),
            ("radius", ("rx",)),
            ("wrist", ("ry",)),
            ("hand", ("rx", "rz")),
            ("fingers", ("rx",)),
            ("thumb", ("rx", "rz")),
        )
    },
}


@dataclass(frozen=True)
class Acclaim:
    """What an AMC file needs to know: the skeleton and, by bone, the degrees of freedom in the order of its numbers."""

    skeleton: Skeleton
    freedoms: dict[str, tuple[str, ...]]


CMU = Acclaim(CMU_EXPMAP, {"root": ROOT_ORDER, **_CMU_FREEDOMS})


def read_asf(path: Path, rate_hz: float) -> Acclaim:
    """Raises RecordingError for a file that is not an ASF with degrees and axes in the order XYZ."""
    length, section = 1.0, ""
    freedoms: dict[str, tuple[str, ...]] = {}
    vectors: dict[str, tuple[Vector, Vector]] = {"root": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))}
    parents: dict[str, str] = {"root": ""}
    bone: dict[str, list[str]] = {}
    for number, line in enumerate(read_lines(path), 1):
        words, place = line.split(), f"{path}:{number}"
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            section = words[0]
        elif section == ":units" and words[0] == "length":
            length = read_number(words[-1], place)
        elif section == ":units" and words[0] == "angle" and words[1:] != ["deg"]:
            raise RecordingError(f"{place}: expected angle deg, got {line.strip()!r}")
        elif section == ":root" and words[0] == "order":
            freedoms["root"] = tuple(word.lower() for word in words[1:])
        elif section == ":bonedata" and words[0] == "begin":
            bone = {}
        elif section == ":bonedata" and words[0] == "end":
            name, vector, axis = _bone(bone, place)
            vectors[name] = (vector, axis)
            if "dof" in bone:
                freedoms[name] = tuple(word.lower() for word in bone["dof"])
        elif section == ":bonedata":
            bone[words[0]] = words[1:]
        elif section == ":hierarchy" and words[0] not in ("begin", "end"):
            parents.update(dict.fromkeys(words[1:], words[0]))
    if sorted(freedoms.get("root", ())) != sorted(ROOT_ORDER):
        raise RecordingError(f"{path}: expected an ASF file whose root has the order TX TY TZ RX RY RZ")
    wrong = [name for name, own in freedoms.items() if name != "root" and not set(own) <= {"rx", "ry", "rz"}]
    if wrong:
        raise RecordingError(
            f"{path}: expected dof of rx, ry, rz only, got {' '.join(freedoms[wrong[0]])} ({wrong[0]})"
        )
    if set(parents) != set(vectors):
        stray = ", ".join(sorted(set(parents) ^ set(vectors))[:5])
        raise RecordingError(f"{path}: expected bone data and hierarchy to name the same bones, they differ in {stray}")
    if length <= 0:
        raise RecordingError(f"{path}: expected a length above 0, got {length}")
    bones = tuple((name, parents[name], vector, axis) for name, (vector, axis) in vectors.items())
    name = CMU_EXPMAP.name if tuple(vectors) == CMU_EXPMAP.joints else path.stem
    try:
        skeleton = acclaim_skeleton(name, bones, 0.0254 / length, rate_hz)
    except ValueError as error:
        raise RecordingError(f"{path}: expected a tree of bones, parents first: {error}") from error
    return Acclaim(skeleton, freedoms)


def _bone(bone: dict[str, list[str]], place: str) -> tuple[str, Vector, Vector]:
    """Name, vector in units and axes in degrees of the lines between begin and end."""
    if {k: len(bone.get(k, ())) for k in _BONE_WORDS} != _BONE_WORDS or bone["axis"][3].upper() != "XYZ":
        raise RecordingError(f"{place}: expected a bone with name, direction, length and axis x y z XYZ, got {bone}")
    x, y, z = (read_number(w, place) * read_number(bone["length"][0], place) for w in bone["direction"])
    ax, ay, az = (read_number(w, place) for w in bone["axis"][:3])
    return bone["name"][0], (x, y, z), (ax, ay, az)


def read_amc(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError with the line where the file is no AMC, is cut off, or does not fit its skeleton."""
    candidates = (path.with_suffix(".asf"), path.with_name(path.stem.split("_")[0] + ".asf"))
    beside = next((candidate for candidate in candidates if candidate.is_file()), None)
    acclaim = read_asf(beside, CMU_EXPMAP.rate_hz) if beside else CMU
    lines = read_lines(path)
    start = next((i for i, line in enumerate(lines) if line.strip().isdecimal()), len(lines))
    if ":DEGREES" not in (line.strip().upper() for line in lines[:start]) or start == len(lines):
        raise RecordingError(f"{path}: expected an AMC file: a line :DEGREES, then numbered frames")
    numbers = _read_frames(lines[start:], acclaim.freedoms, path, start + 1)
    skeleton = acclaim.skeleton
    values = np.zeros((len(next(iter(numbers.values()))), skeleton.width))
    for joint, name in enumerate(skeleton.joints):
        angles = np.zeros((len(values), 3))
        for column, freedom in enumerate(acclaim.freedoms.get(name, ())):
            target = values if freedom[0] == "t" else angles
            target[:, "xyz".index(freedom[1])] = numbers[name][:, column]
        values[:, 3 + 3 * joint : 6 + 3 * joint] = -euler_vector(angles)
    return even_recording(path.stem, values, replace(skeleton, rate_hz=rate_hz or skeleton.rate_hz))


def _read_frames(
    lines: list[str], freedoms: dict[str, tuple[str, ...]], path: Path, first_line: int
) -> dict[str, NDArray[np.float64]]:
    """Numbers (n, freedoms) of each bone. A frame is a line with its number, then a line per bone, in one order."""
    per_frame = 1 + len(freedoms)
    names = [line.split(maxsplit=1)[0] for line in lines[1:per_frame] if line.strip()]
    if set(names) != set(freedoms) or len(names) != len(freedoms):
        stray = sorted(set(names) ^ set(freedoms))
        raise RecordingError(
            f"{path}:{first_line}: expected a frame of the {len(freedoms)} moving bones of its skeleton; "
            f"differs in {', '.join(stray[:5])}"
        )
    first = int(lines[0])
    for k in range(0, len(lines), per_frame):
        expected = str(first + k // per_frame)
        if lines[k].strip() != expected:
            raise RecordingError(f"{path}:{first_line + k}: expected frame {expected}, got {lines[k].strip()[:40]!r}")
    if len(lines) % per_frame:
        raise RecordingError(
            f"{path}:{first_line + len(lines) - 1}: expected {per_frame - 1} bones in the last frame, got "
            f"{len(lines) % per_frame - 1}: the file is cut off"
        )
    numbers = {}
    for offset, name in enumerate(names, 1):
        rows = [line.split() for line in lines[offset::per_frame]]
        for k, row in enumerate(rows):
            if len(row) != 1 + len(freedoms[name]) or row[0] != name:
                raise RecordingError(
                    f"{path}:{first_line + offset + k * per_frame}: expected {name} and {len(freedoms[name])} numbers, "
                    f"got {' '.join(row)[:60]!r}"
                )
        numbers[name] = np.array(
            [
                [read_number(cell, f"{path}:{first_line + offset + k * per_frame}") for cell in row[1:]]
                for k, row in enumerate(rows)
            ]
        )
    return numbers
