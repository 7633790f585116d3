"""The layout of a frame: joints, parents, representation, units, up axis and nominal rate.

A skeleton says what the D columns of a raw frame mean. It holds no motion and no statistics.
"""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from motionscribe_models.errors import LayoutError

Representation = Literal["expmap", "quaternion", "positions", "features"]
AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Skeleton:
    """Joint tree and meaning of the columns.

    Columns by representation, J joints:
      expmap      root tx ty tz, then three per joint (rotation vector, radians): 3 + 3 J
      quaternion  root tx ty tz, then w x y z per joint: 3 + 4 J
      positions   x y z per joint: 3 J
      features    one column per joint, whatever it is: J
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for a root."""
    representation: Representation
    units: str
    """Of translations, for people."""
    metres_per_unit: float
    """Of translations, for features. 1 for `features`."""
    up_axis: str
    rate_hz: float
    """Nominal rate of a recording, Hz."""
    inverted: bool = False
    """True where a stored rotation maps the parent's axes to the joint's, as in exponential maps of CMU and H3.6M."""
    offsets: tuple[tuple[float, float, float], ...] = ()
    """Vector from parent joint to joint at rest, in units; empty when unknown. Only pictures need it."""
    axes: tuple[tuple[float, float, float], ...] = ()
    """Acclaim only: the axes each joint's rotation speaks of, as rotation vectors at rest. There a joint is a bone: it
    turns its own offset, not its children's. Empty for all others. Only pictures need it."""

    def __post_init__(self) -> None:
        words = (self.name, self.units, *self.joints)
        if not all(isinstance(word, str) for word in words) or not isinstance(self.inverted, bool):
            raise LayoutError("expected text as name, units and joints, and true or false as inverted")
        if len(self.parents) != len(self.joints):
            raise LayoutError(
                f"{self.name}: expected one parent per joint, {len(self.joints)}, got {len(self.parents)}"
            )
        if any(p >= i or p < -1 for i, p in enumerate(self.parents)):
            raise LayoutError(f"{self.name}: expected parents to come before their children, got {self.parents}")
        if self.representation not in ("expmap", "quaternion", "positions", "features"):
            raise LayoutError(f"{self.name}: unknown representation {self.representation!r}")
        if self.up_axis not in AXES:
            raise LayoutError(f"{self.name}: expected up axis x, y or z, got {self.up_axis!r}")
        if not (self.rate_hz > 0 and self.metres_per_unit > 0):
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
        root = ("root.tx", "root.ty", "root.tz")
        match self.representation:
            case "expmap":
                return root + tuple(f"{j}.{a}" for j in self.joints for a in ("ex", "ey", "ez"))
            case "quaternion":
                return root + tuple(f"{j}.{a}" for j in self.joints for a in ("qw", "qx", "qy", "qz"))
            case "positions":
                return tuple(f"{j}.{a}" for j in self.joints for a in AXES)
            case _:
                return self.joints

    @property
    def width(self) -> int:
        """D, the number of columns of a raw frame."""
        return len(self.columns)

    @property
    def up(self) -> int:
        """Index of the up axis."""
        return AXES.index(self.up_axis)

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
        except (TypeError, KeyError, ValueError) as error:
            raise LayoutError(f"not a skeleton: {error}") from error


def feature_skeleton(name: str, columns: tuple[str, ...], rate_hz: float) -> Skeleton:
    """A layout without a body: `columns` are independent features, as from a machine."""
    return Skeleton(name, columns, (-1,) * len(columns), "features", "", 1.0, "y", rate_hz)
