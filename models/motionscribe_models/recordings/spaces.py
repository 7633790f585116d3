"""What places are measured in, and which way is up. Files rarely say it: joints and places go in, a Space comes out.

In an image y points down, and the unit is a pixel or the image's width and height. In space a body is 0.5 to 2.5 m
wide, high or long, which tells metres, centimetres and millimetres apart, and heads are above feet.
"""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.recordings.times import words_of
from motionscribe_models.skeleton import AXES

HEADS = {"head", "nose", "eye", "eyes", "ear", "ears", "forehead", "mouth", "chin", "crown", "neck", "snout"}
FEET = {"foot", "feet", "ankle", "ankles", "toe", "toes", "heel", "heels", "hoof"}
"""Words in names of joints, in lower case."""
_UNITS = (("m", 1.0), ("cm", 0.01), ("mm", 0.001))
BODY_M = math.sqrt(0.5 * 2.5)
"""The middle of what a body measures."""
_FARTHEST = 1e30
"""In any unit."""
_SIDED = re.compile(r"(?:left|right|l|r)([a-z]+)")


@dataclass(frozen=True)
class Space:
    """Unit and axes of places."""

    units: str
    metres_per_unit: float
    up_axis: str
    level: bool
    notes: tuple[str, ...] = ()
    """What was decided, for people."""


METRES_OF_CAMERA = Space("m", 1.0, "-y", False)
"""x to the right, y down, z away from the camera, which may be tilted."""


def believable(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places, NaN for numbers so large that their squares are none. A Recording refuses these later."""
    return np.where(np.abs(places) < _FARTHEST, places, np.nan)


def image_space(places: NDArray[np.float64]) -> Space:
    """Of places (n, J, 2) in an image: its width and height are 1 where nearly all are within -1 to 1, else pixels."""
    seen = np.abs(places[np.isfinite(believable(places))])
    if len(seen) and float(np.quantile(seen, 0.95)) <= 1.5:
        return Space("image", 1.0, "-y", False, ("unit: the image's width and height",))
    return Space("px", 1.0, "-y", False)


def guessed_space(joints: Sequence[str], places: NDArray[np.float64], units: str = "") -> Space:
    """Of places (n, J, 3) of which nobody says more than the unit, if that: `m`, `cm` or `mm`."""
    notes: list[str] = []
    if units not in dict(_UNITS):
        spread = _spread(places)
        units = min(_UNITS, key=lambda unit: abs(math.log(spread * unit[1] / BODY_M)))[0] if spread > 0 else "m"
        notes.append(f"no unit given: joints of one frame spread over {spread:.3g}, taken for {units}")
    up_axis = up_axis_of(joints, places)
    notes.append(f"up axis: {up_axis}, where heads are above feet" if up_axis else "up axis: taken for y")
    up_axis = up_axis or "y"
    # only cameras have y down
    return Space(units, dict(_UNITS)[units], up_axis, up_axis != "-y", tuple(notes))


def up_axis_of(joints: Sequence[str], places: NDArray[np.float64]) -> str:
    """The axis along which heads are above feet most, "" where one of them has no joint."""
    heads, feet = _of(joints, HEADS), _of(joints, FEET)
    if not heads or not feet:
        return ""
    masked = np.ma.masked_invalid(believable(places))
    above = masked[:, heads].mean(axis=1) - masked[:, feet].mean(axis=1)
    middle = [float(np.median(axis.compressed())) if axis.count() else 0.0 for axis in above.T]
    axis = int(np.argmax(np.abs(middle)))
    return "" if middle[axis] == 0 else ("-" if middle[axis] < 0 else "") + AXES[axis]


def _of(joints: Sequence[str], wanted: Collection[str]) -> list[int]:
    """Joints that have one of these words in their name; `LAnkle` and `lankle` have ankle."""
    found = []
    for number, joint in enumerate(joints):
        words = set(words_of(joint))
        words |= {match[1] for word in words if (match := _SIDED.fullmatch(word))}
        if words & set(wanted):
            found.append(number)
    return found


def _spread(places: NDArray[np.float64]) -> float:
    """The diagonal of the box around a frame's joints, of the median frame."""
    masked = np.ma.masked_invalid(believable(places))
    sides = masked.max(axis=1) - masked.min(axis=1)
    diagonals = np.sqrt((sides**2).sum(axis=1)).compressed()
    return float(np.median(diagonals)) if len(diagonals) else 0.0
