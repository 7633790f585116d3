"""Places of joints: a joint that turns takes along all that hangs on it, and bones keep their lengths.

Directions and axes are those of the trunk, which hips and shoulders show, so that a fault moves with the body.
"""

from collections.abc import Callable

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.faults import spread_degrees
from motionscribe_models.rotations import TINY, orthonormal, rotation_matrix
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.faults.anatomy import Limb, anatomy_of
from motionscribe_training.faults.channels import Channels


class Places(Channels):
    """Frames of a `positions` or `body` skeleton. Raises TrainingError for one without the limbs of a body."""

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__(anatomy_of(skeleton))
        self._count = len(skeleton.joints)

    @property
    def trunk(self) -> tuple[int, ...]:
        """Left and right shoulder, left and right hip."""
        return tuple(limb.root for limb in self.anatomy.limbs)

    def first(self, limb: Limb) -> int:
        """Shoulder or hip."""
        return limb.root

    def moving(self, limb: Limb) -> tuple[int, ...]:
        """All below shoulder or hip, which belong to the trunk."""
        return limb.below

    def whole(self, limb: Limb) -> tuple[int, ...]:
        """Shoulder or hip too: who takes the left arm for the right one sees it there from the shoulder on."""
        return (limb.root, *limb.below)

    def turning(self) -> tuple[int, ...]:
        """Shoulders, elbows, hips, knees, and what the head hangs on."""
        limbs = [joint for limb in self.anatomy.limbs for joint in (limb.root, limb.below[0])]
        neck = [] if self.anatomy.head is None else self.anatomy.path(self.anatomy.head)[-2:-1]
        return tuple(dict.fromkeys(limbs + neck))

    def turned_by(self, joint: int) -> tuple[int, ...]:
        """All that hangs on it: its own place does not change."""
        return self.anatomy.below(joint)

    def losable(self) -> tuple[int, ...]:
        """Two joints of each limb, and the head."""
        limbs = [joint for limb in self.anatomy.limbs for joint in limb.below[:2]]
        return tuple(limbs if self.anatomy.head is None else [*limbs, self.anatomy.head])

    def numbers(self, frames: Array) -> Array:
        """Places; the column `level` of a body stays outside."""
        return frames[:, : 3 * self._count].reshape(len(frames), -1, 3)

    def turn(self, frames: Array, joint: int, vectors: Array) -> None:
        """Turns all that hangs on the joint about its place."""
        places, below = self.numbers(frames), self.turned_by(joint)
        bone = self._bone(places, joint)
        turns = bone @ rotation_matrix(vectors) @ bone.swapaxes(1, 2)
        centre = places[:, [joint]]
        places[:, below] = centre + (places[:, below] - centre) @ turns.swapaxes(1, 2)

    def bend(self, frames: Array, joints: tuple[int, ...], rest: Callable[[Array], Array], share: Array) -> None:
        """Turns each bone to its rest direction, from the trunk outwards."""
        places, weight = self.numbers(frames), share[:, None, None]
        trunk = self._trunk(places)
        bones = self._bones(places, joints)
        own = _unit(bones @ trunk)
        directions = _unit((1 - weight) * own + weight * rest(own)) @ trunk.swapaxes(1, 2)
        lengths = np.linalg.norm(bones, axis=2)
        for place, joint in enumerate(joints):
            places[:, joint] = places[:, self.anatomy.parents[joint]] + lengths[:, [place]] * directions[:, place]

    def spread(self, frames: Array, joints: tuple[int, ...]) -> float:
        """Of the directions of bones."""
        places = self.numbers(frames)
        return spread_degrees(_unit(self._bones(places, joints) @ self._trunk(places)))

    def shows_loss(self, frames: Array, joint: int) -> bool:
        """Whether it was seen."""
        return self.known(frames, (joint,))

    def known(self, frames: Array, joints: tuple[int, ...]) -> bool:
        """The trunk's places too: directions are its."""
        return super().known(frames, (*self.trunk, *joints))

    def _bones(self, places: Array, joints: tuple[int, ...]) -> Array:
        """Vectors (n, len(joints), 3) from their parents to joints."""
        return places[:, joints] - places[:, [self.anatomy.parents[joint] for joint in joints]]

    def _trunk(self, places: Array) -> Array:
        """(n, 3, 3), from the trunk's axes left, up and forward to those of the places."""
        shoulders, hips = places[:, self.trunk[:2]], places[:, self.trunk[2:]]
        left, up = hips[:, 0] - hips[:, 1], shoulders.mean(axis=1) - hips.mean(axis=1)
        return orthonormal(np.stack([left, up, up], axis=2))

    def _bone(self, places: Array, joint: int) -> Array:
        """(n, 3, 3), axes of the bone that leads to a joint: those of the trunk, turned as the bone is in it."""
        trunk = self._trunk(places)
        if self.anatomy.parents[joint] < 0:
            return trunk
        direction = _unit(self._bones(places, (joint,)) @ trunk)[:, 0]
        middle = _unit(direction.mean(axis=0))
        axis, cosine = np.cross(middle, direction), direction @ middle
        sine = np.linalg.norm(axis, axis=1)
        return trunk @ rotation_matrix(_unit(axis) * np.arctan2(sine, cosine)[:, None])


def _unit(vectors: Array) -> Array:
    """Vectors (..., 3) of length 1, but those of length 0."""
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), TINY)
    return unit
