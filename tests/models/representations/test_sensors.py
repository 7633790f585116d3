"""What sensors say of raw frames, and which joint each is of, for every representation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.body.joints import JOINTS, SEEN
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.features import FeatureMap
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.representations.body import LENGTHS
from motionscribe_models.rotations import rotation_matrix
from motionscribe_models.skeleton import Skeleton, feature_skeleton

CHOSEN = tuple(range(2, 15))
SPACE, IMAGE = FeatureMap(BODY, CHOSEN), FeatureMap(BODY2D, CHOSEN)
RNG = np.random.default_rng(0)
PLACES = RNG.normal(size=(4, len(JOINTS), 3))


def body_frames(places: Array) -> Array:
    """(K, J, A) to raw frames, level."""
    return np.hstack([places.reshape(len(places), -1), np.ones((len(places), 1))])


def lengths_of(feature_map: FeatureMap, places: Array) -> Array:
    """The lengths alone, (K, len(LENGTHS))."""
    return feature_map.sensors(body_frames(places))[:, len(SEEN) :, 0]


def simple(representation: str) -> FeatureMap:
    """Three joints, of which the last two are chosen."""
    skeleton = Skeleton("chain", ("hip", "knee", "foot"), (-1, 0, 1), representation, "cm", 0.01, "y", 30.0)
    return FeatureMap(skeleton, (1, 2))


ALL = {
    **{name: simple(name) for name in ("expmap", "quaternion", "positions", "positions2d")},
    "features": FeatureMap(feature_skeleton("columns", ("a", "b", "c"), 30.0), (0, 2)),
    "body": SPACE,
    "body2d": IMAGE,
}


def test_all_representations_are_looked_at_here() -> None:
    assert ALL.keys() == REPRESENTATIONS.keys()


@pytest.mark.parametrize("name", ALL)
def test_each_sensor_is_of_one_of_the_chosen_joints(name: str) -> None:
    feature_map = ALL[name]
    sensors = feature_map.sensors(RNG.normal(size=(5, feature_map.skeleton.width)).astype(np.float32))
    assert sensors.shape[:2] == (5, len(feature_map.sensor_joints))
    assert sensors.dtype == np.float64
    assert set(feature_map.sensor_joints.tolist()) == set(feature_map.joints)


# -- the canonical body


def test_sensors_of_a_body_are_places_in_the_world_then_lengths() -> None:
    sensors = SPACE.sensors(body_frames(PLACES))
    assert np.array_equal(sensors[:, : len(SEEN)], PLACES[:, 2:])
    assert not sensors[:, len(SEEN) :, 1:].any(), "a length is one number"
    far = [f"{side}_{part}" if side else part for part, side, _, _ in LENGTHS]
    assert [JOINTS[joint] for joint in SPACE.sensor_joints] == [*SEEN, *far]


@pytest.mark.parametrize(("far_part", "far_side", "near_part", "near_side"), LENGTHS)
def test_a_length_is_from_its_near_end_to_its_far_end(
    far_part: str, far_side: str, near_part: str, near_side: str
) -> None:
    place = LENGTHS.index((far_part, far_side, near_part, near_side))
    far, near = (
        PLACES[:, JOINTS.index(f"{side}_{part}" if side else part)]
        for part, side in ((far_part, far_side), (near_part, near_side))
    )
    np.testing.assert_allclose(lengths_of(SPACE, PLACES)[:, place], np.linalg.norm(far - near, axis=1))


def test_lengths_stay_where_the_body_moves_rigidly() -> None:
    turn = rotation_matrix(np.array([0.4, -1.1, 0.7]))
    np.testing.assert_allclose(lengths_of(SPACE, PLACES @ turn + [3.0, 1.0, -2.0]), lengths_of(SPACE, PLACES))
    flat = PLACES[..., :2]
    np.testing.assert_allclose(lengths_of(IMAGE, flat + np.array([300.0, 20.0])), lengths_of(IMAGE, flat))


@pytest.mark.parametrize(
    ("joints", "about"),
    [
        (("left_elbow", "left_wrist"), "left_shoulder"),
        (("right_elbow", "right_wrist"), "right_shoulder"),
        (("left_knee", "left_ankle"), "left_hip"),
        (("right_knee", "right_ankle"), "right_hip"),
        (("head",), "neck"),
    ],
)
def test_lengths_change_where_a_limb_turns(joints: tuple[str, ...], about: str) -> None:
    """At least one of each limb's own, and none of the others'."""
    turned = PLACES.copy()
    own = [JOINTS.index(joint) for joint in joints]
    middle = PLACES[:, JOINTS.index(about), None]
    turned[:, own] = (PLACES[:, own] - middle) @ rotation_matrix(np.array([0.05, 0.1, -0.07])) + middle
    changed = np.abs(lengths_of(SPACE, turned) - lengths_of(SPACE, PLACES)).min(axis=0) > 1e-6
    of = SPACE.sensor_joints[len(SEEN) :]
    assert {int(joint) for joint in of[changed]} <= set(own)
    assert changed.any()


def test_a_joint_that_is_not_seen_makes_its_own_sensors_nan() -> None:
    places = PLACES.copy()
    places[:, JOINTS.index("left_wrist")] = np.nan
    lost = np.isnan(SPACE.sensors(body_frames(places))).any(axis=(0, 2))
    assert [JOINTS[joint] for joint in SPACE.sensor_joints[lost]] == ["left_wrist", "left_wrist"]


def test_sensors_of_a_body_in_an_image_are_flat() -> None:
    sensors = IMAGE.sensors(body_frames(PLACES[..., :2]))
    assert sensors.shape == (4, len(SEEN) + len(LENGTHS), 2)
    assert np.array_equal(sensors[:, : len(SEEN)], PLACES[:, 2:, :2])


def test_what_no_body_does_is_known_where_units_are() -> None:
    assert REPRESENTATIONS["body2d"].impossible == np.inf, "its unit may be any"
    assert 0 < REPRESENTATIONS["body"].impossible < np.inf


# -- others


def test_positions_are_in_metres_and_in_the_world() -> None:
    frames = np.arange(18.0).reshape(2, 9)
    assert np.allclose(simple("positions").sensors(frames), 0.01 * frames.reshape(2, 3, 3)[:, 1:])
    flat = np.arange(12.0).reshape(2, 6)
    assert np.allclose(simple("positions2d").sensors(flat), 0.01 * flat.reshape(2, 3, 2)[:, 1:])


def test_rotations_are_columns_of_a_matrix_which_have_no_jump() -> None:
    """Half a turn has two rotation vectors, and two quaternions each."""
    vectors = np.zeros((2, 12))
    vectors[0, 6], vectors[1, 6] = np.pi - 1e-6, -np.pi + 1e-6
    sensors = simple("expmap").sensors(vectors)
    assert sensors.shape == (2, 2, 6)
    np.testing.assert_allclose(sensors[0], sensors[1], atol=1e-5)
    np.testing.assert_allclose(sensors[0, 0].reshape(3, 2), rotation_matrix(vectors[0, 6:9])[:, :2], atol=1e-9)
    quaternions = np.zeros((2, 15))
    quaternions[:, 3::4] = 1
    quaternions[1] *= -1
    sensors = simple("quaternion").sensors(quaternions)
    np.testing.assert_allclose(sensors[0], sensors[1], atol=1e-12)


def test_rotations_say_nothing_of_the_place() -> None:
    frames = RNG.normal(size=(3, 12))
    moved = frames.copy()
    moved[:, :3] += 5
    assert np.array_equal(simple("expmap").sensors(moved), simple("expmap").sensors(frames))


def test_columns_are_their_own_sensors() -> None:
    frames: NDArray[np.float32] = RNG.normal(size=(3, 3)).astype(np.float32)
    assert np.array_equal(ALL["features"].sensors(frames)[..., 0], frames[:, [0, 2]])
