"""Where the joints are, for pictures and plausibility checks. Nothing of the network uses this.

In: raw frames (K, D). Out: positions (K, J, 3) in the skeleton's units and in the recording's own world axes. In an
Acclaim skeleton a joint is a bone and its position is the bone's far end.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.skeleton import Skeleton


def joint_positions(skeleton: Skeleton, frames: NDArray[np.floating]) -> NDArray[np.float64]:
    """Positions (K, J, 3). Raises LayoutError for a wrong width, and for rotations without offsets to turn."""
    skeleton.check_width(frames)
    return REPRESENTATIONS[skeleton.representation].joint_positions(skeleton, frames)
