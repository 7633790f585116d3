"""Bones of a human in Unity: which hangs on which, and where the joints are that local transforms say.

In: a transform for each bone, relative to the nearest ancestor that is sent. Out: places of joints. The names are those
of https://docs.unity3d.com/ScriptReference/HumanBodyBones.html; a bone's joint is where it begins. Pure.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.moments import ANY_RATE_HZ
from motionscribe_models.recordings.places import METRE, places_skeleton
from motionscribe_models.rotations import TINY, quaternion_matrix
from motionscribe_models.skeleton import Skeleton

Transform = tuple[float, ...]
"""Seven numbers: place x y z in metres, rotation as a quaternion x y z w, both in the axes of the parent."""
HERE: Transform = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
FARTHEST = 1e6
"""Metres; what is farther is no place, and not seen."""


def _parents() -> dict[str, str]:
    parents = {"Hips": "", "Spine": "Hips", "Chest": "Spine", "UpperChest": "Chest", "Neck": "UpperChest"}
    parents |= {"Head": "Neck", "LeftEye": "Head", "RightEye": "Head", "Jaw": "Head"}
    for side in ("Left", "Right"):
        arm = ["UpperChest", *(side + part for part in ("Shoulder", "UpperArm", "LowerArm", "Hand"))]
        leg = ["Hips", *(side + part for part in ("UpperLeg", "LowerLeg", "Foot", "Toes"))]
        fingers = [
            [arm[-1], *(side + finger + part for part in ("Proximal", "Intermediate", "Distal"))]
            for finger in ("Thumb", "Index", "Middle", "Ring", "Little")
        ]
        for chain in (arm, leg, *fingers):
            parents |= dict(zip(chain[1:], chain[:-1], strict=True))
    return parents


PARENTS = _parents()
"""Each bone and what it hangs on, empty for the root; parents come before their children."""


def skeleton_of(bones: Collection[str]) -> Skeleton:
    """The joints of these bones, of which some may be missing between others: places in Unity's axes."""
    joints = tuple(bone for bone in PARENTS if bone in bones)
    parents = [_parent(bone, joints) for bone in joints]
    return replace(places_skeleton("VMC", joints, METRE, "y", ANY_RATE_HZ, parents), left_handed=True)


def _parent(bone: str, joints: tuple[str, ...]) -> int:
    """Index of the nearest ancestor that is there, -1 where none is."""
    above = PARENTS[bone]
    while above and above not in joints:
        above = PARENTS[above]
    return joints.index(above) if above else -1


def places_of(skeleton: Skeleton, root: Transform, bones: Mapping[str, Transform]) -> NDArray[np.float32]:
    """(3 * J,) of a skeleton made by skeleton_of; NaN for a joint that is not sent, and for those that hang on it."""
    lost = (np.nan,) * len(HERE)
    local = np.array([root, *(bones.get(joint, lost) for joint in skeleton.joints)], np.float64)
    local[~(np.abs(local) < FARTHEST)] = np.nan
    quaternions = local[:, [6, 3, 4, 5]]
    quaternions[np.linalg.norm(quaternions, axis=1) < TINY] = np.nan
    turns = quaternion_matrix(quaternions)
    places = local[:, :3].copy()
    for row, parent in enumerate(skeleton.parents, 1):
        places[row] = places[parent + 1] + turns[parent + 1] @ places[row]
        turns[row] = turns[parent + 1] @ turns[row]
    return places[1:].astype(np.float32).reshape(-1)
