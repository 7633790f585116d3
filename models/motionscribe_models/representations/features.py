"""`features`: columns without a body, as from a machine. Each column is a feature as it is."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.normalisation import mean_and_scale
from motionscribe_models.representations.base import STILL, ByTwoPoses, Indices, Layout


class Features(ByTwoPoses):
    """One column per joint, J in all, whatever it is."""

    joint_features: ClassVar[tuple[str, ...]] = ("",)
    root_features = ()
    rates = 0
    has_levels = True

    def columns(self, joints: Sequence[str]) -> tuple[str, ...]:
        """The joints themselves."""
        return tuple(joints)

    def places(self, joints: int) -> range:
        """None."""
        return range(0)

    def moving_joints(self, spread: Array, joints: int) -> Indices:
        """Every column that varies; the first is no root."""
        return np.flatnonzero(spread > STILL)

    def pose(self, layout: Layout, joints: Indices, values: Array) -> Array:
        """The chosen columns."""
        return values[:, joints]

    def features(self, layout: Layout, poses: Array, before: Array, period_s: float) -> NDArray[np.float32]:
        """The pose as it is."""
        return poses.astype(np.float32)

    def normalisation(self, sequences: Sequence[NDArray[np.floating]]) -> tuple[Array, Array]:
        """A scale for each column: they need not have the same unit."""
        return mean_and_scale(sequences)

    def joint_positions(self, layout: Layout, frames: NDArray[np.floating]) -> Array:
        """Raises LayoutError."""
        raise LayoutError(f"{layout.name}: expected a skeleton with offsets or positions, got neither")

    def mirrored(
        self, layout: Layout, joints: Sequence[int], partners: Sequence[int], features: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """None: nobody knows what a mirror does to a column."""
        return None
