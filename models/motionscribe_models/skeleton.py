"""The layout of a frame: joints, parents, representation, units, up axis and nominal rate.

A skeleton says what the D columns of a raw frame mean, together with the class of its representation (see
representations/). It holds no motion and no statistics.
"""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.representations import REPRESENTATIONS

AXES = ("x", "y", "z")
UP_AXES = (*AXES, *(f"-{axis}" for axis in AXES))
UPRIGHT = {
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}
"""Up axis -> the rotation that makes it y."""


@dataclass(frozen=True)
class Skeleton:
    """Joint tree and meaning of the columns."""

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for a root."""
    representation: str
    """Key in REPRESENTATIONS, whose classes say how many columns there are and what each means."""
    units: str
    """Name of the unit of places, for people."""
    metres_per_unit: float
    """Size of that unit, for features. 1 for `features`."""
    up_axis: str
    """The axis that points up, or `-y` and the like where it points down, as in images."""
    rate_hz: float
    """Nominal rate of a recording, Hz."""
    inverted: bool = False
    """True where a stored rotation maps the parent's axes to the joint's, as in exponential maps of CMU and H3.6M."""
    offsets: tuple[tuple[float, float, float], ...] = ()
    """Vector from parent joint to joint at rest, in units; empty when unknown."""
    axes: tuple[tuple[float, float, float], ...] = ()
    """Acclaim only: the axes in which each joint's rotation is given, as rotation vectors at rest. There a joint is a
    bone: it turns its own offset, not its children's. Empty for all others."""
    left_handed: bool = False
    """True where x, y and z are thumb, forefinger and middle finger of a left hand, as in Unity."""
    level: bool = True
    """False where the up axis is a camera's, which may be tilted."""

    def __post_init__(self) -> None:
        words = (self.name, self.units, *self.joints, self.representation)
        flags = (self.inverted, self.left_handed, self.level)
        if not all(isinstance(word, str) for word in words) or not all(isinstance(flag, bool) for flag in flags):
            raise LayoutError(
                "expected text as name, units, joints and representation, "
                "and true or false as inverted, left_handed and level"
            )
        try:
            "".join(words).encode()
        except UnicodeEncodeError as error:
            raise LayoutError(f"expected text of UTF-8 as name, units, joints and representation: {error}") from error
        if len(self.parents) != len(self.joints):
            raise LayoutError(
                f"{self.name}: expected one parent per joint, {len(self.joints)}, got {len(self.parents)}"
            )
        if any(p >= i or p < -1 for i, p in enumerate(self.parents)):
            raise LayoutError(f"{self.name}: expected parents to come before their children, got {self.parents}")
        if self.representation not in REPRESENTATIONS:
            raise LayoutError(
                f"{self.name}: expected a representation of {', '.join(REPRESENTATIONS)}, got {self.representation!r}"
            )
        REPRESENTATIONS[self.representation].check_joints(self.joints)
        if self.up_axis not in UP_AXES:
            raise LayoutError(f"{self.name}: expected up axis {', '.join(UP_AXES)}, got {self.up_axis!r}")
        if not all(number > 0 and math.isfinite(number) for number in (self.rate_hz, self.metres_per_unit)):
            raise LayoutError(f"{self.name}: expected positive rate and metres_per_unit")
        if self.offsets and len(self.offsets) != len(self.joints):
            raise LayoutError(f"{self.name}: expected {len(self.joints)} offsets, got {len(self.offsets)}")
        if not all(len(vector) == 3 and all(map(math.isfinite, vector)) for vector in (*self.offsets, *self.axes)):
            raise LayoutError(f"{self.name}: expected three finite numbers for each of offsets and axes")
        if self.axes and len(self.axes) != len(self.joints):
            raise LayoutError(f"{self.name}: expected {len(self.joints)} axes, got {len(self.axes)}")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the D columns of a raw frame, in order."""
        return REPRESENTATIONS[self.representation].columns(self.joints)

    @property
    def width(self) -> int:
        """D, the number of columns of a raw frame."""
        return len(self.columns)

    @property
    def up(self) -> int:
        """Index of the up axis."""
        return AXES.index(self.up_axis[-1])

    @property
    def up_sign(self) -> int:
        """1 where the up axis points up, -1 where it points down."""
        return -1 if self.up_axis.startswith("-") else 1

    def check_width(self, frames: NDArray[np.floating]) -> None:
        """Raises LayoutError for anything but raw frames (K, D)."""
        if frames.ndim != 2 or frames.shape[1] != self.width:
            raise LayoutError(f"{self.name}: expected frames of {self.width} columns, got shape {frames.shape}")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Skeleton":
        """The inverse of to_json. Raises LayoutError where a field is missing, unknown or inconsistent."""
        try:
            return cls(
                **{
                    **value,
                    "joints": tuple(value["joints"]),
                    "parents": tuple(int(p) for p in value["parents"]),
                    "offsets": tuple(tuple(float(x) for x in o) for o in value.get("offsets", ())),
                    "axes": tuple(tuple(float(x) for x in a) for a in value.get("axes", ())),
                }
            )
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise LayoutError(f"not a skeleton: {error}") from error


def upright(skeleton: Skeleton) -> Array:
    """(3, 3) from the skeleton's axes to those of a right hand with y up."""
    turn = np.array(UPRIGHT[skeleton.up_axis], np.float64)
    return np.diag([1.0, 1.0, -1.0]) @ turn if skeleton.left_handed else turn


def feature_skeleton(name: str, columns: tuple[str, ...], rate_hz: float) -> Skeleton:
    """A layout without a body: `columns` are independent features, as from a machine."""
    return Skeleton(name, columns, (-1,) * len(columns), "features", "", 1.0, "y", rate_hz)
