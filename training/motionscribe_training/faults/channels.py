"""What a representation must be able to do for faults to be put into it.

Frames (n, D) float64 go in and are changed in place; n are the frames of the fault alone. Joints are indices.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_training.faults.anatomy import Anatomy, Limb


class Channels(ABC):
    """Frames of one skeleton, by joints."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy

    @abstractmethod
    def first(self, limb: Limb) -> int:
        """The joint by which a limb is named."""

    @abstractmethod
    def moving(self, limb: Limb) -> tuple[int, ...]:
        """The joints whose numbers say how a limb moves, the nearest to the trunk first."""

    @abstractmethod
    def whole(self, limb: Limb) -> tuple[int, ...]:
        """The joints whose numbers are exchanged where limbs are taken for each other."""

    @abstractmethod
    def turning(self) -> tuple[int, ...]:
        """Joints that can turn by themselves and be seen to."""

    @abstractmethod
    def turned_by(self, joint: int) -> tuple[int, ...]:
        """The joints whose numbers change when a joint turns, the most to blame first."""

    @abstractmethod
    def losable(self) -> tuple[int, ...]:
        """Joints of which a sensor may be lost."""

    @abstractmethod
    def numbers(self, frames: Array) -> Array:
        """A view (n, J, 3) of the joints' numbers."""

    @abstractmethod
    def turn(self, frames: Array, joint: int, vectors: Array) -> None:
        """Turns a joint by rotation vectors (n, 3), in the axes of the bone that it hangs on."""

    @abstractmethod
    def bend(self, frames: Array, joints: tuple[int, ...], rest: Callable[[Array], Array], share: Array) -> None:
        """Draws joints by a `share` (n,) of 0..1 to `rest` of their rotations or directions (n, len(joints), 3)."""

    @abstractmethod
    def spread(self, frames: Array, joints: tuple[int, ...]) -> float:
        """How much joints move, degrees: the root of their mean variance. NaN where a place is not known."""

    @abstractmethod
    def shows_loss(self, frames: Array, joint: int) -> bool:
        """True where it makes a difference that a joint is lost."""

    def known(self, frames: Array, joints: tuple[int, ...]) -> bool:
        """True where all numbers of joints are there."""
        return bool(np.isfinite(self.numbers(frames)[:, joints]).all())
