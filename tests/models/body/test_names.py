"""Joints of the canonical body are found by the names that devices and files give them."""

import pytest

from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.names import find_joints
from motionscribe_models.recordings import CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99

SIDED = "{0}Shoulder {0}Arm {0}ForeArm {0}Hand {0}UpLeg {0}Leg {0}Foot {0}ToeBase"
MIXAMO = f"Hips Spine Spine1 Spine2 Neck Head HeadTop_End {SIDED.format('Left')} {SIDED.format('Right')}"

SOURCES: dict[str, tuple[str, dict[str, str]]] = {
    "COCO-17": (
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
        "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
        {"head": "left_ear right_ear", "left_wrist": "left_wrist", "right_hip": "right_hip"},
    ),
    "BODY_25": (
        "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip LKnee LAnkle "
        "REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel",
        {"head": "LEar REar", "left_shoulder": "LShoulder", "right_ankle": "RAnkle", "left_hip": "LHip"},
    ),
    "Human3.6M": (
        "Hip RHip RKnee RFoot LHip LKnee LFoot Spine Thorax Neck/Nose Head LShoulder LElbow LWrist RShoulder "
        "RElbow RWrist",
        {"head": "Neck/Nose Head", "right_ankle": "RFoot", "left_hip": "LHip"},
    ),
    "Mixamo": (
        " ".join(f"mixamorig:{name}" for name in MIXAMO.split()),
        {
            "head": "mixamorig:Head mixamorig:HeadTop_End",
            "left_shoulder": "mixamorig:LeftArm",
            "right_wrist": "mixamorig:RightHand",
            "left_ankle": "mixamorig:LeftFoot",
        },
    ),
    "Kinect v2": (
        "SpineBase SpineMid Neck Head ShoulderLeft ElbowLeft WristLeft HandLeft ShoulderRight ElbowRight "
        "WristRight HandRight HipLeft KneeLeft AnkleLeft FootLeft HipRight KneeRight AnkleRight FootRight "
        "SpineShoulder",
        {"head": "Head", "left_wrist": "WristLeft", "right_ankle": "AnkleRight"},
    ),
    "Azure Kinect": (
        "PELVIS NECK CLAVICLE_LEFT SHOULDER_LEFT ELBOW_LEFT WRIST_LEFT HAND_LEFT CLAVICLE_RIGHT "
        "SHOULDER_RIGHT ELBOW_RIGHT WRIST_RIGHT HIP_LEFT KNEE_LEFT ANKLE_LEFT FOOT_LEFT HIP_RIGHT KNEE_RIGHT "
        "ANKLE_RIGHT HEAD NOSE EAR_LEFT EAR_RIGHT",
        {"head": "EAR_LEFT EAR_RIGHT", "left_shoulder": "SHOULDER_LEFT", "right_ankle": "ANKLE_RIGHT"},
    ),
    "Xsens": (
        "Pelvis L5 L3 T12 T8 Neck Head RightShoulder RightUpperArm RightForeArm RightHand LeftShoulder "
        "LeftUpperArm LeftForeArm LeftHand RightUpperLeg RightLowerLeg RightFoot RightToe LeftUpperLeg "
        "LeftLowerLeg LeftFoot LeftToe",
        {"head": "Head Neck", "left_shoulder": "LeftUpperArm", "right_knee": "RightLowerLeg"},
    ),
    "VMC": (
        "Hips Spine Chest Neck Head LeftShoulder LeftUpperArm LeftLowerArm LeftHand RightShoulder "
        "RightUpperArm RightLowerArm RightHand LeftUpperLeg LeftLowerLeg LeftFoot RightUpperLeg RightLowerLeg "
        "RightFoot",
        {"head": "Head Neck", "left_elbow": "LeftLowerArm"},
    ),
    "Bandai-Namco": (
        "joint_Root Hips Spine Chest Neck Head Shoulder_L UpperArm_L LowerArm_L Hand_L Shoulder_R UpperArm_R "
        "LowerArm_R Hand_R UpperLeg_L LowerLeg_L Foot_L Toes_L UpperLeg_R LowerLeg_R Foot_R Toes_R",
        {"head": "Head Neck", "left_shoulder": "UpperArm_L", "right_ankle": "Foot_R"},
    ),
    "OptiTrack": (
        "Hip Ab Chest Neck Head LShoulder LUArm LFArm LHand RShoulder RUArm RFArm RHand LThigh LShin LFoot "
        "LToe RThigh RShin RFoot RToe",
        {"left_shoulder": "LUArm", "left_hip": "LThigh", "right_knee": "RShin"},
    ),
    "SMPL": (
        "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 left_foot "
        "right_foot neck left_collar right_collar head left_shoulder right_shoulder left_elbow right_elbow "
        "left_wrist right_wrist",
        {"head": "head", "left_ankle": "left_ankle"},
    ),
    "Plug-in Gait": (
        "LFHD RFHD LBHD RBHD C7 T10 CLAV STRN LSHO LUPA LELB LWRA LWRB LFIN RSHO RUPA RELB RWRA RWRB RFIN "
        "LASI RASI LPSI RPSI LTHI LKNE LTIB LANK LHEE LTOE RTHI RKNE RTIB RANK RHEE RTOE",
        {"head": "LFHD RFHD LBHD RBHD", "left_wrist": "LWRA LWRB", "left_hip": "LASI LPSI LKNE"},
    ),
    "IOR": (
        "L_IAS L_IPS R_IPS R_IAS SNJ SXS TV8 CV7 L_HDF L_HDB R_HDB R_HDF L_FTC L_FLE L_FME L_FAX L_TTC L_FAL L_TAM "
        "L_FCC L_FM1 L_FM5 R_FTC R_FLE R_FME R_FAX R_TTC R_FAL R_TAM R_FCC R_FM1 R_FM5 L_HM5 L_HM2 L_UHE L_RSP L_HLE "
        "L_HME R_HM5 R_HM2 R_UHE R_RSP R_HLE R_HME L_SAJ R_SAJ",
        {"left_knee": "L_FLE L_FME", "right_ankle": "R_FAL R_TAM", "left_hip": "L_IAS L_IPS L_FLE L_FME"},
    ),
    "CMU Acclaim": (
        " ".join(CMU_EXPMAP.joints),
        {"head": "upperneck head", "left_shoulder": "lclavicle", "right_ankle": "rtibia", "left_hip": "lhipjoint"},
    ),
    "CMU by BVH": (" ".join(CMU_EXPMAP_117.joints), {"head": "Head HeadSite", "left_hip": "LeftUpLeg"}),
    "Human3.6M by rotations": (" ".join(H36M_EXPMAP_99.joints), {"head": "Head HeadSite", "left_elbow": "LeftForeArm"}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_whole_body_is_found(source: str) -> None:
    names, expected = SOURCES[source]
    _, found = find_joints(names.split())
    assert set(found) == set(SEEN)
    for joint, sources in expected.items():
        assert " ".join(name for name, _ in found[joint][0]) == sources, joint
    for sums in found.values():
        for terms in sums:
            assert sum(weight for _, weight in terms) == pytest.approx(1)


@pytest.mark.parametrize("source", SOURCES)
def test_no_joint_changes_sides(source: str) -> None:
    """Whoever takes the left joints of a source for the right ones gets a body that walks backwards."""
    names, _ = SOURCES[source]
    _, found = find_joints(names.split())
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        left, right = ({name for name, _ in found[f"{side}_{part}"][0]} for side in ("left", "right"))
        assert not left & right
        for name in left:
            assert name.lower().replace("right", "").count("l") > name.lower().replace("left", "x").count("right")


def test_a_machine_has_no_body() -> None:
    _, found = find_joints(["Pressure", "Temperature", "Voltage", "Volume Flow RateRMS"])
    assert not found
