"""Frames of any skeleton become those of the canonical body: places, axes, sides, units, and what was not seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import JOINTS, SEEN
from motionscribe_models.body.mapping import find_mapping, mapped
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import LayoutError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import CMU_EXPMAP, H36M_EXPMAP_99, Recording, read_recording
from motionscribe_models.skeleton import UPRIGHT, Skeleton, feature_skeleton

CAMERA = Skeleton(
    "camera", ("nose", "left_ear", "right_ear", *SEEN[1:]), (-1,) * 15, "positions", "mm", 0.001, "y", 30.0
)
WALK = perform([("walk", 4.0)], seed=1).recording


def places_of(frames: np.ndarray) -> np.ndarray:
    return frames[:, :-1].reshape(len(frames), -1, 3)


def seen_by(camera: Skeleton, seed: int = 0, frames: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(1000, 300, (frames, camera.width)).astype(np.float32)


def test_joints_of_a_camera_are_where_it_saw_them() -> None:
    frames = seen_by(CAMERA)
    body = places_of(find_mapping(CAMERA).apply(frames))
    seen = frames.reshape(5, -1, 3) / 1000
    np.testing.assert_allclose(
        body[:, JOINTS.index("left_wrist")], seen[:, CAMERA.joints.index("left_wrist")], rtol=1e-5
    )
    np.testing.assert_allclose(body[:, JOINTS.index("head")], seen[:, 1:3].mean(axis=1), rtol=1e-5)
    for middle, part in (("pelvis", "hip"), ("neck", "shoulder")):
        sides = [CAMERA.joints.index(f"{side}_{part}") for side in ("left", "right")]
        np.testing.assert_allclose(body[:, JOINTS.index(middle)], seen[:, sides].mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("lost", ["nan", "zero", "confidence", "no confidence"])
def test_a_joint_that_was_not_seen_has_no_place(lost: str) -> None:
    frames, wrist = seen_by(CAMERA), CAMERA.joints.index("left_wrist")
    confidences = np.ones((5, len(CAMERA.joints)), np.float32)
    if lost.endswith("confidence"):
        confidences[2, wrist] = 0.2 if lost == "confidence" else np.nan
    else:
        frames[2, 3 * wrist : 3 * wrist + 3] = np.nan if lost == "nan" else 0.0
    body = places_of(find_mapping(CAMERA).apply(frames, confidences))
    expected = np.zeros((5, len(JOINTS)), bool)
    expected[2, JOINTS.index("left_wrist")] = True
    np.testing.assert_array_equal(np.isnan(body).any(axis=2), expected)


def test_where_an_ear_is_hidden_the_nose_stands_for_the_head() -> None:
    frames = seen_by(CAMERA)
    frames[3, 3:6] = np.nan
    head = places_of(find_mapping(CAMERA).apply(frames))[:, JOINTS.index("head")]
    np.testing.assert_allclose(head[3], frames[3, :3] / 1000, rtol=1e-5)
    np.testing.assert_allclose(head[2], frames[2, 3:9].reshape(2, 3).mean(axis=0) / 1000, rtol=1e-5)


@pytest.mark.parametrize("up_axis", UPRIGHT)
@pytest.mark.parametrize("left_handed", [False, True])
def test_whatever_axis_is_up_the_body_is_the_same(up_axis: str, left_handed: bool) -> None:
    """But for where it stands and which way it faces; and left stays left."""
    plain = mapped(WALK)
    positions = joint_positions(WALK.skeleton, WALK.frames) * WALK.skeleton.metres_per_unit
    turn = np.array(UPRIGHT[up_axis], float).T  # from y up to this axis
    turned = positions @ turn.T
    if left_handed:
        level = next(axis for axis in range(3) if axis != "xyz".index(up_axis[-1]))
        turned[..., level] *= -1
    skeleton = replace(
        WALK.skeleton, representation="positions", metres_per_unit=1.0, up_axis=up_axis, left_handed=left_handed
    )
    frames = turned.reshape(len(turned), -1).astype(np.float32)
    body = places_of(mapped(Recording("turned", frames, WALK.timestamps_us, skeleton)).frames)
    expected = places_of(plain.frames)
    np.testing.assert_allclose(body[..., 1], expected[..., 1], atol=1e-4)
    rotation, _ = Rotation.align_vectors(expected[0] - expected[0, 0], body[0] - body[0, 0])
    np.testing.assert_allclose(rotation.apply(body[7] - body[7, 0]), expected[7] - expected[7, 0], atol=1e-3)


def test_rotations_go_through_their_bones() -> None:
    body = places_of(mapped(WALK).frames)
    positions = joint_positions(CMU_EXPMAP, WALK.frames) * CMU_EXPMAP.metres_per_unit
    ankle = CMU_EXPMAP.joints.index("ltibia")
    np.testing.assert_allclose(body[:, JOINTS.index("left_ankle")], positions[:, ankle], atol=1e-5)


@pytest.mark.parametrize("confident", [False, True])
def test_a_long_recording_is_mapped_in_pieces_as_at_once(monkeypatch: pytest.MonkeyPatch, confident: bool) -> None:
    recording = perform([("walk", 4.0)], seed=1).recording
    if confident:
        body = mapped(recording)
        places = body.frames[:, :-1].reshape(len(body.frames), len(JOINTS), 3)
        skeleton = Skeleton("rig", JOINTS, (-1,) * len(JOINTS), "positions", "m", 1.0, "y", body.skeleton.rate_hz)
        sure = np.random.default_rng(0).random(places.shape[:2]).astype(np.float32)
        recording = Recording("rig", places.reshape(len(places), -1), body.timestamps_us, skeleton, confidences=sure)
    at_once = mapped(recording).frames
    monkeypatch.setattr("motionscribe_models.body.mapping.PIECE", 100)
    np.testing.assert_array_equal(mapped(recording).frames, at_once)


@given(st.lists(st.sampled_from(["nan", "inf", "zero", "value"]), min_size=45, max_size=45))
def test_whatever_comes_is_a_place_or_none(kinds: list[str]) -> None:
    values = {"nan": np.nan, "inf": np.inf, "zero": 0.0, "value": 700.0}
    frame = np.array([[values[kind] for kind in kinds]], np.float32)
    body = find_mapping(CAMERA).apply(frame)
    assert body.shape == (1, BODY.width)
    places = places_of(body)[0]
    assert (np.isfinite(places) == np.isfinite(places).all(axis=1, keepdims=True)).all()


def test_what_has_no_body_is_refused_with_what_it_has() -> None:
    with pytest.raises(LayoutError, match=r"camera: expected a body with .*, found no left_knee, right_knee among"):
        find_mapping(replace(CAMERA, joints=tuple(name.replace("knee", "thing") for name in CAMERA.joints)))
    with pytest.raises(LayoutError, match="expected joints of a body, got columns that are none: torque, heat"):
        find_mapping(feature_skeleton("rig", ("torque", "heat"), 1.0))
    with pytest.raises(LayoutError, match="expected rotations with offsets"):
        find_mapping(replace(H36M_EXPMAP_99, offsets=()))


@pytest.mark.parametrize(("joint", "lost"), [("lfingers", []), ("lwrist", []), ("lradius", ["left_wrist"])])
def test_a_rotation_of_no_length_loses_what_it_turns_and_no_more(joint: str, lost: list[str]) -> None:
    """In Acclaim a joint is a bone: it turns its own end."""
    turning = replace(CMU_EXPMAP, representation="quaternion", inverted=False)
    frames = np.zeros((4, turning.width), np.float32)
    frames[:, 3::4] = 1.0
    whole = places_of(find_mapping(turning).apply(frames))
    frames[2, 3 + 4 * turning.joints.index(joint) :][:4] = 0.0
    hurt = places_of(find_mapping(turning).apply(frames))
    gone = np.isnan(hurt).any(axis=2)
    assert [JOINTS[place] for place in np.flatnonzero(gone[2])] == lost
    np.testing.assert_array_equal(hurt[~gone], whole[~gone])


def test_a_sum_of_joints_far_apart_is_no_place() -> None:
    ears = [CAMERA.joints.index(name) for name in ("left_ear", "right_ear")]
    camera = replace(CAMERA, joints=tuple({"left_ear": "neck", "right_ear": "head"}.get(n, n) for n in CAMERA.joints))
    frame = seen_by(CAMERA, frames=1)
    frame.reshape(-1, 3)[ears] = [[-2500e3, 0, 0], [2500e3, 0, 0]]
    found = places_of(find_mapping(camera).apply(frame))[0]
    assert np.nanmax(np.abs(found)) < 3000


def test_actors_and_joints_without_end_are_looked_at_no_longer() -> None:
    many = replace(CAMERA, joints=tuple(f"a{n}:x" for n in range(5000)), parents=(-1,) * 5000)
    with pytest.raises(LayoutError, match="expected a body among at most 4096 joints, got 5000"):
        find_mapping(many)
    actors = (*(f"a{n}:x" for n in range(1000)), *CAMERA.joints)
    with pytest.raises(LayoutError, match="found no left_shoulder"):
        find_mapping(replace(CAMERA, joints=actors, parents=(-1,) * len(actors)))


def test_a_mapping_can_be_read() -> None:
    lines = find_mapping(CAMERA).describe()
    assert lines[0] == "head: 0.5 left_ear + 0.5 right_ear, else nose"
    assert lines[1] == "left_shoulder: left_shoulder"
    without = replace(CAMERA, joints=tuple(name.replace("left_wrist", "tool") for name in CAMERA.joints))
    assert "left_wrist: not there" in find_mapping(without).describe()
    assert find_mapping(without).missing == ("left_wrist",)


@pytest.mark.data
def test_two_forms_of_one_laboratorys_recordings_are_the_same_body(data_dir: Path) -> None:
    for path in ("sub86/01.mat", "cmu8/walking_1.txt"):
        body = places_of(mapped(read_recording(data_dir / path)).frames)
        at = {joint: body[:, place] for place, joint in enumerate(JOINTS)}
        thigh = np.linalg.norm(at["left_hip"] - at["left_knee"], axis=1)
        assert 0.35 < thigh.mean() < 0.5
        assert at["head"][:, 1].mean() > at["pelvis"][:, 1].mean() > at["left_knee"][:, 1].mean() > 0.2
