"""Exponential maps: a joint's three numbers are its own rotation, and no other joint's numbers follow."""

from collections.abc import Callable

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.faults import spread_degrees
from motionscribe_models.rotations import rotation_matrix, rotation_vector
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.faults.anatomy import Limb, anatomy_of
from motionscribe_training.faults.channels import Channels

LEAST_TURN_DEG = 10.0
"""On average: a joint nearer than this to its zero rotation cannot drop out visibly."""


class Rotations(Channels):
    """Frames of an `expmap` skeleton. Raises TrainingError for one without the limbs of a body."""

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__(anatomy_of(skeleton))
        self._inverted = skeleton.inverted
        self._of_bones = bool(skeleton.axes)

    def first(self, limb: Limb) -> int:
        """Upper arm or thigh."""
        return self.moving(limb)[0]

    def moving(self, limb: Limb) -> tuple[int, ...]:
        """Acclaim's shoulder and hip are bones before the limb; elsewhere they are the joints that turn it."""
        return limb.below if self._of_bones else (limb.root, *limb.below)

    def whole(self, limb: Limb) -> tuple[int, ...]:
        """All that moves it."""
        return self.moving(limb)

    def turning(self) -> tuple[int, ...]:
        """Two joints of each limb, the lower spine and the neck."""
        limbs = [joint for limb in self.anatomy.limbs for joint in self.moving(limb)[:2]]
        spine = self.anatomy.path(self.anatomy.limbs[0].root)[1:2]
        neck = [] if self.anatomy.head is None else self.anatomy.path(self.anatomy.head)[-2:-1]
        return tuple(dict.fromkeys(limbs + spine + neck))

    def turned_by(self, joint: int) -> tuple[int, ...]:
        """Itself."""
        return (joint,)

    def losable(self) -> tuple[int, ...]:
        """Those that turn."""
        return self.turning()

    def numbers(self, frames: Array) -> Array:
        """Rotation vectors."""
        return frames[:, 3:].reshape(len(frames), -1, 3)

    def turn(self, frames: Array, joint: int, vectors: Array) -> None:
        """After the joint's own rotation."""
        own, sign = self.numbers(frames)[:, joint], -1 if self._inverted else 1
        own[:] = sign * rotation_vector(rotation_matrix(vectors) @ rotation_matrix(sign * own))

    def bend(self, frames: Array, joints: tuple[int, ...], rest: Callable[[Array], Array], share: Array) -> None:
        """Number by number: rotations of a limb stay far from half a turn."""
        numbers, weight = self.numbers(frames), share[:, None, None]
        own = numbers[:, joints]
        numbers[:, joints] = (1 - weight) * own + weight * rest(own)

    def spread(self, frames: Array, joints: tuple[int, ...]) -> float:
        """Of rotation vectors."""
        return spread_degrees(self.numbers(frames)[:, joints])

    def shows_loss(self, frames: Array, joint: int) -> bool:
        """Whether it is turned far enough from rotation 0."""
        turned = np.linalg.norm(self.numbers(frames)[:, joint], axis=1).mean()
        return bool(np.degrees(turned) >= LEAST_TURN_DEG)
