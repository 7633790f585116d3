"""Columns that are places of joints, by their names. Names go in; out come the columns of each joint's axes.

`head_x`, `head.x`, `head:X` and `x_head` are the same, with y and z or with y alone; `x1` is a joint called 1. Beside
them may stand how sure the finder was: `head_likelihood`, `head_visibility`, `head_c`. World and image coordinates of
one joint (`head_wx`, `head_ix`) are two sets, of which one is chosen.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from motionscribe_models.recordings.times import words_of

FEWEST = 3
"""Joints: with fewer, columns called x and y may be anything."""
_LONGEST = 100
"""Letters of a name."""
_SETS = {"w": "world", "world": "world", "": "", "i": "image", "image": "image", "norm": "image"}
"""As a file spells them. The first of them that a file has is chosen."""
_AXIS = r"(?:(?P<set>w|i|(?:world|image|norm)[_.]?)?(?P<axis>[xyz]))"
_SURE = r"(?P<sure>confidence|conf|likelihood|visibility|vis|score|probability|prob|c|v|p|presence)"
_GAP = r"[_.:\- ]"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<joint>.*[^_.:\- ]){_GAP}+(?:{_AXIS}|{_SURE})",
        rf"(?:{_AXIS}|{_SURE}){_GAP}+(?P<joint>.+)",
        rf"(?:{_AXIS}|{_SURE})(?P<joint>\d+)",
    )
)
_NO_PLACES = {"acc", "accel", "acceleration", "accelerometer", "gyr", "gyro", "gyroscope", "mag", "magnetometer", "imu"}
_NO_PLACES |= {
    "vel",
    "velocity",
    "speed",
    "rot",
    "rotation",
    "quat",
    "quaternion",
    "euler",
    "angle",
    "angles",
    "angular",
}
_NO_PLACES |= {"orientation", "force", "forces", "torque", "moment", "gravity", "pressure", "vibration", "emg", "axis"}
_NO_PLACES |= {"std", "var", "mean", "min", "max", "power", "current", "voltage", "error", "motor", "magnetic", "field"}
"""Words for what has axes and is no place."""


@dataclass(frozen=True)
class JointColumns:
    """Numbers of columns."""

    joints: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    """Of each joint, x y or x y z."""
    sure: tuple[int, ...]
    """Of each joint, or none."""
    coordinates: str
    """`world`, `image`, or "" where the names do not say."""
    left_out: tuple[int, ...]
    """Those of another set, and others."""


def joint_columns(names: Sequence[str]) -> JointColumns | None:
    """None unless all columns are places of three joints or more, each with the same axes, or belong to such."""
    sets: dict[str, dict[str, dict[str, int]]] = {}
    sure: dict[str, int] = {}
    for number, name in enumerate(names):
        match = _match(name)
        if match is None or set(words_of(match["joint"])) & _NO_PLACES:
            return None
        if match["sure"]:
            sure.setdefault(match["joint"], number)
        else:
            spelled = (match["set"] or "").lower().strip("_.")
            axes = sets.setdefault(_SETS[spelled], {}).setdefault(match["joint"], {})
            if axes.setdefault(match["axis"].lower(), number) != number:
                return None
    chosen = next((kind for kind in _SETS.values() if kind in sets), None)
    if chosen is None or len(sets[chosen]) < FEWEST:
        return None
    joints = sets[chosen]
    axes_of = {"".join(sorted(axes)) for axes in joints.values()}
    if axes_of not in ({"xyz"}, {"xy"}) or any(not sets[kind].keys() <= joints.keys() for kind in sets):
        return None
    if not sure.keys() <= joints.keys():
        return None
    places = tuple(tuple(axes[axis] for axis in sorted(axes)) for axes in joints.values())
    chances = tuple(sure[joint] for joint in joints) if sure.keys() == joints.keys() else ()
    used = {*chances, *(column for columns in places for column in columns)}
    left_out = tuple(number for number in range(len(names)) if number not in used)
    return JointColumns(tuple(joints), places, chances, chosen, left_out)


def _match(name: str) -> re.Match[str] | None:
    if len(name) > _LONGEST:
        return None
    return next((match for pattern in _PATTERNS if (match := pattern.fullmatch(name))), None)
