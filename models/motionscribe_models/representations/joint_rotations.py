"""What all representations by rotations have in common: the root's place, then a rotation of each joint.

A subclass says how a rotation is stored. A pose is the first two columns of each chosen joint's matrix, row by row,
then the root's whole matrix, body to world, and its place in metres: 6 per joint + 9 + 3.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.representations.base import FASTEST, STILL, ByTwoPoses, Indices, Layout
from motionscribe_models.rotations import orthonormal, rotation_matrix, rotation_vector


class JointRotations(ByTwoPoses):
    """Root tx ty tz, then `rotation_columns` per joint."""

    joint_features = (".r0", ".r1", ".r2", ".r3", ".r4", ".r5")
    root_features = (
        *("root.upx", "root.upy", "root.upz", "root.height"),
        *("root.vx", "root.vy", "root.vz", "root.wx", "root.wy", "root.wz"),
    )
    rates = 6
    impossible = 5000.0
    rotation_columns: ClassVar[tuple[str, ...]]
    """Ending of the name of each number of a rotation."""

    @abstractmethod
    def matrices(self, rotations: NDArray[np.floating]) -> Array:
        """Stored rotations (..., n), n numbers each, to matrices (..., 3, 3)."""

    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        """`root.tx`, `.ty`, `.tz`, then `<joint>.<rotation column>`."""
        return (
            *("root.tx", "root.ty", "root.tz"),
            *(f"{joint}.{column}" for joint in joints for column in self.rotation_columns),
        )

    def places(self, joints: int) -> range:
        """The root's."""
        return range(0, 3, 3)

    def moving_joints(self, spread: Array, joints: int) -> Indices:
        """Every joint that turns, but the root."""
        turning = np.flatnonzero(spread[3:].reshape(joints, -1).max(axis=1) > STILL)
        return turning[turning > 0]

    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """Raw frames (K, D) to poses."""
        rotations = self._matrices_of(layout, values)
        root = rotations[:, 0].swapaxes(1, 2) if layout.inverted else rotations[:, 0]
        return np.hstack(
            [
                rotations[:, joints, :, :2].reshape(len(values), -1),
                root.reshape(len(values), 9),
                values[:, :3] * layout.metres_per_unit,
            ]
        )

    def sensors(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """The columns of each chosen joint's rotation, (K, n, 6)."""
        return self._matrices_of(layout, values)[:, joints, :, :2].reshape(len(values), len(joints), 6)

    def features(self, layout: Layout, poses: Array, before: Array, period_s: float) -> NDArray[np.float32]:
        """The joints' columns as they are; of the root the up vector, height (m), velocity (m/s) and turning (rad/s).

        All but the height are in the root's own axes, so nothing depends on where the body stands or which way it
        faces.
        """
        velocity = (poses[:, -3:] - before[:, -3:]) / period_s
        height = poses[:, -3:][:, layout.up : layout.up + 1]
        root, earlier = (orthonormal(rows[:, -12:-3].reshape(-1, 3, 3)) for rows in (poses, before))
        # world to body: the transpose of body to world
        turning = rotation_vector(earlier.swapaxes(1, 2) @ root) / period_s
        moving = np.einsum("kwb,kw->kb", root, velocity)
        up = root[:, layout.up, :]
        speeds = np.hstack([moving, turning]).clip(-FASTEST, FASTEST)
        return np.hstack([poses[:, :-12], up, height, speeds]).astype(np.float32)

    def joint_positions(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """Forward kinematics: each joint's rotation turns what hangs on it."""
        if not layout.offsets:
            raise LayoutError(f"{layout.name}: expected a skeleton with offsets or positions, got neither")
        rotations = self.turns(layout, frames)
        offsets = np.array(layout.offsets)
        turned = rotations.copy()  # joint to world, (K, J, 3, 3)
        positions = np.zeros((len(frames), len(layout.joints), 3))
        for joint, parent in enumerate(layout.parents):
            if parent < 0:
                positions[:, joint] = frames[:, :3]
                continue
            turned[:, joint] = turned[:, parent] @ rotations[:, joint]
            turning = joint if layout.axes else parent
            positions[:, joint] = positions[:, parent] + turned[:, turning] @ offsets[joint]
        return positions

    def turns(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """(K, J, 3, 3), of each joint's axes as its parent has them: at rest all axes are those of the world."""
        rotations = self._matrices_of(layout, frames)
        if layout.inverted:
            rotations = rotations.swapaxes(2, 3)
        if layout.axes:
            axes = rotation_matrix(np.array(layout.axes))
            rotations = axes @ rotations @ axes.swapaxes(1, 2)
        return rotations

    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """Rotations seen in the plane between left and right; None where the rest pose is unknown."""
        if not layout.offsets:
            return None
        flip = np.ones(3)
        flip[_lateral(layout, partners)] = -1
        axes = rotation_matrix(np.array(layout.axes)) if layout.axes else np.tile(np.eye(3), (len(partners), 1, 1))
        columns = features[:, :-10].reshape(len(features), -1, 3, 2).astype(np.float64)
        rotations = np.concatenate([columns, np.cross(columns[..., 0], columns[..., 1])[..., None]], axis=3)
        own = np.empty_like(columns)
        for place, joint in enumerate(joints):
            other = partners[joint]
            turn = axes[joint].T @ np.diag(flip) @ axes[other]
            own[:, place] = (turn @ rotations[:, list(joints).index(other)] @ turn.T)[..., :2]
        # up and velocity are vectors; a turning rate is an axis, which a mirror turns the other way
        root = features[:, -10:] * np.concatenate([flip, [1], flip, -flip])
        return np.hstack([own.reshape(len(features), -1), root]).astype(np.float32)

    def _matrices_of(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """Raw frames (K, D) to (K, J, 3, 3)."""
        return self.matrices(frames[:, 3:].reshape(len(frames), len(layout.joints), len(self.rotation_columns)))


def _lateral(layout: Layout, partners: Sequence[int]) -> int:
    """The axis along which bones of both sides differ most at rest."""
    offsets = np.array(layout.offsets)
    return int(np.abs(offsets - offsets[list(partners)]).sum(axis=0).argmax())
