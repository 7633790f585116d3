"""Recordings as a mirror shows them: twice the motion to learn from, and no side that the network prefers.

In: features (m, F) of a layout whose joints are named left and right. Out: those of the mirrored body.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.features import FeatureMap
from motionscribe_models.rotations import rotation_matrix
from motionscribe_models.skeleton import Skeleton

SIDES = (("left", "right"), ("Left", "Right"), ("l", "r"), ("L", "R"))


def mirrored(features: NDArray[np.float32], feature_map: FeatureMap) -> NDArray[np.float32] | None:
    """(m, F) to (m, F). None where left and right cannot be told: no such names, or an unknown rest pose."""
    skeleton = feature_map.skeleton
    partners = partners_of(skeleton)
    joints = list(feature_map.joints)
    paired = all(partners[joint] in joints for joint in joints)
    if skeleton.representation == "features" or not paired or partners == list(range(len(partners))):
        return None
    if skeleton.representation == "positions":
        flip = np.ones(3)
        flip[0 if skeleton.up != 0 else 1] = -1  # any vertical mirror will do
        own = features[:, :-4].reshape(len(features), -1, 3)[:, [joints.index(partners[j]) for j in joints]] * flip
        rest = features[:, -4:] * np.concatenate([[1], flip])
        return np.hstack([own.reshape(len(features), -1), rest]).astype(np.float32)
    if not skeleton.offsets:
        return None
    flip = np.ones(3)
    flip[_lateral(skeleton, partners)] = -1
    axes = rotation_matrix(np.array(skeleton.axes)) if skeleton.axes else np.tile(np.eye(3), (len(partners), 1, 1))
    columns = features[:, :-10].reshape(len(features), -1, 3, 2).astype(np.float64)
    rotations = np.concatenate([columns, np.cross(columns[..., 0], columns[..., 1])[..., None]], axis=3)
    own = np.empty_like(columns)
    for place, joint in enumerate(joints):
        other = partners[joint]
        turn = axes[joint].T @ np.diag(flip) @ axes[other]
        own[:, place] = (turn @ rotations[:, joints.index(other)] @ turn.T)[..., :2]
    # up and velocity are vectors; a turning rate is an axis, which a mirror turns the other way
    rest = features[:, -10:] * np.concatenate([flip, [1], flip, -flip])
    return np.hstack([own.reshape(len(features), -1), rest]).astype(np.float32)


def partners_of(skeleton: Skeleton) -> list[int]:
    """For each joint that of the other side; itself where there is none."""
    names = {name: joint for joint, name in enumerate(skeleton.joints)}
    partners = list(range(len(names)))
    for joint, name in enumerate(skeleton.joints):
        for one, other in (*SIDES, *(side[::-1] for side in SIDES)):
            word = name.replace(one, other, 1) if len(one) > 1 else other + name[1:] if name.startswith(one) else name
            if word != name and word in names:
                partners[joint] = names[word]
                break
    return partners


def _lateral(skeleton: Skeleton, partners: list[int]) -> int:
    """The axis along which bones of both sides differ most at rest."""
    offsets = np.array(skeleton.offsets)
    return int(np.abs(offsets - offsets[partners]).sum(axis=0).argmax())
