"""Acclaim skeletons (ASF): bones, their axes, and the degrees of freedom in which motion (amc.py) is given.

CMU is the skeleton of all files of the CMU motion capture database, built in for motion that comes without its own.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.skeletons import CMU_EXPMAP, Vector, acclaim_skeleton
from motionscribe_models.recordings.table import read_number
from motionscribe_models.recordings.text import read_lines
from motionscribe_models.skeleton import Skeleton

ROOT_ORDER = ("tx", "ty", "tz", "rx", "ry", "rz")
_ORDERS = {"".join(order) for order in permutations("xyz")}
_BONE_WORDS = {"name": 1, "direction": 3, "length": 1, "axis": 4}
_NONE: Vector = (0.0, 0.0, 0.0)

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
    orders: dict[str, str]
    """By bone, the order in which its turns are made about the fixed axes: "xyz" and the like."""
    position: Vector = _NONE
    """Where the root is when its translation is 0, in units."""


CMU = Acclaim(CMU_EXPMAP, {"root": ROOT_ORDER, **_CMU_FREEDOMS}, dict.fromkeys(("root", *_CMU_FREEDOMS), "xyz"))


@dataclass(frozen=True)
class _Bone:
    """A bone as its file gives it."""

    vector: Vector
    axis: Vector
    """In degrees."""
    order: str
    freedoms: tuple[str, ...] = ()


def read_asf(path: Path, rate_hz: float) -> Acclaim:
    """Raises RecordingError for a file that is no ASF, or whose bones do not make one tree."""
    length, degrees = 1.0, 1.0
    root: dict[str, list[str]] = {}
    bones: dict[str, _Bone] = {}
    parents = {"root": ""}
    bone: dict[str, list[str]] = {}
    for section, words, place in _entries(path):
        match section, words[0]:
            case ":units", "length":
                length = read_number(words[-1], place)
            case ":units", "angle":
                if words[1:] not in (["deg"], ["rad"]):
                    raise RecordingError(f"{place}: expected angle deg or angle rad, got {' '.join(words)!r}")
                degrees = 1.0 if words[1] == "deg" else math.degrees(1)
            case ":root", word:
                root[word] = words[1:]
            case ":bonedata", "begin":
                bone = {}
            case ":bonedata", "end":
                name = " ".join(bone.get("name", ()))
                if name in bones:
                    raise RecordingError(f"{place}: expected each bone once, got {name} again")
                bones[name] = _read_bone(bone, degrees, place)
            case ":bonedata", word:
                bone[word] = words[1:]
            case ":hierarchy", word if word not in ("begin", "end"):
                parents.update(dict.fromkeys(words[1:], word))
    rooted, position = _read_root(root, degrees, path)
    bones = {"root": rooted, **bones}
    if set(parents) != set(bones):
        stray = ", ".join(sorted(set(parents) ^ set(bones))[:5])
        raise RecordingError(f"{path}: expected bone data and hierarchy to name the same bones, they differ in {stray}")
    if length <= 0:
        raise RecordingError(f"{path}: expected a length above 0, got {length}")
    tree = [(name, parents[name], bone.vector, bone.axis) for name, bone in bones.items()]
    orders = {name: bone.order for name, bone in bones.items()}
    name = CMU_EXPMAP.name if tuple(bones) == CMU_EXPMAP.joints else path.stem
    try:
        skeleton = acclaim_skeleton(name, tree, 0.0254 / length, rate_hz, list(orders.values()))
    except ValueError as error:
        raise RecordingError(f"{path}: expected a tree of bones, parents first: {error}") from error
    freedoms = {name: bone.freedoms for name, bone in bones.items() if bone.freedoms}
    return Acclaim(skeleton, freedoms, orders, position)


def _entries(path: Path) -> Iterator[tuple[str, list[str], str]]:
    """The section (":units"), the words and the `file:line` of each line that says something."""
    section = ""
    for number, line in enumerate(read_lines(path), 1):
        words = line.split("#")[0].split() if section != ":documentation" else line.split()
        if words and words[0].startswith(":"):
            section = words[0].lower()
        elif words and not words[0].startswith("#"):
            yield section, words, f"{path}:{number}"


def _read_root(root: dict[str, list[str]], degrees: float, path: Path) -> tuple[_Bone, Vector]:
    """The root as a bone, and its position."""
    freedoms = tuple(word.lower() for word in root.get("order", ()))
    if sorted(freedoms) != sorted(ROOT_ORDER):
        raise RecordingError(f"{path}: expected an ASF file whose root has the order TX TY TZ RX RY RZ")
    order = "".join(root.get("axis", ["XYZ"])).lower()
    if order not in _ORDERS:
        raise RecordingError(f"{path}: expected a root with the axis XYZ or another order, got {order.upper()!r}")
    position, orientation = (root.get(word, ["0", "0", "0"]) for word in ("position", "orientation"))
    if (len(position), len(orientation)) != (3, 3):
        raise RecordingError(f"{path}: expected a root with position x y z and orientation x y z, got {root}")
    return _Bone(_NONE, _vector(orientation, degrees, str(path)), order, freedoms), _vector(position, 1.0, str(path))


def _read_bone(bone: dict[str, list[str]], degrees: float, place: str) -> _Bone:
    """What stands between begin and end."""
    if {k: len(bone.get(k, ())) for k in _BONE_WORDS} != _BONE_WORDS or bone["axis"][3].lower() not in _ORDERS:
        raise RecordingError(f"{place}: expected a bone with name, direction, length and axis x y z XYZ, got {bone}")
    freedoms = tuple(word.lower() for word in bone.get("dof", ()))
    if not set(freedoms) <= {"rx", "ry", "rz"} or len(set(freedoms)) != len(freedoms):
        raise RecordingError(f"{place}: expected dof of rx, ry, rz only, got {' '.join(freedoms)} ({bone['name'][0]})")
    vector = _vector(bone["direction"], read_number(bone["length"][0], place), place)
    return _Bone(vector, _vector(bone["axis"][:3], degrees, place), bone["axis"][3].lower(), freedoms)


def _vector(words: list[str], scale: float, place: str) -> Vector:
    x, y, z = (read_number(word, place) * scale for word in words)
    return x, y, z
