"""The layouts of the canonical body's frames: in space, and in an image."""

from dataclasses import replace

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
BODY2D = replace(BODY, name="body2d", representation="body2d", units="any")
"""Pixels, or shares of the image."""
