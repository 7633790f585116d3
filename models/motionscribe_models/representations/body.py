"""`body`: the places of 15 joints of a human body, whoever moves and whatever saw it (body/joints.py).

Places are metres, y up; NaN is a joint that was not seen. The last column says 1 where y is truly vertical, 0 where it
is the axis of a camera. Pelvis and neck are for pictures: they follow from the others. A pose is the frame itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.body import follow
from motionscribe_models.body.joints import DERIVED, JOINTS, SEEN
from motionscribe_models.errors import LayoutError
from motionscribe_models.representations.base import Indices, Layout, Representation

LEVEL = "level"


class Body(Representation):
    """x y z per joint, then `level`."""

    joint_features = (".x", ".y", ".z")
    root_features = ("root.height", "root.vx", "root.vy", "root.vz", "root.turning")
    rates = 4
    may_be_lost = True

    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        """`<joint>.x`, `.y`, `.z`, then `level`."""
        return (*(f"{joint}.{axis}" for joint in joints for axis in "xyz"), LEVEL)

    def places(self, joints: int) -> range:
        """Every joint's."""
        return range(0, 3 * joints, 3)

    def check_joints(self, joints: Sequence[str]) -> None:
        """They are those of the canonical body."""
        if tuple(joints) != JOINTS:
            raise LayoutError(
                f"expected the joints {', '.join(JOINTS)} of the canonical body, got {', '.join(joints[:20])}"
            )

    def check_chosen(self, joints: Sequence[int]) -> None:
        """They are all that sources supply."""
        if list(joints) != list(range(len(DERIVED), len(JOINTS))):
            raise LayoutError(f"expected features of all joints of the canonical body, got those of {tuple(joints)}")

    def shows(self, frames: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Those in which a joint was seen."""
        seen: NDArray[np.bool_] = np.isfinite(frames[:, :-1]).any(axis=1)
        return seen

    def unseen(self, frames: NDArray[np.floating], joints: int) -> NDArray[np.bool_]:
        """NaN; nothing is said of those that follow from others."""
        unseen: NDArray[np.bool_] = np.isnan(frames[:, :-1]).reshape(len(frames), joints, 3).any(axis=2)
        unseen[:, : len(DERIVED)] = False
        return unseen

    def moving_joints(self, spread: Array, joints: int) -> Indices:
        """All that sources supply."""
        return np.arange(len(DERIVED), joints)

    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """The chosen joints and `level`."""
        places = values[:, :-1].reshape(len(values), -1, 3)[:, joints]
        return np.hstack([places.reshape(len(values), -1), values[:, -1:]])

    def follow(
        self, layout: Layout, memories: Sequence[Array], runs: Sequence[Array], period_s: float
    ) -> tuple[NDArray[np.float32], list[Array]]:
        """In the body's own axes and in units of its size (body/follow.py)."""
        order = np.argsort([-len(run) for run in runs], kind="stable")
        memory = np.stack([memories[run] if len(memories[run]) else follow.begin() for run in order])
        lengths = np.array([len(runs[run]) for run in order])
        starts = np.cumsum([0, *map(len, runs)])[order]
        poses = np.concatenate(runs)
        features = np.empty((len(poses), 3 * len(SEEN) + len(self.root_features)), np.float32)
        for frame in range(lengths[0]):
            rows = starts[: np.count_nonzero(lengths > frame)] + frame
            places = poses[rows, :-1].reshape(len(rows), -1, 3)
            features[rows] = follow.step(memory[: len(rows)], places, poses[rows, -1] > 0.5, period_s)
        after = dict(zip(order.tolist(), memory, strict=True))
        return features, [after[run].copy() for run in range(len(runs))]

    def joint_positions(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """The frames themselves, as (K, J, 3)."""
        return frames[:, :-1].astype(np.float64).reshape(len(frames), -1, 3)

    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Left and right exchanged, x and turning the other way round."""
        order = [list(joints).index(partners[joint]) for joint in joints]
        root = len(self.root_features)
        own = features[:, :-root].reshape(len(features), -1, 3)[:, order] * np.array([-1, 1, 1], np.float32)
        moving = features[:, -root:] * np.array([1, -1, 1, 1, -1], np.float32)
        return np.hstack([own.reshape(len(features), -1), moving])
