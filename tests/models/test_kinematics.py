"""Rotations agree with scipy; joints are where a slow walk down the tree puts them, and feet on the ground."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from motionscribe_models.errors import LayoutError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99, read_recording
from motionscribe_models.rotations import (
    euler_vector,
    quaternion_matrix,
    rotation_matrix,
    rotation_vector,
)
from motionscribe_models.skeleton import Skeleton, feature_skeleton

Array = NDArray[np.float64]

vectors = hnp.arrays(np.float64, (4, 3), elements=st.floats(-7, 7))
degrees = hnp.arrays(np.float64, (4, 3), elements=st.floats(-720, 720))
quaternions = hnp.arrays(np.float64, (4, 4), elements=st.floats(-2, 2)).filter(
    lambda values: np.linalg.norm(values, axis=1).min() > 0.1
)


# -- rotations


@given(vectors)
def test_rotation_matrix_is_scipys(values: Array) -> None:
    assert np.abs(rotation_matrix(values) - Rotation.from_rotvec(values).as_matrix()).max() < 1e-13


@given(vectors)
def test_rotation_vector_undoes_rotation_matrix(values: Array) -> None:
    matrices = rotation_matrix(values)
    back = rotation_vector(matrices)
    assert np.linalg.norm(back, axis=1).max() <= np.pi + 1e-12
    assert np.abs(rotation_matrix(back) - matrices).max() < 1e-13


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-7, 1e-3, np.pi - 1e-7, np.pi])
@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, 0, -0.8), (-2 / 3, 1 / 3, 2 / 3)])
def test_rotation_vector_is_exact_at_both_ends(angle: float, axis: tuple[float, float, float]) -> None:
    vector = angle * np.array(axis)
    back = rotation_vector(rotation_matrix(vector))
    assert min(np.abs(back - vector).max(), np.abs(back + vector).max() if angle == np.pi else np.inf) < 1e-14


@given(
    hnp.arrays(np.float64, (4, 4), elements=st.floats(-2, 2)).filter(lambda q: np.linalg.norm(q, axis=1).min() > 0.1)
)
def test_quaternion_matrix_is_scipys(values: Array) -> None:
    expected = Rotation.from_quat(values[:, [1, 2, 3, 0]]).as_matrix()
    assert np.abs(quaternion_matrix(values) - expected).max() < 1e-13


def test_a_quaternion_of_length_0_is_refused() -> None:
    with pytest.raises(LayoutError, match="length 0"):
        quaternion_matrix(np.zeros((2, 4)))


@pytest.mark.parametrize("order", ["xyz", "xzy", "yxz", "yzx", "zxy", "zyx"])
@given(values=degrees)
def test_euler_vector_is_scipys_extrinsic(order: str, values: Array) -> None:
    ours = rotation_matrix(euler_vector(values, order))
    turned = values[:, ["xyz".index(axis) for axis in order]]
    assert np.abs(ours - Rotation.from_euler(order, turned, degrees=True).as_matrix()).max() < 1e-12
    assert np.linalg.norm(euler_vector(values, order), axis=1).max() <= np.pi + 1e-12


def test_any_leading_axes_will_do() -> None:
    values = np.random.default_rng(0).normal(size=(2, 5, 3))
    matrices = rotation_matrix(values)
    assert matrices.shape == (2, 5, 3, 3)
    assert np.array_equal(matrices[1, 2], rotation_matrix(values[1, 2]))
    assert np.allclose(rotation_vector(matrices), values)


# -- forward kinematics


def slow_positions(skeleton: Skeleton, frame: Array) -> Array:
    """One frame, one joint at a time, with scipy, straight from the definition."""
    world: list[Rotation] = []
    places: list[Array] = []
    for joint, parent in enumerate(skeleton.parents):
        stored = Rotation.from_rotvec(frame[3 + 3 * joint : 6 + 3 * joint])
        local = stored.inv() if skeleton.inverted else stored
        if skeleton.axes:
            axes = Rotation.from_rotvec(skeleton.axes[joint])
            local = axes * local * axes.inv()
        if parent < 0:
            world.append(local)
            places.append(frame[:3])
        else:
            world.append(world[parent] * local)
            turning = world[joint] if skeleton.axes else world[parent]
            places.append(places[parent] + turning.apply(skeleton.offsets[joint]))
    return np.array(places)


@pytest.mark.parametrize("skeleton", [CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99])
def test_positions_are_those_of_the_slow_twin(skeleton: Skeleton) -> None:
    frames = np.random.default_rng(3).normal(size=(4, skeleton.width))
    expected = np.stack([slow_positions(skeleton, frame) for frame in frames])
    scale = np.abs(expected).max()
    assert np.abs(joint_positions(skeleton, frames) - expected).max() < 1e-12 * scale


@pytest.mark.parametrize("skeleton", [CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99])
def test_bones_keep_their_length(skeleton: Skeleton) -> None:
    frames = np.random.default_rng(4).normal(size=(6, skeleton.width))
    positions = joint_positions(skeleton, frames)
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            length = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=1)
            assert length == pytest.approx(np.linalg.norm(skeleton.offsets[joint]), abs=1e-9)


def test_a_bent_elbow_brings_the_hand_where_it_should() -> None:
    """An upper arm along x and a forearm that turns 90 degrees about z."""
    stored = {False: np.pi / 2, True: -np.pi / 2}
    for inverted, angle in stored.items():
        arm = Skeleton(
            name="arm",
            joints=("shoulder", "elbow", "hand"),
            parents=(-1, 0, 1),
            representation="expmap",
            units="m",
            metres_per_unit=1.0,
            up_axis="y",
            rate_hz=30.0,
            inverted=inverted,
            offsets=((0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.25, 0.0, 0.0)),
        )
        frame = np.zeros((1, arm.width))
        frame[0, :3] = 1, 2, 3
        frame[0, 3 + 3 + 2] = angle
        assert joint_positions(arm, frame)[0] == pytest.approx(np.array([[1, 2, 3], [1.3, 2, 3], [1.3, 2.25, 3]]))


def test_representations_agree() -> None:
    frames = np.random.default_rng(5).normal(size=(3, CMU_EXPMAP_117.width))
    own = CMU_EXPMAP_117
    shared = {"units": own.units, "metres_per_unit": own.metres_per_unit, "up_axis": "y", "rate_hz": 120.0}
    turned = Skeleton("q", own.joints, own.parents, "quaternion", inverted=True, offsets=own.offsets, **shared)  # type: ignore[arg-type]  # a mixed dict
    quaternions = Rotation.from_rotvec(frames[:, 3:].reshape(-1, 3)).as_quat()[:, [3, 0, 1, 2]]
    as_quaternions = np.hstack([frames[:, :3], quaternions.reshape(3, -1)])
    expected = joint_positions(own, frames)
    assert np.allclose(joint_positions(turned, as_quaternions), expected)
    places = Skeleton("p", own.joints, own.parents, "positions", **shared)  # type: ignore[arg-type]  # a mixed dict
    assert np.array_equal(joint_positions(places, expected.reshape(3, -1)), expected)


def test_what_has_no_place_is_refused() -> None:
    with pytest.raises(LayoutError, match="expected frames of 96 columns, got shape"):
        joint_positions(CMU_EXPMAP, np.zeros((2, 95)))
    with pytest.raises(LayoutError, match="expected a skeleton with offsets or positions"):
        joint_positions(feature_skeleton("rig", ("current", "pressure"), 1.0), np.zeros((2, 2)))


def test_human36m_stands_upright_at_rest() -> None:
    """Arms of the set point up at rest; head above hips above feet, left on the left of one who looks along z."""
    at_rest = joint_positions(H36M_EXPMAP_99, np.zeros((1, 99)))[0]
    place = dict(zip(H36M_EXPMAP_99.joints, at_rest, strict=True))
    assert place["Head"][1] > 400 > place["Hips"][1] > -800 > place["LeftFoot"][1]
    assert place["LeftFoot"][0] > 0 > place["RightFoot"][0]
    assert place["LeftToeBase"][2] > 100


# -- real people

PARTS = {
    "lhipjoint": "LeftUpLeg",
    "lfemur": "LeftLeg",
    "rtibia": "RightFoot",
    "rtoes": "RightToeSite",
    "head": "HeadSite",
    "lhumerus": "LeftForeArm",
    "rwrist": "RightFingerBase",
    "lthumb": "LThumbSite",
}


@pytest.mark.data
def test_both_cmu_layouts_put_a_person_in_the_same_place(data_dir: Path) -> None:
    """96 columns speak of the bones' own axes, 117 of the world's: turned into each other they agree."""
    frames = read_recording(data_dir / "sub86" / "03.mat").frames[1000:1800:50].astype(np.float64)
    axes = rotation_matrix(np.array(CMU_EXPMAP.axes))
    turned = rotation_vector(axes @ rotation_matrix(frames[:, 3:].reshape(len(frames), -1, 3)) @ axes.swapaxes(1, 2))
    other = np.zeros((len(frames), CMU_EXPMAP_117.width))
    other[:, :3] = frames[:, :3]
    # the bone that starts at a joint of the 117 is the one that ends at its child
    starts = {"root": "Hips", **{bone: _start(bone) for bone in CMU_EXPMAP.joints[1:]}}
    for bone, joint in starts.items():
        column = 3 + 3 * CMU_EXPMAP_117.joints.index(joint)
        other[:, column : column + 3] = turned[:, CMU_EXPMAP.joints.index(bone)]
    a, b = joint_positions(CMU_EXPMAP, frames), joint_positions(CMU_EXPMAP_117, other)
    for bone, joint in PARTS.items():
        place, same = a[:, CMU_EXPMAP.joints.index(bone)], b[:, CMU_EXPMAP_117.joints.index(joint)]
        assert np.abs(place - same).max() < 1e-9, bone


def _start(bone: str) -> str:
    trunk = {"lowerback": "LowerBack", "upperback": "Spine", "thorax": "Spine1"}
    trunk |= {"lowerneck": "Neck", "upperneck": "Neck1", "head": "Head"}
    if bone in trunk:
        return trunk[bone]
    side = "Left" if bone[0] == "l" else "Right"
    limb = {"femur": "UpLeg", "tibia": "Leg", "foot": "Foot", "toes": "ToeBase", "clavicle": "Shoulder"}
    limb |= {"humerus": "Arm", "radius": "ForeArm", "wrist": "Hand", "hand": "FingerBase", "fingers": "HandIndex1"}
    short = {"hipjoint": "HipJoint", "thumb": "Thumb"}
    return side[0] + short[bone[1:]] if bone[1:] in short else side + limb[bone[1:]]


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("cmu_raw/86_01.amc", slice(100, 500)),
        ("cmu_amc/02_01.amc", slice(0, 340)),
        ("cmu8/walking_1.txt", slice(1, 340)),
        ("cmu8/walking_3.txt", slice(1, 400)),
    ],
)
def test_the_feet_of_people_who_walk_are_on_the_ground(data_dir: Path, file: str, part: slice) -> None:
    recording = read_recording(data_dir / file)
    skeleton = recording.skeleton
    positions = joint_positions(skeleton, recording.frames[part])
    names = ("ltoes", "rtoes", "lfoot", "rfoot") if skeleton.axes else ("LeftToeSite", "RightToeSite", "LeftToeBase")
    feet = [skeleton.joints.index(name) for name in names]
    lowest = positions[:, feet, 1].min(axis=1) * skeleton.metres_per_unit
    assert np.abs(lowest).max() < 0.12
    assert np.std(lowest) < 0.05
    head = positions[:, skeleton.joints.index("head" if skeleton.axes else "HeadSite"), 1] * skeleton.metres_per_unit
    assert 1.5 < head.mean() < 1.9
