"""Whether a body can be one: knees that bend backwards betray a mirrored source, or left and right exchanged.

In: frames of BODY or BODY2D. Out: what is wrong, in words. A recording is judged as a whole; nothing is corrected.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.body.joints import JOINTS
from motionscribe_models.features import FeatureMap
from motionscribe_models.representations.base import NOTHING_BEFORE
from motionscribe_models.skeleton import Skeleton

BENT = 0.04
"""Share of the body's size by which a knee stands before the line from hip to ankle, of a leg that is bent."""
LEAST = 0.02
"""Share of the frames with a bent leg, without which nothing can be said."""
PIECE = 1000
"""Frames that are followed one by one; pieces go side by side, since an hour would take minutes otherwise."""
LONGER = 2.0
"""Times that a bone may seem longer than at other times: cameras err, but not so much."""


def find_faults(frames: NDArray[np.floating], body: Skeleton) -> list[str]:
    """What a person would see at once; empty for a body that is plausible. Of `body`, in an image, that is less."""
    if not np.isfinite(frames[:, :-1]).any():
        return ["nobody was seen in any frame"]
    feature_map = FeatureMap(body, tuple(range(2, len(JOINTS))))
    pieces = [feature_map.pose(frames[at : at + PIECE]) for at in range(0, len(frames), PIECE)]
    features, _ = feature_map.follow([NOTHING_BEFORE] * len(pieces), pieces, 1 / body.rate_hz)
    at = {name: features[:, place] for place, name in enumerate(feature_map.names)}
    faults = []
    if float(np.median(at["head.y"])) < 0:
        faults.append("the head is below the hips: is the up axis right?")
    if body.representation == "body2d":
        return faults  # bones change their length there, and nobody knows which way is forward
    places = frames[:, :-1].reshape(len(frames), -1, 3)
    for one, other in (("left_hip", "left_knee"), ("right_shoulder", "right_elbow")):
        bone = np.linalg.norm(places[:, JOINTS.index(one)] - places[:, JOINTS.index(other)], axis=1)
        bone = bone[np.isfinite(bone)]
        if len(bone) and np.quantile(bone, 0.9) > LONGER * np.quantile(bone, 0.1):
            faults.append(f"the bone from {one} to {other} changes its length: are these places?")
    ahead = np.concatenate(
        [at[f"{side}_knee.z"] - (at[f"{side}_hip.z"] + at[f"{side}_ankle.z"]) / 2 for side in ("left", "right")]
    )
    bent = ahead[np.abs(ahead) > BENT]
    if len(bent) > LEAST * len(ahead) and float((bent < 0).mean()) > 0.75:
        faults.append("the knees bend backwards: left and right are exchanged, or the axes are those of the other hand")
    return faults
