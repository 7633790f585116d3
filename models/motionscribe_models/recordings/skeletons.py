"""Layouts of the public sets of exponential maps: CMU (96 and 117 columns) and Human3.6M (99 columns).

Numbers are those of one adult of each set, rounded and made symmetric: enough for a picture, and nothing else reads
them. In all three y is up and the stored rotations are inverted (they map the parent's axes to the joint's).
"""

from collections.abc import Sequence

import numpy as np

from motionscribe_models.rotations import euler_vector
from motionscribe_models.skeleton import Skeleton

Vector = tuple[float, float, float]

CMU_METRES = 0.0254 / 0.45
"""One unit of an Acclaim file with `length 0.45` is 1 / 0.45 inch."""

_NONE: Vector = (0.0, 0.0, 0.0)
_DOWN: Vector = (-90.0, 0.0, 20.0)
_ARM: Vector = (180.0, -30.0, -90.0)
_HAND: Vector = (0.0, 90.0, 90.0)

# bone, parent, vector along the bone at rest (arms out, legs apart), its axes at rest in degrees about x, y, z;
# from CMU subject 86. A row that begins with "l" stands for a mirrored "r" row too.
_LEG: tuple[tuple[str, str, Vector, Vector], ...] = (
    ("lhipjoint", "root", (1.5, -2.0, 0.5), _NONE),
    ("lfemur", "lhipjoint", (2.8, -7.8, 0.0), (0.0, 0.0, 20.0)),
    ("ltibia", "lfemur", (2.6, -7.2, 0.0), (0.0, 0.0, 20.0)),
    ("lfoot", "ltibia", (0.1, -0.3, 2.0), _DOWN),
    ("ltoes", "lfoot", (0.0, 0.0, 1.0), _DOWN),
)
_TRUNK: tuple[tuple[str, str, Vector, Vector], ...] = (
    ("lowerback", "root", (0.0, 2.1, 0.1), _NONE),
    ("upperback", "lowerback", (0.0, 2.1, -0.1), _NONE),
    ("thorax", "upperback", (0.0, 2.1, -0.1), _NONE),
    ("lowerneck", "thorax", (0.0, 1.5, 0.2), _NONE),
    ("upperneck", "lowerneck", (0.0, 1.5, -0.3), _NONE),
    ("head", "upperneck", (0.0, 1.6, -0.1), _NONE),
)
_UPPER_LIMB: tuple[tuple[str, str, Vector, Vector], ...] = (
    ("lclavicle", "thorax", (3.1, 0.9, -0.3), _NONE),
    ("lhumerus", "lclavicle", (5.8, 0.0, 0.0), _ARM),
    ("lradius", "lhumerus", (3.3, 0.0, 0.0), _ARM),
    ("lwrist", "lradius", (1.6, 0.0, 0.0), _HAND),
    ("lhand", "lwrist", (0.6, 0.0, 0.0), _HAND),
    ("lfingers", "lhand", (0.5, 0.0, 0.0), _HAND),
    ("lthumb", "lwrist", (0.5, 0.0, 0.5), (-90.0, 45.0, 0.0)),
)


def _right(bone: tuple[str, str, Vector, Vector]) -> tuple[str, str, Vector, Vector]:
    name, parent, (x, y, z), (ax, ay, az) = bone
    return "r" + name[1:], "r" + parent[1:] if parent[0] == "l" else parent, (-x, y, z), (ax, -ay, -az)


_BONES = (
    ("root", "", _NONE, _NONE),
    *_LEG,
    *map(_right, _LEG),
    *_TRUNK,
    *_UPPER_LIMB,
    *map(_right, _UPPER_LIMB),
)


