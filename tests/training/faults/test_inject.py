"""Faults that are put into recordings: where they change something, where nothing, and what they look like."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from motionscribe.demo.performer import perform
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.mapping import mapped
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99, Recording
from motionscribe_models.rotations import rotation_matrix, rotation_vector
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.faults.inject import candidates, inject
from motionscribe_training.faults.kind import Kind
from motionscribe_training.faults.places import Places

RATE_HZ = 60.0
ROTATIONS = perform([("walk", 3.0), ("wave", 3.0)], seed=2, rate_hz=RATE_HZ).recording
BODY = mapped(ROTATIONS)
CAMERA = Recording(
    "camera",
    np.ascontiguousarray(BODY.frames[:, 6:45] * 1000),
    BODY.timestamps_us,
    Skeleton("camera", SEEN, (-1,) * len(SEEN), "positions", "mm", 0.001, "y", RATE_HZ),
)
"""Millimetres, and no joint tree."""
TREE = replace(
    CAMERA,
    frames=joint_positions(CMU_EXPMAP, ROTATIONS.frames).reshape(len(ROTATIONS.frames), -1).astype(np.float32),
    skeleton=replace(CMU_EXPMAP, representation="positions", offsets=(), axes=(), inverted=False, rate_hz=RATE_HZ),
)
"""Places of all 31 joints of CMU, with their tree."""
RECORDINGS = {"rotations": ROTATIONS, "body": BODY, "camera": CAMERA, "tree": TREE}
OF_PLACES = [name for name in RECORDINGS if name != "rotations"]
START, END = 60, 180


def inject_at(recording: Recording, kind: Kind, joint: str | None = None, seed: int = 0) -> Recording:
    return inject(recording, kind, START, END, np.random.default_rng(seed), joint).recording


def numbers(recording: Recording) -> NDArray[np.float64]:
    """(n, J, 3), of rotations without the root's place."""
    columns = slice(3, None) if recording.skeleton.representation == "expmap" else slice(3 * joint_count(recording))
    return recording.frames[:, columns].reshape(len(recording.frames), -1, 3).astype(np.float64)


def joint_count(recording: Recording) -> int:
    return len(recording.skeleton.joints)


def joint_of(recording: Recording, name: str) -> NDArray[np.float64]:
    numbers_of: NDArray[np.float64] = numbers(recording)[:, recording.skeleton.joints.index(name)]
    return numbers_of


def trunk_of(recording: Recording) -> NDArray[np.float64]:
    hips, shoulders = (
        [joint_of(recording, f"{side}_{part}") for side in ("left", "right")] for part in ("hip", "shoulder")
    )
    left, up = hips[0] - hips[1], sum(shoulders) - sum(hips)
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    up = up - (up * left).sum(axis=1, keepdims=True) * left
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    return np.stack([left, up, np.cross(left, up)], axis=1)


# -- what holds for all kinds


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_only_the_joints_at_fault_change_and_only_while_it_lasts(data: st.DataObject) -> None:
    recording = RECORDINGS[data.draw(st.sampled_from(sorted(RECORDINGS)))]
    rotations = recording is ROTATIONS
    kind = data.draw(st.sampled_from([kind for kind in Kind if not (rotations and kind is Kind.ZEROS)]))
    start = data.draw(st.integers(0, len(recording.frames) - 1))
    end = data.draw(st.integers(start + 1, len(recording.frames)))
    seed = data.draw(st.integers(0, 2**32 - 1))
    before = recording.frames.copy()
    got = inject(recording, kind, start, end, np.random.default_rng(seed))
    again = inject(recording, kind, start, end, np.random.default_rng(seed))
    assert np.array_equal(recording.frames, before)
    assert np.array_equal(got.recording.frames, again.recording.frames, equal_nan=True)
    assert (got.start, got.end, got.joints) == (start, end, again.joints)
    assert len(set(got.joints)) == len(got.joints) > 0
    same = (got.recording.frames == before).all(axis=1)
    assert same[:start].all()
    assert same[end:].all()
    if kind is not Kind.FROZEN_FEED:
        others = [at for at, name in enumerate(recording.skeleton.joints) if name not in got.joints]
        assert np.array_equal(numbers(got.recording)[:, others], numbers(recording)[:, others])
        outside = slice(3) if rotations else slice(3 * joint_count(recording), None)
        assert np.array_equal(got.recording.frames[:, outside], before[:, outside])
    if kind is not Kind.DROPOUT:
        assert np.isfinite(got.recording.frames).all()


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(OF_PLACES),
    st.sampled_from([Kind.DRIFT, Kind.JUMP, Kind.TREMOR, Kind.FREEZE, Kind.LIMP]),
    st.integers(0, 2**32 - 1),
)
def test_bones_keep_their_lengths(name: str, kind: Kind, seed: int) -> None:
    recording = RECORDINGS[name]
    got = inject(recording, kind, START, END, np.random.default_rng(seed)).recording
    parents = Places(recording.skeleton).anatomy.parents
    joints = [joint for joint, parent in enumerate(parents) if parent >= 0]
    lengths = [
        np.linalg.norm(numbers(one)[:, joints] - numbers(one)[:, [parents[joint] for joint in joints]], axis=2)
        for one in (recording, got)
    ]
    metres = recording.skeleton.metres_per_unit
    np.testing.assert_allclose(lengths[1] * metres, lengths[0] * metres, atol=1e-5)


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_candidate_can_fail(name: str) -> None:
    recording = RECORDINGS[name]
    for kind in Kind:
        if recording is ROTATIONS and kind is Kind.ZEROS:
            continue
        for joint in candidates(recording.skeleton, kind):
            changed = inject_at(recording, kind, joint).frames != recording.frames
            assert changed[START:END].any(), (kind, joint)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.ZEROS, Kind.FROZEN_FEED)])
