"""Recordings as a mirror shows them: twice the motion to learn from, and no side that the network prefers.

In: features (m, F) of a layout whose joints are named left and right. Out: those of the mirrored body. Which joints are
a pair is found here, by their names; what a mirror does to numbers is the representation's matter.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.features import FeatureMap

SIDES = (("left", "right"), ("Left", "Right"), ("l", "r"), ("L", "R"))


def mirrored(features: NDArray[np.float32], feature_map: FeatureMap) -> NDArray[np.float32] | None:
    """(m, F) to (m, F). None where left and right cannot be told apart: no such names, or an unknown rest pose."""
    skeleton, joints = feature_map.skeleton, feature_map.joints
    partners = partners_of(skeleton.joints)
    paired = all(partners[joint] in joints for joint in joints)
    if not paired or partners == list(range(len(partners))):
        return None
    return feature_map.representation.mirrored(skeleton, joints, partners, features)


def partners_of(joints: tuple[str, ...]) -> list[int]:
    """For each joint the index of the one of the other side; its own where there is none."""
    numbers = {name: joint for joint, name in enumerate(joints)}
    partners = list(range(len(numbers)))
    for joint, name in enumerate(joints):
        for one, other in (*SIDES, *(side[::-1] for side in SIDES)):
            word = name.replace(one, other, 1) if len(one) > 1 else other + name[1:] if name.startswith(one) else name
            if word != name and word in numbers:
                partners[joint] = numbers[word]
                break
    return partners
