"""What bodies look like on average: where joints are at rest, how long bones are, in metres of a body of size 1."""

import numpy as np

from motionscribe_models.body.joints import SEEN

_AT = {name: place for place, name in enumerate(SEEN)}
SIDES = [[_AT[f"{side}_{joint}"] for joint in ("shoulder", "hip", "ankle")] for side in ("left", "right")]
(L_SHOULDER, L_HIP, L_ANKLE), (R_SHOULDER, R_HIP, R_ANKLE) = SIDES
LEGS, ARMS = (
    [(_AT[f"{side}_{a}"], _AT[f"{side}_{b}"]) for side in ("left", "right") for a, b in bones]
    for bones in ((("hip", "knee"), ("knee", "ankle")), (("shoulder", "elbow"), ("elbow", "wrist")))
)
TRUNK = [L_SHOULDER, R_SHOULDER, L_HIP, R_HIP]
BONES = np.array([0.43, 0.36, 0.355, 0.36, 0.355, 0.25, 0.155, 0.25, 0.155])
"""Torso, thighs and shanks, upper arms and forearms: CMU's on average."""
TRUST = np.array([100.0 if "hip" in joint else 10.0 if "shoulder" in joint else 1.0 for joint in SEEN])
"""How much a joint that is seen says of where the pelvis is, when others are lost."""

REST = np.array(
    [
        (0.00, 0.53, 0.08),
        *((0.15, 0.41, 0.04), (-0.15, 0.41, 0.04)),
        *((0.20, 0.21, 0.04), (-0.20, 0.21, 0.04)),
        *((0.20, 0.12, 0.13), (-0.20, 0.12, 0.13)),
        *((0.07, 0.00, 0.00), (-0.07, 0.00, 0.00)),
        *((0.06, -0.32, 0.09), (-0.06, -0.32, 0.09)),
        *((0.06, -0.64, -0.02), (-0.06, -0.64, -0.02)),
    ]
)
"""(13, 3): what CMU's recordings show on average, size 1; x to the left, y up, z forward, from the pelvis."""
