"""The layout of the canonical body's frames."""

from motionscribe_models.body.joints import JOINTS, PARENTS
from motionscribe_models.skeleton import Skeleton

BODY = Skeleton(
    name="body",
    joints=JOINTS,
    parents=tuple(JOINTS.index(PARENTS[joint]) if PARENTS[joint] else -1 for joint in JOINTS),
    representation="body",
    units="m",
    metres_per_unit=1.0,
    up_axis="y",
    rate_hz=30.0,
)
