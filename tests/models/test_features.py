"""Features do not depend on where a performer stands or faces, or in what pieces they came."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe.demo.performer import perform
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap, moving_joints, recording_features
from motionscribe_models.normalisation import ROOT_SHARE, SMALLEST
from motionscribe_models.recordings import CMU_EXPMAP, read_recording
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.representations.base import FASTEST, NOTHING_BEFORE
from motionscribe_models.rotations import rotation_matrix, rotation_vector
from motionscribe_models.skeleton import Skeleton, feature_skeleton

PERIOD = 1 / 30


def body(representation: str = "expmap", inverted: bool = False, up: str = "y") -> Skeleton:
    if representation in ("body", "body2d"):
        return BODY if representation == "body" else BODY2D
    return Skeleton("body", ("hip", "knee", "head"), (-1, 0, 0), representation, "cm", 0.01, up, 30.0, inverted)


def quaternions(vectors: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) to w x y z (..., 4)."""
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.concatenate([np.cos(angle / 2), np.sinc(angle / 2 / np.pi) / 2 * vectors], axis=-1)


def frames_of(skeleton: Skeleton, place: np.ndarray, root: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Raw frames of places (K, 3) in metres, root matrices (K, 3, 3) body to world, and vectors (K, 2, 3)."""
    stored = rotation_vector(root.swapaxes(1, 2) if skeleton.inverted else root)
    vectors = np.concatenate([stored[:, None], others], axis=1)
    rotations = quaternions(vectors) if skeleton.representation == "quaternion" else vectors
    return np.hstack([place / skeleton.metres_per_unit, rotations.reshape(len(place), -1)])


def about(axis: int, angles: np.ndarray) -> np.ndarray:
    """Matrices (K, 3, 3) that turn by angles (K,) about a world axis."""
    return rotation_matrix(np.eye(3)[axis] * np.atleast_1d(angles)[:, None])


def smooth(seed: int, frames: int, columns: int, size: float) -> np.ndarray:
    """Slow waves (frames, columns) of about `size`."""
    rng = np.random.default_rng(seed)
    phase, rate = rng.uniform(0, 6, columns), rng.uniform(0.2, 1.0, columns)
    return size * np.sin(phase + rate * 2 * np.pi * np.arange(frames)[:, None] * PERIOD)


def compute(skeleton: Skeleton, frames: np.ndarray) -> np.ndarray:
    feature_map = FeatureMap(skeleton, (1, 2))
    poses = feature_map.pose(frames)
    return feature_map.features(poses, PERIOD)


turned_bodies = st.builds(body, st.sampled_from(["expmap", "quaternion"]), st.booleans(), st.sampled_from("xyz"))


@given(turned_bodies, st.integers(0, 99), st.floats(-3.1, 3.1), st.floats(-50, 50), st.floats(-50, 50))
def test_turning_about_the_up_axis_and_moving_on_the_floor_change_nothing(
    skeleton: Skeleton, seed: int, turn: float, ahead: float, aside: float
) -> None:
    place, lean, others = smooth(seed, 20, 3, 0.5), smooth(seed + 1, 20, 3, 0.6), smooth(seed + 2, 20, 6, 0.8)
    root, others = rotation_matrix(lean), others.reshape(20, 2, 3)
    still = compute(skeleton, frames_of(skeleton, place, root, others))
    turning = about(skeleton.up, np.full(20, turn))
    floor = np.insert([ahead, aside], skeleton.up, 0.0)
    moved = np.einsum("kij,kj->ki", turning, place) + floor
    there = compute(skeleton, frames_of(skeleton, moved, turning @ root, others))
    np.testing.assert_allclose(there, still, atol=2e-5)


@pytest.mark.parametrize("up", "xyz")
@pytest.mark.parametrize("inverted", [True, False])
def test_leaning_and_lifting_are_seen(up: str, inverted: bool) -> None:
    skeleton = body(inverted=inverted, up=up)
    place, others = np.zeros((5, 3)), np.zeros((5, 2, 3))
    names = FeatureMap(skeleton, (1, 2)).names
    upright = compute(skeleton, frames_of(skeleton, place, np.tile(np.eye(3), (5, 1, 1)), others))
    side = (skeleton.up + 1) % 3
    lean = about(side, np.full(5, 0.3))
    lifted = place + 1.5 * np.eye(3)[skeleton.up]
    leaning = compute(skeleton, frames_of(skeleton, lifted, lean, others))
    ups = [names.index(f"root.up{a}") for a in "xyz"]
    np.testing.assert_allclose(upright[0, ups], np.eye(3)[skeleton.up], atol=1e-6)
    # the world's up as the leaning body sees it
    np.testing.assert_allclose(leaning[0, ups], np.linalg.inv(lean[0]) @ np.eye(3)[skeleton.up], atol=1e-6)
    height = names.index("root.height")
    assert upright[0, height] == 0
    assert leaning[0, height] == pytest.approx(1.5)


@given(st.integers(0, 99), st.lists(st.floats(-50, 50), min_size=3, max_size=3))
def test_positions_are_relative_to_the_root_but_for_its_height(seed: int, shift: list[float]) -> None:
    skeleton = body("positions")
    frames = smooth(seed, 10, 9, 80.0)
    moved = frames + np.tile(shift, 3)
    here, there = compute(skeleton, frames), compute(skeleton, moved)
    height = FeatureMap(skeleton, (1, 2)).names.index("root.height")
    np.testing.assert_allclose(np.delete(there, height, 1), np.delete(here, height, 1), atol=1e-4)
    np.testing.assert_allclose(there[:, height] - here[:, height], 0.01 * shift[1], atol=1e-5)


@pytest.mark.parametrize("representation", ["expmap", "quaternion"])
@pytest.mark.parametrize("inverted", [True, False])
def test_speeds_are_in_metres_and_radians_a_second_of_the_body(representation: str, inverted: bool) -> None:
    """Walks a circle: the body sees a constant speed ahead (its z) and a constant turn about its y."""
    skeleton = body(representation, inverted)
    speed, turn = 1.4, 0.7
    times = np.arange(30) * PERIOD
    heading = 0.4 + turn * times
    radius = speed / turn
    place = np.stack([-radius * np.cos(heading), np.full(30, 0.9), radius * np.sin(heading)], axis=1)
    features = compute(skeleton, frames_of(skeleton, place, about(1, heading), np.zeros((30, 2, 3))))
    root = dict(zip(FeatureMap(skeleton, (1, 2)).names, features.T, strict=True))
    assert root["root.vz"][1:] == pytest.approx(speed, rel=1e-3)
    assert root["root.vx"][1:] == pytest.approx(0, abs=0.02)
    assert root["root.wy"][1:] == pytest.approx(turn, rel=1e-4)
    for still in ("root.vy", "root.wx", "root.wz"):
        assert root[still] == pytest.approx(0, abs=1e-4)
    assert root["root.height"] == pytest.approx(0.9)


def test_speeds_beyond_a_persons_are_clipped() -> None:
    skeleton = body()
    place = np.zeros((4, 3))
    place[2:, 0] = 50.0
    spin = about(1, np.array([0.0, 0.0, 3.0, 0.0]))
    features = compute(skeleton, frames_of(skeleton, place, spin, np.zeros((4, 2, 3))))
    assert np.abs(features[:, -6:]).max() == FASTEST
    assert features[2, FeatureMap(skeleton, (1, 2)).names.index("root.wy")] == FASTEST


def test_the_first_frame_after_a_restart_has_no_speed() -> None:
    frames = np.random.default_rng(0).normal(size=(3, body().width))
    assert (compute(body(), frames)[0, -6:] == 0).all()


def test_a_root_that_flips_over_between_two_frames_has_features_all_the_same() -> None:
    """Half way between opposite rotations lies none; trackers do take front for back."""
    for axis in range(3):
        flip = np.zeros((2, 15))
        flip[0, 3] = flip[:, 7] = flip[:, 11] = flip[1, 4 + axis] = 1.0
        features = recording_features(
            FeatureMap(body("quaternion"), (1, 2)), flip, np.array([0, 200_000], np.int64), 10.0
        )
        assert features.shape == (3, 22)
        assert np.isfinite(features).all()


@given(st.integers(0, 99), st.integers(1, 19), turned_bodies)
def test_features_of_pieces_are_those_of_the_whole(seed: int, cut: int, skeleton: Skeleton) -> None:
    feature_map = FeatureMap(skeleton, (1, 2))
    frames = np.random.default_rng(seed).normal(size=(20, skeleton.width)).astype(np.float32)
    whole = feature_map.pose(frames)
    poses = np.vstack([feature_map.pose(frames[:cut]), feature_map.pose(frames[cut:])])
    assert poses.tobytes() == whole.tobytes()
    first, memories = feature_map.follow([NOTHING_BEFORE], [poses[:cut]], PERIOD)
    second, _ = feature_map.follow(memories, [poses[cut:]], PERIOD)
    assert np.vstack([first, second]).tobytes() == feature_map.features(whole, PERIOD).tobytes()


def test_columns_without_a_body_are_their_own_features() -> None:
    skeleton = feature_skeleton("machine", ("a", "b", "c"), 10.0)
    frames = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    feature_map = FeatureMap(skeleton, (2, 0))
    assert feature_map.names == ("c", "a")
    assert feature_map.joint_of.tolist() == [2, 0]
    poses = feature_map.pose(frames)
    assert (feature_map.features(poses, 0.1) == frames[:, [2, 0]]).all()


@pytest.mark.parametrize("representation", list(REPRESENTATIONS))
def test_names_joints_and_columns_agree(representation: str) -> None:
    skeleton = body(representation)
    feature_map = FeatureMap(skeleton, tuple(range(2, 15)) if representation.startswith("body") else (2, 1))
    frames = np.random.default_rng(0).normal(size=(4, skeleton.width))
    poses = feature_map.pose(frames)
    features = feature_map.features(poses, PERIOD)
    assert features.dtype == np.float32
    assert features.shape == (4, feature_map.width)
    assert len(feature_map.names) == len(set(feature_map.names)) == len(feature_map.joint_of) == feature_map.width
    for name, joint in zip(feature_map.names, feature_map.joint_of, strict=True):
        assert name.split(".")[0] in ("root" if joint == 0 else skeleton.joints[joint], skeleton.joints[joint])


@pytest.mark.parametrize("joints", [(), (3,), (-1,), (0, 99)])
def test_joints_that_are_not_there_are_refused(joints: tuple[int, ...]) -> None:
    with pytest.raises(LayoutError, match=r"body: expected joint indices below 3"):
        FeatureMap(body(), joints)


def test_frames_of_another_width_are_refused() -> None:
    feature_map = FeatureMap(body(), (1,))
    with pytest.raises(LayoutError, match=r"body: expected frames of 12 columns, got shape \(4, 13\)"):
        feature_map.check(np.zeros((4, 13)))
    with pytest.raises(LayoutError, match=r"expected frames of 12 columns, got shape \(12,\)"):
        feature_map.check(np.zeros(12))


def test_joint_features_share_a_scale_and_root_features_have_their_own() -> None:
    recording = perform([("walk", 3.0), ("wave", 3.0)], seed=2).recording
    feature_map = FeatureMap(recording.skeleton, moving_joints(recording.skeleton, [recording.frames]))
    features = recording_features(feature_map, recording.frames, recording.timestamps_us, 30.0)
    mean, scale = feature_map.normalisation([features[:50], features[50:]])
    np.testing.assert_allclose(mean, features.mean(axis=0), atol=1e-5)
    joints, deviation = scale[:-10], features.std(axis=0)
    assert np.ptp(joints) == 0
    assert joints[0] == pytest.approx(np.sqrt((deviation[:-10] ** 2).mean()), rel=1e-4)
    np.testing.assert_allclose(scale[-10:], ROOT_SHARE * np.maximum(deviation[-10:], SMALLEST), rtol=1e-4)


def test_a_column_that_never_changes_keeps_its_scale() -> None:
    frames = np.random.default_rng(0).normal(size=(50, 3)) * [1e-9, 0.0, 7.0] + [0.0, 1234.5678, 0.0]
    feature_map = FeatureMap(feature_skeleton("machine", ("small", "still", "big"), 10.0), (0, 1, 2))
    _, scale = feature_map.normalisation([frames.astype(np.float32)])
    np.testing.assert_allclose(scale, [frames[:, 0].std(), 1.0, frames[:, 2].std()], rtol=1e-5)


@pytest.mark.parametrize("representation", list(REPRESENTATIONS))
def test_joints_that_move_in_any_recording_are_found(representation: str) -> None:
    skeleton = body(representation)
    still = np.ones((20, skeleton.width))
    waving = still.copy()
    waving[::2, -1] += 0.3  # the head
    joints = tuple(range(2, 15))
    expected = {"positions": (1, 2), "positions2d": (1, 2), "body": joints, "body2d": joints}
    assert moving_joints(skeleton, [still, waving]) == expected.get(representation, (2,))


@pytest.mark.data
def test_features_of_a_real_walk_make_sense(data_dir: Path) -> None:
    recording = read_recording(data_dir / "cmu_raw" / "86_01.amc")
    # he walks from frame 120 or so to frame 500, then crouches to jump (sub86/01_gt.txt)
    feature_map = FeatureMap(recording.skeleton, moving_joints(recording.skeleton, [recording.frames]))
    frames, times = recording.frames[:720], recording.timestamps_us[:720]
    features = recording_features(feature_map, frames, times, 30.0)
    walk, crouch = features[30:120], features[150:]
    ups = features[:, -10:-7]
    np.testing.assert_allclose(np.linalg.norm(ups, axis=1), 1.0, atol=1e-5)
    assert walk[:, -9].min() > 0.95 > 0.7 > crouch[:, -9].min()
    assert 0.95 < walk[:, -7].min() < walk[:, -7].max() < 1.06  # the hips of a grown person, metres
    assert crouch[:, -7].min() < 0.9
    assert 0.4 < walk[:, -4].mean() < 1.5
    assert walk[:, -4].mean() > 5 * abs(walk[:, -6].mean()), "walks ahead, not aside"
    assert np.abs(features[:, -6:]).max() < FASTEST


@pytest.mark.data
def test_a_fist_does_not_move_in_cmu(data_dir: Path) -> None:
    frames = read_recording(data_dir / "cmu_raw" / "86_01.amc").frames
    moving = {CMU_EXPMAP.joints[j] for j in moving_joints(CMU_EXPMAP, [frames])}
    assert {"lfemur", "rhumerus", "head"} <= moving
    assert "root" not in moving
    assert "lhipjoint" not in moving
