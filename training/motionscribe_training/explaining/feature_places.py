"""Where the joints of made motion are: features turned back into places, for pictures.

In: features (T, F) of a canonical body, raw units. Out: places (T, J, 3) in the body's own axes: x to its left, y up,
z forward, in sizes of the body, over the floor. The body stays where it is, since features do not say where it goes.
"""

import numpy as np

from motionscribe_models.arrays import Array, Single
from motionscribe_models.body.joints import DERIVED, SEEN
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap
from motionscribe_models.representations.body import Body, in_space

_MIDDLES = {"pelvis": ("left_hip", "right_hip"), "neck": ("left_shoulder", "right_shoulder")}


def feature_places(feature_map: FeatureMap, features: Single) -> Array:
    """Places of the skeleton's joints. Raises LayoutError for features of rotations: no place follows from them."""
    kind = feature_map.representation
    if not isinstance(kind, Body):
        raise LayoutError(f"expected features of places of a body, got those of {feature_map.skeleton.representation}")
    axes, root = len(kind.joint_features), len(kind.root_features)
    seen = in_space(features[:, :-root].astype(np.float64).reshape(len(features), len(SEEN), axes))
    if kind.has_floor:
        seen[..., 1] += features[:, -root, None]
    derived = [sum(seen[:, SEEN.index(joint)] for joint in _MIDDLES[name]) / 2 for name in DERIVED]
    return np.concatenate([np.stack(derived, axis=1), seen], axis=1)
