"""The body's own axes: what a feature must not depend on, what lost joints do, and how soon it knows the body."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import DERIVED, JOINTS, SEEN
from motionscribe_models.body.mapping import mapped
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.representations.base import NOTHING_BEFORE
from motionscribe_training.data.mirror import mirrored

PERIOD = 1 / 30.0
FEATURES = FeatureMap(BODY, tuple(range(len(DERIVED), len(JOINTS))))
NAMES = list(FEATURES.names)
PLAY = mapped(perform([("walk", 4.0), ("wave", 4.0), ("squat", 4.0)], seed=1).recording)


def frames_of(places: np.ndarray, level: float = 1.0) -> np.ndarray:
    """Places (n, 15, 3) as frames at 30 Hz."""
    return np.hstack([places.reshape(len(places), -1), np.full((len(places), 1), level)]).astype(np.float32)


def followed(places: np.ndarray, level: float = 1.0) -> np.ndarray:
    return FEATURES.features(FEATURES.pose(frames_of(places, level)), PERIOD)


PLACES = PLAY.frames[::4, :-1].reshape(-1, len(JOINTS), 3).astype(np.float64)
KNOWN = followed(PLACES)


@settings(max_examples=10)
@given(st.floats(-9, 9), st.floats(-5, 5), st.floats(-5, 5), st.floats(-3, 3))
def test_features_do_not_depend_on_place_and_heading(angle: float, x: float, y: float, z: float) -> None:
    turned = Rotation.from_rotvec([0, angle, 0]).apply(PLACES.reshape(-1, 3)).reshape(PLACES.shape)
    turned += np.array([x, y, z])
    np.testing.assert_allclose(followed(turned), KNOWN, atol=2e-3)


@settings(max_examples=10)
@given(st.floats(0.4, 2.0))
def test_features_do_not_depend_on_the_size_of_the_body(size: float) -> None:
    # but for the steps of the histogram of sizes
    np.testing.assert_allclose(followed(PLACES * size), KNOWN, rtol=0.03, atol=0.06)


@settings(max_examples=10)
@given(st.lists(st.integers(1, len(PLACES) - 1), max_size=4))
def test_pieces_and_companions_give_the_same_to_the_last_bit(cuts: list[int]) -> None:
    poses = FEATURES.pose(frames_of(PLACES))
    memories, rows, edges = [NOTHING_BEFORE] * 3, [], sorted({0, *cuts, len(poses)})
    for start, end in pairwise(edges):
        others = [poses[::-1][: 1 + start % 7], poses[: 1 + end % 5]]
        found, memories = FEATURES.follow(memories, [poses[start:end], *others], PERIOD)
        rows.append(found[: end - start])
    assert np.concatenate(rows).tobytes() == KNOWN.tobytes()


def test_walking_is_forward_and_left_is_left() -> None:
    walking = KNOWN[30:110].mean(axis=0)
    assert 0.5 < walking[NAMES.index("root.vz")] < 2
    assert abs(walking[NAMES.index("root.vx")]) < 0.1
    for part in ("shoulder", "hip", "knee", "ankle"):
        assert walking[NAMES.index(f"left_{part}.x")] > 0.03 > -0.03 > walking[NAMES.index(f"right_{part}.x")]
    assert walking[NAMES.index("head.y")] > 0.4


def test_a_turn_to_the_left_turns_left() -> None:
    still = np.tile(PLACES[40], (90, 1, 1))
    for frame in range(90):
        turn = Rotation.from_rotvec([0, 0.5 * frame * PERIOD, 0])
        still[frame] = turn.apply(still[frame])
    turning = followed(still)[30:, NAMES.index("root.turning")]
    np.testing.assert_allclose(turning, 0.5, atol=0.02)


def test_the_mirror_image_of_features_is_that_of_places() -> None:
    partner = [JOINTS.index(n.replace("left", "L").replace("right", "left").replace("L", "right")) for n in JOINTS]
    image = mirrored(KNOWN, FEATURES)
    assert image is not None
    np.testing.assert_allclose(followed(PLACES[:, partner] * [-1, 1, 1]), image, atol=1e-3)


# -- joints that were not seen


def lose(joints: list[str], start: int, end: int) -> np.ndarray:
    places = PLACES.copy()
    places[start:end, [JOINTS.index(joint) for joint in joints]] = np.nan
    return places


@pytest.mark.parametrize("joint", SEEN)
def test_a_joint_lost_for_a_moment_is_nearly_where_it_was(joint: str) -> None:
    found = followed(lose([joint], 60, 66))
    assert np.isfinite(found).all()
    others = [k for k, name in enumerate(NAMES) if not name.startswith((joint, "root"))]
    assert np.abs(found - KNOWN)[:60].max() == 0
    assert np.abs(found[60:66] - KNOWN[60:66]).max() < 0.6
    if "hip" not in joint and "shoulder" not in joint:
        np.testing.assert_allclose(found[:, others], KNOWN[:, others], atol=0.01)


def test_joints_that_never_come_rest_where_those_of_others_are() -> None:
    arms = [f"{side}_{part}" for side in ("left", "right") for part in ("elbow", "wrist")]
    found = followed(lose(arms, 0, len(PLACES)))
    wrist = found[60:, NAMES.index("left_wrist.x") : NAMES.index("left_wrist.x") + 3]
    np.testing.assert_allclose(wrist.mean(axis=0), [0.2, 0.12, 0.13], atol=0.1)
    legs = [k for k, name in enumerate(NAMES) if "knee" in name or "ankle" in name]
    assert np.corrcoef(found[60:, legs].ravel(), KNOWN[60:, legs].ravel())[0, 1] > 0.98


def test_a_body_that_is_all_lost_stays_and_comes_back() -> None:
    found = followed(lose(list(JOINTS), 100, 160))
    assert np.isfinite(found).all()
    assert np.abs(found[110:155, NAMES.index("root.vz")]).max() < 0.2
    np.testing.assert_allclose(found[230:], KNOWN[230:], atol=0.05)


def test_nobody_at_all_is_a_body_at_rest() -> None:
    found = followed(np.full((20, len(JOINTS), 3), np.nan))
    assert np.isfinite(found).all()
    assert np.abs(found[:, NAMES.index("root.vx") :]).max() == 0


# -- cameras


@pytest.mark.parametrize("degrees", [-20, 10, 25])
def test_a_tilted_camera_is_levelled(degrees: float) -> None:
    tilt = Rotation.from_euler("xz", [degrees, 10], degrees=True)
    tilted = tilt.apply(PLACES.reshape(-1, 3)).reshape(PLACES.shape)
    upright = [k for k, name in enumerate(NAMES) if name == "head.y" or "hip" in name]
    levelled, not_levelled = followed(tilted, level=0.0)[60:120], followed(tilted)[60:120]
    off = np.abs(levelled - KNOWN[60:120])[:, upright].mean()
    assert off < 0.03
    assert off < np.abs(not_levelled - KNOWN[60:120])[:, upright].mean()


def test_what_is_level_stays_so_however_the_body_lies() -> None:
    lying = Rotation.from_euler("x", 90, degrees=True).apply(PLACES.reshape(-1, 3)).reshape(PLACES.shape)
    assert np.abs(followed(lying)[60:, NAMES.index("head.y")]).max() < 0.4
    assert followed(lying, level=0.0)[60:, NAMES.index("head.y")].min() > 0.3


def test_the_rate_of_the_camera_hardly_matters() -> None:
    slow = replace(PLAY, frames=PLAY.frames[::8], timestamps_us=PLAY.timestamps_us[::8])
    found = recording_features(FEATURES, slow.frames, slow.timestamps_us, 30.0)
    joints = len(NAMES) - 5
    rows = min(len(found), len(KNOWN))
    assert np.corrcoef(found[:rows, :joints].ravel(), KNOWN[:rows, :joints].ravel())[0, 1] > 0.99
