"""`quaternion`: w x y z of each joint, of any length above 0."""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.representations.joint_rotations import JointRotations
from motionscribe_models.rotations import quaternion_length, quaternion_matrix


class Quaternion(JointRotations):
    """Root tx ty tz, then w x y z per joint: 3 + 4 J columns."""

    rotation_columns = ("qw", "qx", "qy", "qz")

    def check(self, frames: NDArray[np.floating]) -> None:
        """Raises LayoutError for a quaternion of length 0."""
        quaternion_length(frames[:, 3:].reshape(len(frames), -1, 4))

    def matrices(self, rotations: NDArray[np.floating]) -> Array:
        """Quaternions (..., 4) to (..., 3, 3). Raises LayoutError for length 0."""
        return quaternion_matrix(rotations)
