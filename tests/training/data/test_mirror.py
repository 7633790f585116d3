"""Mirrored motion: twice mirrored it is itself, and the mirrored body stands where a mirror shows it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionscribe.demo.performer import perform
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import CMU_EXPMAP
from motionscribe_models.skeleton import Skeleton, feature_skeleton
from motionscribe_training.data.mirror import mirrored, partners_of

WAVE = perform([("walk", 3.0), ("wave", 3.0), ("punch", 3.0)], seed=2).recording
EVERY = tuple(range(1, len(CMU_EXPMAP.joints)))


def places(frames: np.ndarray) -> tuple[np.ndarray, Skeleton]:
    """Frames (n, D) of CMU_EXPMAP as joint positions, seen from a root that does not move or turn."""
    still = frames.copy()
    still[:, :6] = 0
    skeleton = replace(
        CMU_EXPMAP, name="places", representation="positions", inverted=False, offsets=(), axes=(), metres_per_unit=1.0
    )
    return joint_positions(CMU_EXPMAP, still).reshape(len(frames), -1), skeleton


@pytest.mark.parametrize("representation", ["expmap", "positions"])
def test_twice_mirrored_is_the_same(representation: str) -> None:
    frames, skeleton = (WAVE.frames, CMU_EXPMAP) if representation == "expmap" else places(WAVE.frames)
    feature_map = FeatureMap(skeleton, EVERY)
    features = recording_features(feature_map, frames, WAVE.timestamps_us, 30.0)
    once = mirrored(features, feature_map)
    assert once is not None
    assert once.dtype == np.float32
    assert np.abs(once - features).max() > 0.5
    again = mirrored(once, feature_map)
    assert again is not None
    np.testing.assert_allclose(again, features, atol=1e-5)


def test_rotations_and_places_have_the_same_mirror_image() -> None:
    """Mirrored rotations, put on the skeleton, stand where the mirrored joints do."""
    frames = WAVE.frames[60:61].astype(np.float64)
    there, skeleton = places(frames)
    joints = FeatureMap(CMU_EXPMAP, EVERY)
    features = joints.features(joints.pose(frames), 1 / 30)
    image = mirrored(features, joints)
    assert image is not None
    columns = image[0, :-10].reshape(-1, 3, 2).astype(np.float64)
    rotations = np.concatenate([columns, np.cross(columns[..., 0], columns[..., 1])[..., None]], axis=2)
    posed = np.zeros_like(frames)
    posed[0, 6:] = Rotation.from_matrix(rotations).as_rotvec().ravel()
    expected = there.reshape(-1, 3)[partners_of(skeleton.joints)] * [-1, 1, 1]
    np.testing.assert_allclose(joint_positions(CMU_EXPMAP, posed)[0], expected, atol=1e-4)


def test_left_and_right_are_partners() -> None:
    names = [CMU_EXPMAP.joints[partner] for partner in partners_of(CMU_EXPMAP.joints)]
    pairs = dict(zip(CMU_EXPMAP.joints, names, strict=True))
    assert (pairs["lfemur"], pairs["rfemur"], pairs["lowerback"]) == ("rfemur", "lfemur", "lowerback")
    plain = Skeleton("two", ("Hips", "LeftArm", "RightArm"), (-1, 0, 0), "positions", "m", 1.0, "y", 30.0)
    assert partners_of(plain.joints) == [0, 2, 1]


def test_what_has_no_sides_has_no_mirror_image() -> None:
    columns = feature_skeleton("machine", ("left", "right"), 30.0)
    assert mirrored(np.zeros((3, 2), np.float32), FeatureMap(columns, (0, 1))) is None
    one_side = FeatureMap(CMU_EXPMAP, (1, 2))
    assert mirrored(np.zeros((3, one_side.width), np.float32), one_side) is None
    unknown = FeatureMap(replace(CMU_EXPMAP, offsets=(), axes=()), EVERY)
    assert mirrored(np.zeros((3, unknown.width), np.float32), unknown) is None
