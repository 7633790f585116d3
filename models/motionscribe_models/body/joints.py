"""The canonical body: 13 joints that every source of whole bodies supplies, and two that follow from them.

Places are metres with y up, axes of a right hand. Toes, hands, spine and face are left out: cameras guess or lack them.
"""

DERIVED = ("pelvis", "neck")
"""The middle between the hips and between the shoulders."""
SEEN = (
    "head",
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
JOINTS = (*DERIVED, *SEEN)
PARENTS = {
    "pelvis": "",
    "neck": "pelvis",
    "head": "neck",
    **{
        f"{side}_{joint}": parent if parent in DERIVED else f"{side}_{parent}"
        for side in ("left", "right")
        for joint, parent in (
            *(("shoulder", "neck"), ("elbow", "shoulder"), ("wrist", "elbow")),
            *(("hip", "pelvis"), ("knee", "hip"), ("ankle", "knee")),
        )
    },
}
