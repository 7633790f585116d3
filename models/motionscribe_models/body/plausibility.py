"""Whether a body can be one: knees that bend backwards betray a mirrored source, or left and right exchanged.

In: frames of BODY. Out: what is wrong, in words. A recording is judged as a whole; nothing is corrected.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap

BENT = 0.04
"""Share of the body's size by which a knee stands before the line from hip to ankle, of a leg that is bent."""
LEAST = 0.02
"""Share of the frames with a bent leg, without which nothing can be said."""


def find_faults(frames: NDArray[np.floating]) -> list[str]:
    """What a person would see at once; empty for a body that is plausible."""
    feature_map = FeatureMap(BODY, tuple(range(2, len(JOINTS))))
    features = feature_map.features(feature_map.pose(frames), 1 / BODY.rate_hz)
    at = {name: features[:, place] for place, name in enumerate(feature_map.names)}
    faults = []
    if float(np.median(at["head.y"])) < 0:
        faults.append("the head is below the hips: is the up axis right?")
    ahead = np.concatenate(
        [at[f"{side}_knee.z"] - (at[f"{side}_hip.z"] + at[f"{side}_ankle.z"]) / 2 for side in ("left", "right")]
    )
    bent = ahead[np.abs(ahead) > BENT]
    if len(bent) > LEAST * len(ahead) and float((bent < 0).mean()) > 0.75:
        faults.append("the knees bend backwards: left and right are exchanged, or the axes are those of the other hand")
    return faults