def test_a_fault_turns_with_the_body(kind: Kind) -> None:
    """A body that turns about itself meanwhile gets the same fault."""

    def turning(recording: Recording) -> Recording:
        places = numbers(recording) - numbers(recording)[:, :1]
        turns = rotation_matrix(np.linspace(0, 6, len(places))[:, None] * [0.0, 1.0, 0.0])
        frames = np.hstack([(places @ turns).reshape(len(places), -1), recording.frames[:, -1:]])
        return replace(recording, frames=frames.astype(np.float32))

    got, wanted = inject_at(turning(BODY), kind, seed=5), turning(inject_at(BODY, kind, seed=5))
    np.testing.assert_allclose(got.frames, wanted.frames, atol=1e-5)


@pytest.mark.parametrize(
    ("skeleton", "joints"),
    [
        (CMU_EXPMAP, {"lhumerus", "lradius", "rfemur", "rtibia", "lowerback", "upperneck"}),
        (CMU_EXPMAP_117, {"LeftArm", "LeftForeArm", "RightUpLeg", "RightLeg", "Head"}),
        (H36M_EXPMAP_99, {"LeftArm", "LeftForeArm", "RightUpLeg", "RightLeg", "Spine", "Head"}),
    ],
)
def test_joints_of_public_sets_that_turn(skeleton: Skeleton, joints: set[str]) -> None:
    found = candidates(skeleton, Kind.JUMP)
    assert joints <= set(found)
    assert len(found) == 10


# -- kinds


@pytest.mark.parametrize(("part", "joints"), [("hip", ("hip", "knee", "ankle")), ("shoulder", ("elbow", "wrist"))])
@pytest.mark.parametrize("name", ["body", "camera"])
def test_limbs_are_taken_for_each_other(name: str, part: str, joints: tuple[str, ...]) -> None:
    recording = RECORDINGS[name]
    got = inject_at(recording, Kind.SWAP, f"left_{part}")
    for joint in joints:
        for side, other in (("left", "right"), ("right", "left")):
            one, two = joint_of(got, f"{side}_{joint}"), joint_of(recording, f"{other}_{joint}")
            assert np.array_equal(one[START:END], two[START:END])


def test_bones_are_taken_for_each_other() -> None:
    result = inject(ROTATIONS, Kind.SWAP, START, END, np.random.default_rng(0), "rhumerus")
    assert result.joints[:4] == ("lhumerus", "rhumerus", "lradius", "rradius")
    assert set(result.joints[4:]) == {s + b for s in "lr" for b in ("wrist", "hand", "fingers", "thumb")}
    assert np.array_equal(joint_of(result.recording, "lradius")[START:END], joint_of(ROTATIONS, "rradius")[START:END])


def test_a_frozen_limb_has_the_rotations_of_the_first_frame() -> None:
    result = inject(ROTATIONS, Kind.FREEZE, START, END, np.random.default_rng(0), "lfemur")
    assert result.joints == ("lfemur", "ltibia", "lfoot", "ltoes")
    for joint in result.joints:
        assert (joint_of(result.recording, joint)[START:END] == joint_of(ROTATIONS, joint)[START]).all()


