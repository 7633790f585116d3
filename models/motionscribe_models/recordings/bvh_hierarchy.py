"""The first part of a BVH file: its tree of joints, each with an offset and the channels that move it.

Lines go in, joints come out, parents first. What the channels do is bvh.py's matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.places import check_names
from motionscribe_models.recordings.skeletons import Vector
from motionscribe_models.recordings.table import read_number

_CHANNELS = {f"{axis}{kind}".lower(): (kind, n) for n, axis in enumerate("xyz") for kind in ("position", "rotation")}
JOINTS_PER_CHANNEL = 4
"""At most. Joints that nothing moves take memory in each frame: without a limit, a small file takes all there is."""


@dataclass(frozen=True)
class Joint:
    """A joint as its file gives it."""

    name: str
    parent: int
    """Its index, -1 for a root."""
    offset: Vector
    channels: tuple[tuple[str, int], ...] = ()
    """("position" or "rotation", axis 0..2) in the file's order."""


@dataclass
class _Open:
    """A joint whose lines are being read."""

    line: int
    name: str
    parent: int
    offset: Vector | None = None
    channels: tuple[tuple[str, int], ...] = ()
    site: bool = False


def read_hierarchy(lines: Sequence[str], path: Path) -> tuple[list[Joint], int]:
    """The joints, and the number of lines up to and with MOTION. Raises RecordingError with the line that is wrong."""
    joints: list[_Open] = []
    line_of_descent: list[int] = []
    for number, text in enumerate(lines, 1):
        place = f"{path}:{number}"
        words = text.replace("{", " ").split()
        if not words or words == ["HIERARCHY"]:
            continue
        keyword = words[0].upper()
        if keyword == "MOTION":
            if line_of_descent:
                raise RecordingError(f"{place}: expected }} after {joints[line_of_descent[-1]].name}, got MOTION")
            return _checked(joints, path), number
        if keyword in ("ROOT", "JOINT", "END"):
            joints.append(_begin(keyword, " ".join(words[1:]), joints, line_of_descent, number, place))
            line_of_descent.append(len(joints) - 1)
        elif not line_of_descent:
            raise RecordingError(f"{place}: expected ROOT or MOTION, got {text.strip()[:40]!r}")
        elif keyword == "OFFSET" and len(words) == 4:
            x, y, z = (read_number(word, place) for word in words[1:])
            joints[line_of_descent[-1]].offset = x, y, z
        elif keyword == "CHANNELS" and not joints[line_of_descent[-1]].site:
            joints[line_of_descent[-1]].channels = _read_channels(words[1:], place)
        elif keyword == "}" and len(words) == 1:
            line_of_descent.pop()
        else:
            raise RecordingError(
                f"{place}: expected JOINT, End Site, OFFSET x y z, CHANNELS n ... or }}, got {text.strip()[:40]!r}"
            )
    raise RecordingError(f"{path}: expected a BVH file: HIERARCHY and MOTION, got no line MOTION")


def _begin(
    keyword: str, name: str, joints: Sequence[_Open], line_of_descent: Sequence[int], number: int, place: str
) -> _Open:
    """A joint that begins at a line."""
    if (keyword == "ROOT") == bool(line_of_descent):
        raise RecordingError(f"{place}: expected ROOT outside of all joints and others inside, got {keyword} {name}")
    if keyword == "ROOT":
        return _Open(number, name, -1)
    parent = joints[line_of_descent[-1]]
    if parent.site:
        raise RecordingError(f"{place}: expected no joint in an end site, got {keyword} {name}")
    site = keyword == "END"
    return _Open(number, f"{parent.name}_end" if site else name, line_of_descent[-1], site=site)


def _read_channels(words: Sequence[str], place: str) -> tuple[tuple[str, int], ...]:
    names = [word.lower() for word in words[1:]]
    if words[:1] != [str(len(names))] or not set(names) <= _CHANNELS.keys() or len(set(names)) != len(names):
        raise RecordingError(
            f"{place}: expected CHANNELS, how many, and as many of Xposition, Zrotation and the like, "
            f"got {' '.join(words)[:60]!r}"
        )
    return tuple(_CHANNELS[name] for name in names)


def _checked(joints: Sequence[_Open], path: Path) -> list[Joint]:
    if not joints:
        raise RecordingError(f"{path}: expected a ROOT, got none before MOTION")
    check_names((joint.name for joint in joints), str(path))
    channels = sum(len(joint.channels) for joint in joints)
    if len(joints) > JOINTS_PER_CHANNEL * channels:
        raise RecordingError(f"{path}: expected joints that move, got {len(joints)} with {channels} channels in all")
    checked = []
    for joint in joints:
        if joint.offset is None:
            raise RecordingError(f"{path}:{joint.line}: expected an OFFSET of {joint.name}, got none")
        checked.append(Joint(joint.name, joint.parent, joint.offset, joint.channels))
    return checked
