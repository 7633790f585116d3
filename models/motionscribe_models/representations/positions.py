"""`positions` and `positions2d`: the place of each joint, as from marker sets, depth cameras and pose estimators.

In space x y z, in an image x y. A pose is each chosen joint relative to the first one, then the first one's place, in
metres or the image's unit: A per joint + A, with A = 3 or 2 axes. NaN is a joint that was not seen.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.representations.base import FASTEST, ByTwoPoses, Indices, Layout


class Positions(ByTwoPoses):
    """x y z per joint: 3 J columns, in the skeleton's units."""

    axes: ClassVar[str] = "xyz"
    joint_features: ClassVar[tuple[str, ...]] = (".x", ".y", ".z")
    root_features: ClassVar[tuple[str, ...]] = ("root.height", "root.vx", "root.vy", "root.vz")
    rates: ClassVar[int] = 3
    may_be_lost = True

    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        """`<joint>.x`, `.y`, `.z`."""
        return tuple(f"{joint}.{axis}" for joint in joints for axis in self.axes)

    def places(self, joints: int) -> range:
        """Every joint's."""
        return range(0, len(self.axes) * joints, len(self.axes))

    def check(self, frames: NDArray[np.floating]) -> None:
        """Raises LayoutError for joints that were not seen: features need them all."""
        if np.isnan(frames).any():
            frame, column = np.argwhere(np.isnan(frames))[0]
            raise LayoutError(f"expected the place of every joint, got none in frame {frame + 1}, column {column + 1}")

    def moving_joints(self, spread: Array, joints: int) -> Indices:
        """All but the first: relative to it, a joint that keeps its place moves too."""
        return np.arange(1, joints)

    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """Raw frames (K, A J) to poses, in metres."""
        positions = values.reshape(len(values), -1, len(self.axes)) * layout.metres_per_unit
        relative = positions[:, joints] - positions[:, :1]
        return np.hstack([relative.reshape(len(values), -1), positions[:, 0]])

    def sensors(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """The place of each chosen joint in the world, (K, n, A), metres."""
        return values.reshape(len(values), -1, len(self.axes))[:, joints] * layout.metres_per_unit

    def features(self, layout: Layout, poses: Array, before: Array, period_s: float) -> NDArray[np.float32]:
        """The joints relative to the first; its height (m) and velocity (m/s) in the world's axes."""
        axes = len(self.axes)
        velocity = (poses[:, -axes:] - before[:, -axes:]) / period_s
        height = layout.up_sign * poses[:, -axes:][:, layout.up : layout.up + 1]
        return np.hstack([poses[:, :-axes], height, velocity.clip(-FASTEST, FASTEST)]).astype(np.float32)

    def figure(self, layout: Layout, joints: Indices, features: NDArray[np.floating]) -> Array:
        """The first joint stays where it is, but for its height."""
        axes = len(self.axes)
        places = np.full((len(features), len(layout.joints), axes), np.nan)
        places[:, 0] = 0
        places[:, joints] = features[:, : axes * len(joints)].reshape(len(features), -1, axes)
        places[:, :, layout.up] += layout.up_sign * features[:, axes * len(joints), None]
        return places.reshape(len(features), -1) / layout.metres_per_unit

    def joint_positions(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """The frames themselves, as (K, J, 3); places in an image lie in the plane z = 0."""
        places = frames.astype(np.float64).reshape(len(frames), -1, len(self.axes))
        return np.pad(places, ((0, 0), (0, 0), (0, 3 - len(self.axes))))

    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Left and right exchanged, and one axis that is not up turned round: any vertical mirror will do."""
        flip = np.ones(len(self.axes))
        flip[0 if layout.up != 0 else 1] = -1
        root = 1 + len(flip)
        order = [list(joints).index(partners[joint]) for joint in joints]
        own = features[:, :-root].reshape(len(features), -1, len(flip))[:, order] * flip
        moving = features[:, -root:] * np.concatenate([[1], flip])
        return np.hstack([own.reshape(len(features), -1), moving]).astype(np.float32)


class ImagePositions(Positions):
    """x y per joint: 2 J columns, in pixels or shares of the image."""

    axes = "xy"
    joint_features = (".x", ".y")
    root_features = ("root.height", "root.vx", "root.vy")
    rates = 2
