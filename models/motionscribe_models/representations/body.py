"""`body` and `body2d`: the places of 15 joints of a human body, whoever moves and whatever saw it (body/joints.py).

In space places are metres; in an image x and y, in any unit. y is up. NaN is a joint that was not seen. The last column
says 1 where y is truly vertical, 0 where it is the axis of a camera. Pelvis and neck are for pictures: they follow from
the others. A pose is the frame itself.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.body import follow
from motionscribe_models.body.joints import DERIVED, JOINTS, SEEN
from motionscribe_models.errors import LayoutError
from motionscribe_models.representations.base import Indices, Layout, Representation

LEVEL = "level"
LENGTHS = (
    *(("elbow", "left", "shoulder", "right"), ("elbow", "right", "shoulder", "left")),
    *(("wrist", "left", "shoulder", "left"), ("wrist", "right", "shoulder", "right")),
    *(("knee", "left", "hip", "right"), ("knee", "right", "hip", "left")),
    *(("ankle", "left", "hip", "left"), ("ankle", "right", "hip", "right")),
    *(("head", "", "hip", "left"), ("head", "", "hip", "right")),
)
"""Far end and near end of lengths that change whenever a limb moves: where its sensors stand still, they do too."""


def _index(part: str, side: str) -> int:
    return SEEN.index(f"{side}_{part}" if side else part)


_FAR = np.array([_index(part, side) for part, side, _, _ in LENGTHS])
_NEAR = np.array([_index(part, side) for _, _, part, side in LENGTHS])


class Body(Representation):
    """x y z per joint, then `level`."""

    axes: ClassVar[str] = "xyz"
    joint_features: ClassVar[tuple[str, ...]] = (".x", ".y", ".z")
    root_features: ClassVar[tuple[str, ...]] = ("root.height", "root.vx", "root.vy", "root.vz", "root.turning")
    rates: ClassVar[int] = 4
    mirror: ClassVar[tuple[int, ...]] = (1, -1, 1, 1, -1)
    """What becomes of the root's features in a mirror."""
    may_be_lost = True
    has_floor = True
    still = 2e-5
    impossible = 1000.0

    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        """`<joint>.x`, `.y`, `.z`, then `level`."""
        return (*(f"{joint}.{axis}" for joint in joints for axis in self.axes), LEVEL)

    def places(self, joints: int) -> range:
        """Every joint's."""
        return range(0, len(self.axes) * joints, len(self.axes))

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
        unseen: NDArray[np.bool_] = np.isnan(frames[:, :-1]).reshape(len(frames), joints, -1).any(axis=2)
        unseen[:, : len(DERIVED)] = False
        return unseen

    def moving_joints(self, spread: Array, joints: int) -> Indices:
        """All that sources supply."""
        return np.arange(len(DERIVED), joints)

    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """The chosen joints and `level`."""
        places = self._places(values)[:, joints]
        return np.hstack([places.reshape(len(values), -1), values[:, -1:]])

    def sensors(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """The place of each joint, and lengths that change whenever a limb moves, (K, n + len(LENGTHS), A)."""
        places = self._places(values).take(joints, axis=1)
        apart = places.take(_FAR, axis=1) - places.take(_NEAR, axis=1)
        found = np.zeros((len(places), len(joints) + len(LENGTHS), places.shape[2]))
        found[:, : len(joints)] = places
        np.sqrt(np.einsum("kla,kla->kl", apart, apart), out=found[:, len(joints) :, 0])
        return found

    def sensor_joints(self, joints: Indices) -> Indices:
        """Those of the places, then the far end of each of LENGTHS."""
        return np.concatenate([joints, joints[_FAR]])

    def follow(
        self, layout: Layout, memories: Sequence[Array], runs: Sequence[Array], period_s: float
    ) -> tuple[NDArray[np.float32], list[Array]]:
        """In the body's own axes and in units of its size (body/follow.py)."""
        order = np.argsort([-len(run) for run in runs], kind="stable")
        memory = np.stack([memories[run] if len(memories[run]) else follow.begin() for run in order])
        lengths = np.array([len(runs[run]) for run in order])
        starts = np.cumsum([0, *map(len, runs)])[order]
        poses = np.concatenate(runs)
        features = np.empty((len(poses), len(self.axes) * len(SEEN) + len(self.root_features)), np.float32)
        for frame in range(lengths[0]):
            rows = starts[: np.count_nonzero(lengths > frame)] + frame
            features[rows] = self._step(memory[: len(rows)], poses[rows], period_s)
        after = dict(zip(order.tolist(), memory, strict=True))
        return features, [after[run].copy() for run in range(len(runs))]

    def figure(self, layout: Layout, joints: Indices, features: NDArray[np.floating]) -> Array:
        """Of size 1, upright and facing along z, with the floor at y = 0 where the features know it."""
        seen = features[:, : len(self.axes) * len(SEEN)].reshape(len(features), len(SEEN), -1).astype(np.float64)
        if self.has_floor:
            seen[:, :, 1] += features[:, seen[0].size, None]
        hips, shoulders = (
            seen[:, [_index(part, "left"), _index(part, "right")]].mean(axis=1) for part in ("hip", "shoulder")
        )
        places = np.concatenate([hips[:, None], shoulders[:, None], seen], axis=1)
        return np.hstack([places.reshape(len(features), -1), np.ones((len(features), 1))])

    def joint_positions(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """The frames themselves, as (K, J, 3); places in an image lie in the plane z = 0."""
        return in_space(self._places(frames.astype(np.float64)))

    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Left and right exchanged, x and turning the other way round."""
        order = [list(joints).index(partners[joint]) for joint in joints]
        root, flip = len(self.root_features), np.ones(len(self.axes), np.float32)
        flip[0] = -1
        own = features[:, :-root].reshape(len(features), -1, len(flip))[:, order] * flip
        moving = features[:, -root:] * np.array(self.mirror, np.float32)
        return np.hstack([own.reshape(len(features), -1), moving])

    def _places(self, frames: Array) -> Array:
        return frames[:, :-1].reshape(len(frames), -1, len(self.axes))

    def _step(self, memory: Array, poses: Array, period_s: float) -> Array:
        return follow.step(memory, self._places(poses), poses[:, -1] > 0.5, period_s)


class ImageBody(Body):
    """x y per joint, then `level`. Nobody knows which way a body faces: its axes are the image's, levelled."""

    axes = "xy"
    joint_features = (".x", ".y")
    root_features = ("root.vx", "root.vy")
    rates = 2
    has_floor = False
    mirror = (-1, 1)
    impossible = math.inf

    def _step(self, memory: Array, poses: Array, period_s: float) -> Array:
        found = follow.step(memory, in_space(self._places(poses)), poses[:, -1] > 0.5, period_s, flat=True)
        joints = found[:, : 3 * len(SEEN)].reshape(len(poses), -1, 3)[..., :2]
        return np.hstack([joints.reshape(len(poses), -1), found[:, [-4, -3]]])


def in_space(places: Array) -> Array:
    """Places (..., 2) or (..., 3) as (..., 3)."""
    return np.pad(places, [(0, 0)] * (places.ndim - 1) + [(0, 3 - places.shape[-1])])
