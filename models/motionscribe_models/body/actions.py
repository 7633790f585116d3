"""What a body plainly does, by rules of its motion that hold for every source: walk, or nothing that is sure.

In: features (n, 44) of the canonical body on an even grid, a second of them (body/follow.py): in its own axes and in
units of its size. Out: a name, or "". Thresholds were chosen on trials 01, 03 and 07 of CMU subject 86;
benchmarks/anybody/names.py measures names on other recordings.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.body.joints import SEEN

WINDOW_S = 1.0
"""About a stride."""
WALK = "walk"
ACTIONS = (WALK,)
"""A rule for running, which is faster and has flight, was right for .93 of the time: not often enough."""
SLOWEST, FASTEST = 0.25, 1.6
"""Sizes a second, forwards."""
STEP = 0.12
"""Sizes: the least spread of how far one ankle is before the other. Both feet leave the ground together in a jump."""
BOB = 0.1
"""Sizes a second: the spread of the pelvis' vertical speed. A run has flight, a walk has not: .03 and .15."""

_ANKLES = [3 * SEEN.index(f"{side}_ankle") + 2 for side in ("left", "right")]
_UPWARDS, _FORWARDS = 3 * len(SEEN) + 2, 3 * len(SEEN) + 3


def action_of(features: NDArray[np.floating]) -> str:
    """One of ACTIONS, or ""."""
    step = float(np.std(features[:, _ANKLES[0]] - features[:, _ANKLES[1]]))
    bob, forwards = float(np.std(features[:, _UPWARDS])), float(np.mean(features[:, _FORWARDS]))
    return WALK if step >= STEP and bob < BOB and SLOWEST <= forwards <= FASTEST else ""
