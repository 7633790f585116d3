"""`expmap`: rotation vectors ("exponential maps"), axis times angle in radians, as in the CMU and Human3.6M sets."""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.representations.joint_rotations import JointRotations
from motionscribe_models.rotations import rotation_matrix


class Expmap(JointRotations):
    """Root tx ty tz, then three per joint: 3 + 3 J columns."""

    rotation_columns = ("ex", "ey", "ez")

    def matrices(self, rotations: NDArray[np.floating]) -> Array:
        """Rotation vectors (..., 3) to (..., 3, 3)."""
        return rotation_matrix(rotations)
