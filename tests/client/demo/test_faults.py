"""Faults of the synthetic performer, and a performer without faults who moves as ever."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from motionscribe.demo.faults import BODY, SENSORS, Fault
from motionscribe.demo.performer import perform
from motionscribe_models.recordings import CMU_EXPMAP
from motionscribe_models.rotations import rotation_matrix, rotation_vector

SCRIPT = (("walk", 4.0), ("run", 4.0))
START, END = 120, 480
CLEAN = perform(SCRIPT, seed=3).recording.frames
KINDS = sorted({**BODY, **SENSORS})
Array = NDArray[np.float64]


def faulty(kind: str, seed: int = 3) -> tuple[NDArray[np.float32], Fault]:
    performance = perform(SCRIPT, seed=seed, faults=[(kind, 1.0, 3.0)])
    [fault] = performance.faults
    return performance.recording.frames, fault


def joints_of(frames: NDArray[np.float32]) -> Array:
    return frames[:, 3:].reshape(len(frames), -1, 3).astype(np.float64)


def at(*joints: str) -> list[int]:
    return [CMU_EXPMAP.joints.index(joint) for joint in joints]


@pytest.mark.parametrize(
    ("script", "seed", "rate_hz", "digest"),
    [
        (None, 0, 120.0, "3da5f4073a549304c8e9c3a118f2c97998b86e2e1041df2dfe1af254af90c576"),
        (None, 3, 120.0, "885f0a7574476c8818921a1fa42f11a574be7a00f47cb3fb0647e97ed5e0fa52"),
        ((("walk", 3.0), ("fall", 3.0)), 7, 60.0, "d2677f3ceb6df3876fa2fbbe93680a3d67bd8b2300c002689cb09e10a291db30"),
    ],
)
def test_a_performer_without_faults_moves_as_before_there_were_any(
    script: tuple[tuple[str, float], ...] | None, seed: int, rate_hz: float, digest: str
) -> None:
    """To a ten-thousandth of a radian: the last bits of a sine are those of the processor."""
    frames = perform(script, seed=seed, rate_hz=rate_hz).recording.frames
    rounded = np.rint(frames.astype(np.float64) * 1e4).astype("<i4")
    assert hashlib.sha256(rounded.tobytes()).hexdigest() == digest


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_joints_at_fault_change_and_only_while_it_lasts(kind: str) -> None:
    for seed in (3, 4, 5):
        clean = perform(SCRIPT, seed=seed).recording.frames
        frames, fault = faulty(kind, seed)
        assert np.array_equal(frames, faulty(kind, seed)[0])
        assert fault == Fault(START + 1, END + 1, kind, fault.joints)
        margin = 15 if kind in BODY else 0  # 0.12 s, in which the ground follows the feet
        same = (frames == clean).all(axis=1)
        assert same[: START - margin].all()
        assert same[END + margin :].all()
        others = [joint for joint, name in enumerate(CMU_EXPMAP.joints) if name not in fault.joints]
        assert np.array_equal(joints_of(frames)[:, others], joints_of(clean)[:, others])
        changed = (joints_of(frames) != joints_of(clean)).any(axis=2)[START:END]
        assert changed.mean(axis=0)[at(*fault.joints)].max() > 0.9
        heights = slice(1, 2) if kind in BODY else slice(0)
        assert np.array_equal(np.delete(frames[:, :3], heights, axis=1), np.delete(clean[:, :3], heights, axis=1))


def test_a_limp_takes_most_of_a_legs_swing() -> None:
    frames, fault = faulty("limp")
    thigh = at(fault.joints[0])
    spreads = [joints_of(one)[START + 30 : END - 30, thigh].std(axis=0).max() for one in (CLEAN, frames)]
    assert 0.2 < spreads[1] / spreads[0] < 0.45


def test_trembling_is_4_degrees_8_times_a_second() -> None:
    frames, fault = faulty("tremble")
    [joint] = at(*fault.joints)
    before, after = (rotation_matrix(joints_of(one)[START:END, joint]) for one in (CLEAN, frames))
    turned = rotation_vector(before.swapaxes(1, 2) @ after)
    assert 2.5 < np.degrees(np.linalg.norm(turned, axis=1)).max() < 6.5  # angles about x, y, z are no rotation vector
    spectrum = np.abs(np.fft.rfft(turned, axis=0)).sum(axis=1)
    assert np.argmax(spectrum) / 3 == 8


def test_sensors_freeze_swap_and_drop() -> None:
    frames, fault = faulty("freeze")
    frozen = joints_of(frames)[START:END, at(*fault.joints)]
    assert (frozen == frozen[0]).all()
    frames, fault = faulty("swap")
    for one, other in pairwise(fault.joints[:2] + fault.joints[:1]):
        assert np.array_equal(joints_of(frames)[START:END, at(one)], joints_of(CLEAN)[START:END, at(other)])
    frames, fault = faulty("drop")
    assert (joints_of(frames)[START:END, at(*fault.joints)] == 0).all()


def test_faults_come_in_their_order_and_do_not_depend_on_each_other() -> None:
    one = perform(SCRIPT, faults=[("limp", 1.0, 2.0)])
    both = perform(SCRIPT, faults=[("limp", 1.0, 2.0), ("drop", 0.5, 0.25)])
    assert [fault.kind for fault in both.faults] == ["drop", "limp"]
    assert both.faults[1] == one.faults[0]
    assert np.array_equal(one.recording.frames[90:], both.recording.frames[90:])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (("dance", 1.0, 1.0), "expected a fault of limp, tremble, freeze, swap, drop, got 'dance'"),
        (("limp", 7.0, 1.5), "expected a fault within the 8 s of motion, got limp at 7.0 s for 1.5 s"),
        (("swap", -1.0, 1.5), "got swap at -1.0 s"),
        (("swap", 1.0, 0.0), "for 0.0 s"),
        (("swap", 1.0, 0.001), "expected a fault of a frame or more, got swap at 1.0 s for 0.001 s"),
        (("drop", float("nan"), 1.0), "got drop at nan s"),
    ],
)
def test_faults_that_are_not_possible(fault: tuple[str, float, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        perform(SCRIPT, faults=[fault])
