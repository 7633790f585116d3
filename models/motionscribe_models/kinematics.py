"""Where the joints are: forward kinematics of a skeleton with known offsets, for pictures and plausibility checks.

Frames (K, D) go in, positions (K, J, 3) in the skeleton's units come out, in the recording's own world axes. In an
Acclaim skeleton a joint is a bone and its position is the bone's far end. Nothing of the network uses this.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_models.rotations import quaternion_matrix, rotation_matrix
from motionscribe_models.skeleton import Skeleton


def joint_positions(skeleton: Skeleton, frames: NDArray[np.floating]) -> NDArray[np.float64]:
    """Positions (K, J, 3). Raises LayoutError for a wrong width, and for rotations without offsets to turn."""
    if frames.ndim != 2 or frames.shape[1] != skeleton.width:
        raise LayoutError(f"{skeleton.name}: expected frames of {skeleton.width} columns, got shape {frames.shape}")
    if skeleton.representation == "positions":
        return frames.astype(np.float64).reshape(len(frames), -1, 3)
    if skeleton.representation == "features" or not skeleton.offsets:
        raise LayoutError(f"{skeleton.name}: expected a skeleton with offsets or positions, got neither")
    values = frames[:, 3:].reshape(len(frames), len(skeleton.joints), -1)
    rotations = rotation_matrix(values) if skeleton.representation == "expmap" else quaternion_matrix(values)
    if skeleton.inverted:
        rotations = rotations.swapaxes(2, 3)
    if skeleton.axes:
        axes = rotation_matrix(np.array(skeleton.axes))
        rotations = axes @ rotations @ axes.swapaxes(1, 2)
    offsets = np.array(skeleton.offsets)
    turned = rotations.copy()  # joint to world, (K, J, 3, 3)
    positions = np.zeros((len(frames), len(skeleton.joints), 3))
    for joint, parent in enumerate(skeleton.parents):
        if parent < 0:
            positions[:, joint] = frames[:, :3]
            continue
        turned[:, joint] = turned[:, parent] @ rotations[:, joint]
        turning = joint if skeleton.axes else parent
        positions[:, joint] = positions[:, parent] + turned[:, turning] @ offsets[joint]
    return positions