def acclaim_skeleton(
    name: str,
    bones: Sequence[tuple[str, str, Vector, Vector]],
    metres_per_unit: float,
    rate_hz: float,
    orders: Sequence[str] = (),
) -> Skeleton:
    """A skeleton of Acclaim bones (name, parent, vector in units, axes in degrees), the root first, parent "".

    `orders` says for each bone about which axis its axes are turned first, "xyz" for all where there are none.
    """
    names = [bone[0] for bone in bones]
    turned = np.array(orders or ["xyz"] * len(bones))
    degrees, axes = np.array([bone[3] for bone in bones]), np.empty((len(bones), 3))
    for order in set(turned.tolist()):
        axes[turned == order] = euler_vector(degrees[turned == order], order)
    return Skeleton(
        name=name,
        joints=tuple(names),
        parents=tuple(names.index(bone[1]) if bone[1] else -1 for bone in bones),
        representation="expmap",
        units=f"{metres_per_unit:.5f} m",
        metres_per_unit=metres_per_unit,
        up_axis="y",
        rate_hz=rate_hz,
        inverted=True,
        offsets=tuple(bone[2] for bone in bones),
        axes=tuple((float(x), float(y), float(z)) for x, y, z in axes),
    )


CMU_EXPMAP = acclaim_skeleton("cmu-expmap", _BONES, CMU_METRES, 120.0)
"""96 columns: the 31 bones of every CMU Acclaim skeleton in its order; rotations without the bones' own axes."""

_VECTOR = {"": _NONE, **{name: vector for name, _, vector, _ in _BONES}}

# joint, parent, the CMU bone whose far end is this joint ("" for a joint in its parent's place)
_BVH_LEG = (
    ("LHipJoint", "Hips", ""),
    ("LeftUpLeg", "LHipJoint", "lhipjoint"),
    ("LeftLeg", "LeftUpLeg", "lfemur"),
    ("LeftFoot", "LeftLeg", "ltibia"),
    ("LeftToeBase", "LeftFoot", "lfoot"),
    ("LeftToeSite", "LeftToeBase", "ltoes"),
)
_BVH_TRUNK = (
    ("LowerBack", "Hips", ""),
    ("Spine", "LowerBack", "lowerback"),
    ("Spine1", "Spine", "upperback"),
    ("Neck", "Spine1", "thorax"),
    ("Neck1", "Neck", "lowerneck"),
    ("Head", "Neck1", "upperneck"),
    ("HeadSite", "Head", "head"),
)
_BVH_ARM = (
    ("LeftShoulder", "Spine1", "thorax"),
    ("LeftArm", "LeftShoulder", "lclavicle"),
    ("LeftForeArm", "LeftArm", "lhumerus"),
    ("LeftHand", "LeftForeArm", "lradius"),
    ("LeftFingerBase", "LeftHand", "lwrist"),
    ("LeftHandIndex1", "LeftFingerBase", "lhand"),
    ("LeftHandSite", "LeftHandIndex1", "lfingers"),
    ("LThumb", "LeftHand", "lwrist"),
    ("LThumbSite", "LThumb", "lthumb"),
)


def _bvh_right(joint: tuple[str, str, str]) -> tuple[str, str, str]:
    name, parent, bone = (
        word.replace("Left", "Right").replace("LHip", "RHip").replace("LThumb", "RThumb") for word in joint
    )
    mirrored = "r" + bone[1:]
    return name, parent, mirrored if mirrored in _VECTOR else bone


_BVH = (
    ("Hips", "", ""),
    *_BVH_LEG,
    *map(_bvh_right, _BVH_LEG),
    *_BVH_TRUNK,
    *_BVH_ARM,
    *map(_bvh_right, _BVH_ARM),
)

BVH_NAMES = {"root": "Hips", **{bone: parent for _, parent, bone in _BVH if bone}}
"""Bone of CMU -> the joint that turns it, as BVH files of its motions call it."""