@pytest.mark.parametrize("name", ["body", "camera"])
def test_a_frozen_limb_keeps_its_directions_in_the_trunk(name: str) -> None:
    recording = RECORDINGS[name]
    got = inject_at(recording, Kind.FREEZE, "left_hip")
    thigh = joint_of(got, "left_knee") - joint_of(got, "left_hip")
    seen = np.einsum("nij,nj->ni", trunk_of(recording), thigh / np.linalg.norm(thigh, axis=1, keepdims=True))
    np.testing.assert_allclose(seen[START:END], np.tile(seen[START], (END - START, 1)), atol=1e-4)
    assert seen[:START].std(axis=0).max() > 0.05


@pytest.mark.parametrize(
    ("kind", "degrees"),
    [(Kind.DRIFT, (0.0, 40.0)), (Kind.JUMP, (30.0, 30.0)), (Kind.TREMOR, (0.0, 4.0))],
)
def test_a_bone_is_turned_by_so_much(kind: Kind, degrees: tuple[float, float]) -> None:
    got = inject_at(ROTATIONS, kind, "lradius")
    before, after = (rotation_matrix(joint_of(one, "lradius")[START:END]) for one in (ROTATIONS, got))
    turned = np.degrees(np.linalg.norm(rotation_vector(before.swapaxes(1, 2) @ after), axis=1))
    assert turned[0] == pytest.approx(degrees[0], abs=0.4)
    assert turned.max() == pytest.approx(degrees[1], abs=0.05)


@pytest.mark.parametrize("name", ["body", "camera"])
def test_a_jump_turns_the_forearm_about_one_axis_of_the_upper_arm(name: str) -> None:
    recording = RECORDINGS[name]
    result = inject(recording, Kind.JUMP, START, END, np.random.default_rng(3), "right_elbow")
    assert result.joints == ("right_wrist",)
    before, after = (
        joint_of(one, "right_wrist") - joint_of(one, "right_elbow") for one in (recording, result.recording)
    )
    cosine = (before * after).sum(axis=1) / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
    turned = np.degrees(np.arccos(cosine[START:END].clip(-1, 1)))
    assert 3 < turned.min() <= turned.max() < 30.01


def test_a_tremor_shakes_all_below_the_joint_at_8_hz() -> None:
    result = inject(BODY, Kind.TREMOR, START, END, np.random.default_rng(3), "left_shoulder")
    assert result.joints == ("left_elbow", "left_wrist")
    for joint in result.joints:
        off = (joint_of(result.recording, joint) - joint_of(BODY, joint))[START:END]
        spectrum = np.abs(np.fft.rfft(off, axis=0)).sum(axis=1)
        assert np.argmax(spectrum) * RATE_HZ / (END - START) == pytest.approx(8.0, abs=0.5)


def test_lost_joints() -> None:
    assert (joint_of(inject_at(ROTATIONS, Kind.DROPOUT, "lhumerus"), "lhumerus")[START:END] == 0).all()
    assert np.isnan(joint_of(inject_at(BODY, Kind.DROPOUT, "left_wrist"), "left_wrist")[START:END]).all()
    assert (joint_of(inject_at(BODY, Kind.ZEROS, "head"), "head")[START:END] == 0).all()


@pytest.mark.parametrize(
    ("name", "joint", "below"), [("rotations", "lfemur", "ltibia"), ("body", "left_hip", "left_knee")]
)
def test_a_limp_takes_most_of_the_swing_and_comes_and_goes_smoothly(name: str, joint: str, below: str) -> None:
    recording = RECORDINGS[name]
    result = inject(recording, Kind.LIMP, START, END, np.random.default_rng(0), joint)
    assert below in result.joints
    got = result.recording
    inside = slice(START + 15, END - 15)
    if name == "body":
        hip = joint_of(recording, joint)
        swings = [
            np.einsum("nij,nj->ni", trunk_of(recording), joint_of(one, below) - hip)[inside].std(axis=0).max()
            for one in (recording, got)
        ]
    else:
        swings = [joint_of(one, joint)[inside].std(axis=0).max() for one in (recording, got)]
    assert 0.2 < swings[1] / swings[0] < 0.4
    steps = [np.abs(np.diff(joint_of(one, below), axis=0)).max() for one in (recording, got)]
    assert steps[1] < 1.5 * steps[0]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_frozen_feed_repeats_a_frame(name: str) -> None:
    recording = RECORDINGS[name]
    result = inject(recording, Kind.FROZEN_FEED, START, END, np.random.default_rng(0))
    assert (result.recording.frames[START:END] == recording.frames[START]).all()
    assert result.joints == recording.skeleton.joints
