"""`positions`: x y z of each joint in the world, as from marker sets and pose-estimation cameras.

A pose is each chosen joint relative to the first one, then the first one's place, in metres: 3 per joint + 3.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.representations.base import FASTEST, Indices, Layout, Representation


class Positions(Representation):
    """x y z per joint: 3 J columns, in the skeleton's units."""

    joint_features = (".x", ".y", ".z")
    root_features = ("root.height", "root.vx", "root.vy", "root.vz")
    rates = 3

    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        """`<joint>.x`, `.y`, `.z`."""
        return tuple(f"{joint}.{axis}" for joint in joints for axis in "xyz")

    def places(self, joints: int) -> range:
        """Every joint's."""
        return range(0, 3 * joints, 3)

    def moving_joints(self, spread: Array, joints: int) -> Indices:
        """All but the first: relative to it, a joint that keeps its place moves too."""
        return np.arange(1, joints)

    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """Raw frames (K, 3 J) to poses, in metres."""
        positions = values.reshape(len(values), -1, 3) * layout.metres_per_unit
        relative = positions[:, joints] - positions[:, :1]
        return np.hstack([relative.reshape(len(values), -1), positions[:, 0]])

    def features(self, layout: Layout, poses: Array, before: Array, period_s: float) -> NDArray[np.float32]:
        """The joints relative to the first; its height (m) and velocity (m/s) in the world's axes."""
        velocity = (poses[:, -3:] - before[:, -3:]) / period_s
        height = poses[:, -3:][:, layout.up : layout.up + 1]
        return np.hstack([poses[:, :-3], height, velocity.clip(-FASTEST, FASTEST)]).astype(np.float32)

    def joint_positions(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """The frames themselves, as (K, J, 3)."""
        return frames.astype(np.float64).reshape(len(frames), -1, 3)

    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Left and right exchanged, and one axis that is not up turned round: any vertical mirror will do."""
        flip = np.ones(3)
        flip[0 if layout.up != 0 else 1] = -1
        order = [list(joints).index(partners[joint]) for joint in joints]
        own = features[:, :-4].reshape(len(features), -1, 3)[:, order] * flip
        root = features[:, -4:] * np.concatenate([[1], flip])
        return np.hstack([own.reshape(len(features), -1), root]).astype(np.float32)
