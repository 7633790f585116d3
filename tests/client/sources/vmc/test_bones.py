"""Where joints are: local transforms along the bones that are sent."""

import math

import numpy as np
import pytest
from tests.client.sources.vmc.osc_bytes import LOCAL, PLACES, UPRIGHT

from motionscribe.sources.vmc.bones import HERE, PARENTS, Transform, places_of, skeleton_of
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.mapping import find_mapping

HALF = math.sqrt(0.5)
SENT: dict[str, Transform] = {name: (*place, *UPRIGHT) for name, place in LOCAL.items()}


def placed(sent: dict[str, Transform], root: Transform = HERE) -> dict[str, np.ndarray]:
    skeleton = skeleton_of(LOCAL)
    return dict(zip(skeleton.joints, places_of(skeleton, root, sent).reshape(-1, 3), strict=True))


def test_unity_has_55_bones_and_parents_come_first() -> None:
    order = ["", *PARENTS]
    assert len(PARENTS) == 55
    assert all(order.index(parent) < order.index(bone) for bone, parent in PARENTS.items())
    assert PARENTS["LeftRingDistal"] == "LeftRingIntermediate"
    assert PARENTS["RightThumbProximal"] == "RightHand"
    assert PARENTS["LeftShoulder"] == "UpperChest"


def test_bones_that_are_not_sent_are_passed_over() -> None:
    skeleton = skeleton_of(LOCAL)
    parents = {joint: skeleton.joints[parent] for joint, parent in zip(skeleton.joints, skeleton.parents, strict=True)}
    assert (parents["Neck"], parents["LeftUpperArm"], parents["LeftLowerArm"]) == ("Spine", "Spine", "LeftUpperArm")
    assert skeleton.parents[0] == -1
    assert skeleton.left_handed


def test_places_add_up_along_the_bones() -> None:
    found = placed(SENT)
    assert found.keys() == PLACES.keys()
    for joint, place in PLACES.items():
        np.testing.assert_allclose(found[joint], place, atol=1e-6, err_msg=joint)


def test_hips_that_turn_turn_the_legs_and_what_is_above() -> None:
    """A quarter about y: in Unity's axes, of a left hand, z goes to x and x to -z."""
    found = placed(SENT | {"Hips": (0, 1, 0, 0, HALF, 0, HALF)})
    np.testing.assert_allclose(found["LeftUpperLeg"], (0, 1, 0.1), atol=1e-6)
    np.testing.assert_allclose(found["LeftFoot"], (0, 0.2, 0.1), atol=1e-6)
    np.testing.assert_allclose(found["LeftLowerArm"], (0, 1.45, 0.5), atol=1e-6)


def test_a_thigh_that_is_lifted_lifts_shin_and_foot_alone() -> None:
    """A quarter about x: y goes to z, so that the leg, which points to -y, points to -z; the length is no matter."""
    found = placed(SENT | {"RightUpperLeg": (0.1, 0, 0, 3, 0, 0, 3)})
    np.testing.assert_allclose(found["RightLowerLeg"], (0.1, 1, -0.4), atol=1e-6)
    np.testing.assert_allclose(found["RightFoot"], (0.1, 1, -0.8), atol=1e-6)
    np.testing.assert_allclose(found["LeftFoot"], PLACES["LeftFoot"], atol=1e-6)


def test_the_root_carries_all() -> None:
    found = placed(SENT, (10, 0, 5, 0, 1, 0, 0))
    np.testing.assert_allclose(found["LeftFoot"], (10.1, 0.2, 5), atol=1e-6)


@pytest.mark.parametrize(
    "lost", [(math.nan,) * 7, (0, math.inf, 0, *UPRIGHT), (0, 0, 0, 0, 0, 0, 0), (0, 3e38, 0, *UPRIGHT)]
)
def test_what_hangs_on_a_bone_that_is_not_there_is_not_seen(lost: Transform) -> None:
    for sent in (SENT | {"LeftUpperLeg": lost}, {name: SENT[name] for name in SENT if name != "LeftUpperLeg"}):
        found = placed(sent)
        assert np.isnan([found["LeftLowerLeg"], found["LeftFoot"]]).all()
        assert np.isfinite([found[joint] for joint in found if not joint.startswith("Left")]).all()


def test_the_body_is_found_by_the_names() -> None:
    for bones in (LOCAL, PARENTS):
        mapping = find_mapping(skeleton_of(bones))
        missing = {"left_wrist", "right_wrist"} if bones is LOCAL else set()
        assert set(mapping.missing) == missing
    chosen = dict(zip(SEEN, mapping.sums, strict=True))
    wanted = {"left_elbow": "LeftLowerArm", "right_hip": "RightUpperLeg", "left_ankle": "LeftFoot"}
    assert {joint: chosen[joint][0][0][0] for joint in wanted} == wanted
    values = places_of(skeleton_of(LOCAL), HERE, SENT)
    body = find_mapping(skeleton_of(LOCAL)).apply(values[None])[0, :-1].reshape(-1, 3)
    np.testing.assert_allclose(body[0], (0, 1, 0), atol=1e-6)  # the pelvis