CMU_EXPMAP_117 = Skeleton(
    name="cmu-expmap-117",
    joints=tuple(joint[0] for joint in _BVH),
    parents=tuple([joint[0] for joint in _BVH].index(parent) if parent else -1 for _, parent, _ in _BVH),
    representation="expmap",
    units=f"{CMU_METRES:.5f} m",
    metres_per_unit=CMU_METRES,
    up_axis="y",
    rate_hz=120.0,
    inverted=True,
    offsets=tuple(_VECTOR[bone] for _, _, bone in _BVH),
)
"""117 columns: CMU by way of BVH, 38 joints with their end sites, which never turn. The first frame of a file of the
set is a T pose. Joint names by which columns move, and how, in eight actions."""

# joint, parent, vector from the parent in mm, for subject 1 of Human3.6M
_H36M: tuple[tuple[str, str, Vector], ...] = (
    ("Hips", "", _NONE),
    ("RightUpLeg", "Hips", (-133.0, 0.0, 0.0)),
    ("RightLeg", "RightUpLeg", (0.0, -443.0, 0.0)),
    ("RightFoot", "RightLeg", (0.0, -454.0, 0.0)),
    ("RightToeBase", "RightFoot", (0.0, 0.0, 163.0)),
    ("RightToeSite", "RightToeBase", (0.0, 0.0, 75.0)),
    ("LeftUpLeg", "Hips", (133.0, 0.0, 0.0)),
    ("LeftLeg", "LeftUpLeg", (0.0, -443.0, 0.0)),
    ("LeftFoot", "LeftLeg", (0.0, -454.0, 0.0)),
    ("LeftToeBase", "LeftFoot", (0.0, 0.0, 163.0)),
    ("LeftToeSite", "LeftToeBase", (0.0, 0.0, 75.0)),
    ("Spine", "Hips", _NONE),
    ("Spine1", "Spine", (0.0, 233.0, 0.0)),
    ("Neck", "Spine1", (0.0, 257.0, 0.0)),
    ("Head", "Neck", (0.0, 121.0, 0.0)),
    ("HeadSite", "Head", (0.0, 115.0, 0.0)),
    ("LeftShoulder", "Spine1", (0.0, 257.0, 0.0)),
    ("LeftArm", "LeftShoulder", (0.0, 151.0, 0.0)),
    ("LeftForeArm", "LeftArm", (0.0, 279.0, 0.0)),
    ("LeftHand", "LeftForeArm", (0.0, 252.0, 0.0)),
    ("LeftHandThumb", "LeftHand", _NONE),
    ("LeftThumbSite", "LeftHandThumb", (0.0, 0.0, 100.0)),
    ("LeftWristEnd", "LeftHand", (0.0, 100.0, 0.0)),
    ("LeftHandSite", "LeftWristEnd", _NONE),
    ("RightShoulder", "Spine1", (0.0, 257.0, 0.0)),
    ("RightArm", "RightShoulder", (0.0, 151.0, 0.0)),
    ("RightForeArm", "RightArm", (0.0, 279.0, 0.0)),
    ("RightHand", "RightForeArm", (0.0, 252.0, 0.0)),
    ("RightHandThumb", "RightHand", _NONE),
    ("RightThumbSite", "RightHandThumb", (0.0, 0.0, 100.0)),
    ("RightWristEnd", "RightHand", (0.0, 100.0, 0.0)),
    ("RightHandSite", "RightWristEnd", _NONE),
)

H36M_EXPMAP_99 = Skeleton(
    name="h36m-expmap-99",
    joints=tuple(joint[0] for joint in _H36M),
    parents=tuple([joint[0] for joint in _H36M].index(parent) if parent else -1 for _, parent, _ in _H36M),
    representation="expmap",
    units="mm",
    metres_per_unit=0.001,
    up_axis="y",
    rate_hz=50.0,
    inverted=True,
    offsets=tuple(vector for _, _, vector in _H36M),
)
"""99 columns: Human3.6M as prepared for recurrent networks, after `expmap_csv` has added up its root's increments."""
