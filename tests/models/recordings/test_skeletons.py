"""The layouts that are known: whole, symmetric, and true of real recordings."""

from pathlib import Path

import numpy as np
import pytest

from motionscribe_models.recordings import CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99, read_recording
from motionscribe_models.rotations import rotation_matrix
from motionscribe_models.skeleton import Skeleton


@pytest.mark.parametrize(
    ("skeleton", "width", "joints"), [(CMU_EXPMAP, 96, 31), (CMU_EXPMAP_117, 117, 38), (H36M_EXPMAP_99, 99, 32)]
)
def test_layouts_are_whole(skeleton: Skeleton, width: int, joints: int) -> None:
    assert skeleton.width == width
    assert len(set(skeleton.joints)) == len(skeleton.offsets) == joints
    assert len(set(skeleton.columns)) == width
    assert Skeleton.from_json(skeleton.to_json()) == skeleton


@pytest.mark.parametrize("skeleton", [CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99])
def test_layouts_are_symmetric(skeleton: Skeleton) -> None:
    pairs = [("lfemur", "rfemur"), ("lradius", "rradius"), ("LeftLeg", "RightLeg"), ("LThumb", "RThumb")]
    found = [(skeleton.joints.index(a), skeleton.joints.index(b)) for a, b in pairs if a in skeleton.joints]
    assert found
    for left, right in found:
        assert np.allclose(np.array(skeleton.offsets[left]) * (-1, 1, 1), skeleton.offsets[right])


@pytest.mark.data
@pytest.mark.parametrize("file", ["sub86/01.mat", "sub86/10.mat", "cmu8/walking_1.txt", "cmu8/running_2.txt"])
def test_up_axis_and_inversion_hold_on_people_who_walk_and_turn(data_dir: Path, file: str) -> None:
    recording = read_recording(data_dir / file)
    frames = recording.frames[1:500]  # the first frame of the 117 columns is a T pose
    metres = frames[:, :3] * recording.skeleton.metres_per_unit
    assert 0.8 < metres[:, recording.skeleton.up].mean() < 1.2
    reach = np.ptp(metres, axis=0)
    assert reach[recording.skeleton.up] < 0.3 < 1.5 < reach.max()
    stored = rotation_matrix(frames[:, 3:6])
    up_in_body = stored[:, :, recording.skeleton.up]
    assert recording.skeleton.inverted
    assert up_in_body.mean(axis=0)[1] > 0.95
    if file.startswith("sub86"):  # who turns: the wrong reading of the rotation wanders
        assert up_in_body.std(axis=0).max() < 0.5 * stored[:, recording.skeleton.up, :].std(axis=0).max()


@pytest.mark.data
def test_joints_of_117_columns_bend_where_their_names_say(data_dir: Path) -> None:
    files = sorted((data_dir / "cmu8").glob("*_1.txt"))
    spread = np.max([read_recording(file).frames[1:].std(axis=0) for file in files], axis=0)[3:].reshape(38, 3)
    of = {joint: spread[i] for i, joint in enumerate(CMU_EXPMAP_117.joints)}
    for joint, motion in of.items():
        if joint.endswith("Site") or joint in ("LHipJoint", "RHipJoint"):
            assert motion.max() < 1e-6, joint
    for side in ("Left", "Right"):
        assert of[f"{side}Arm"].min() > 0.2  # a shoulder turns every way
        assert of[f"{side}ForeArm"][1] > 0.2
        assert of[f"{side}ForeArm"][0] < 1e-5  # an elbow does not
        assert of[f"{side}Leg"][2] < 1e-5  # nor does a knee
        assert of[f"{side}Hand"][0] > 0.2
