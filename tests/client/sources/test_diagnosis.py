"""What is wrong with a feed is found and named, and a healthy feed is not called sick."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.feeds import Times, as_places, busy, in_line, quiet

from motionscribe.demo.performer import perform
from motionscribe.sources.diagnosis import Finding, diagnose, unjudged
from motionscribe.sources.diagnosis.timing import judge_timing
from motionscribe_models.recordings import Recording, even_times, read_recording
from motionscribe_models.skeleton import feature_skeleton

Script = tuple[tuple[str, float], ...]
WALK: Script = (("walk", 10.0),)
SCRIPTS: tuple[Script, ...] = (
    WALK,
    (("squat", 10.0),),
    (("idle", 10.0),),
    (("walk", 2.0), ("fall", 8.0)),
    (("collapse", 8.0),),
    (("fall_sideways", 8.0),),
    (("jump", 4.0), ("punch", 4.0), ("run", 3.0)),
)


@cache
def made(script: Script = WALK, rate_hz: float = 60.0) -> Recording:
    return as_places(perform(script, 3, rate_hz).recording)


def judged(recording: Recording, arrived: Times | None = None, **told: float | None) -> list[Finding]:
    claimed_hz = told.get("claimed_hz", recording.skeleton.rate_hz)
    return diagnose(
        *(recording.skeleton, recording.frames, recording.timestamps_us), arrived_us=arrived, claimed_hz=claimed_hz
    )


def timed(times: NDArray[Any], arrived: Times | None, claimed_hz: float | None = 60.0) -> list[Finding]:
    """Of times alone."""
    return judge_timing(times.astype(np.int64), arrived, claimed_hz, "microseconds")


def faults(findings: list[Finding]) -> list[str]:
    return [finding.fault for finding in findings]


# -- the healthy


@pytest.mark.parametrize("comes", [quiet, busy])
@pytest.mark.parametrize("rate_hz", [15.0, 60.0, 240.0])
@pytest.mark.parametrize("script", [WALK, SCRIPTS[3]], ids=["walks", "falls"])
def test_a_healthy_feed_is_healthy(script: Script, rate_hz: float, comes: Callable[[Times], Times]) -> None:
    recording = made(script, rate_hz)
    arrived = comes(recording.timestamps_us)
    assert judged(recording, arrived) == []
    assert timed(recording.timestamps_us, arrived, None) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script[-1][0])
def test_whatever_somebody_does_is_healthy(script: Script) -> None:
    assert judged(perform(script, 5, 30.0).recording) == []


@given(
    rate_hz=st.floats(15, 240),
    seed=st.integers(0, 1000),
    ppm=st.floats(-400, 400),
    seconds=st.floats(6, 20),
    comes=st.sampled_from([quiet, busy]),
    lost=st.floats(0, 0.02),
    tick_us=st.sampled_from([1, 1000]),
)
def test_any_clock_that_is_well_is_well(
    rate_hz: float,
    seed: int,
    ppm: float,
    seconds: float,
    comes: Callable[[Times, int], Times],
    lost: float,
    tick_us: int,
) -> None:
    """A clock of whole milliseconds, some drift, some loss, a busy machine."""
    times = even_times(int(seconds * rate_hz), rate_hz)
    there = np.random.default_rng(seed).random(len(times)) >= lost
    arrived = comes((times * (1 - ppm / 1e6)).astype(np.int64), seed)
    stamps = (times + 12_345) // tick_us * tick_us
    assert timed(stamps[there], arrived[there], rate_hz) == []


def test_a_pause_a_clock_elsewhere_and_lost_joints_are_healthy() -> None:
    times = even_times(600, 60.0)
    times[300:] += 3_000_000
    assert timed(times - 10**15, quiet(times)) == []
    hidden = made().frames.copy()
    hidden[: len(hidden) // 2, 9:15] = np.nan
    assert judged(replace(made(), frames=hidden)) == []


def test_who_lies_all_the_time_has_no_swapped_axes() -> None:
    recording = made(SCRIPTS[3])
    lying = recording.frames[-240:]
    assert judged(replace(recording, frames=lying, timestamps_us=recording.timestamps_us[-240:])) == []


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["cmu_amc/02_01.amc", "bvh/walk01.bvh", "c3d/Qualisys.c3d", "camera/sports2d_demo_mediapipe.csv"]
)
def test_recordings_of_people_are_healthy(data_dir: Path, name: str) -> None:
    assert judged(read_recording(data_dir / name)) == []


def test_a_machine_has_no_joints_to_miss() -> None:
    skeleton = feature_skeleton("rig", ("a", "b"), 60.0)
    assert diagnose(skeleton, np.zeros((60, 2), np.float32), even_times(60, 60.0), claimed_hz=60.0) == []
    assert unjudged(skeleton, even_times(600, 60.0)) == [
        "joints, units, axes: it does not say which joints it has; only a model of its columns takes it"
    ]
    assert unjudged(made().skeleton, even_times(600, 60.0)) == []


# -- planted faults


@pytest.mark.parametrize(
    ("units", "told", "factor", "name"),
    [
        ("m", 1.0, 100.0, "cm"),
        ("m", 1.0, 1000.0, "mm"),
        ("mm", 0.001, 1.0, "m"),
        ("cm", 0.01, 1000.0, "mm"),
        ("m", 1.0, 39.37, "inches"),
        ("m", 1.0, 3.2808, "feet"),
    ],
)
def test_a_wrong_unit(units: str, told: float, factor: float, name: str) -> None:
    recording = made()
    skeleton = replace(recording.skeleton, units=units, metres_per_unit=told)
    (finding,) = judged(replace(recording, skeleton=skeleton, frames=recording.frames * np.float32(factor)))
    assert finding.fault == "wrong unit"
    assert f"told in {units}" in finding.evidence
    assert finding.advice.startswith(f"these are {name}: set the sender to {units}")


AXES = {
    "x": [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
    "y": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "z": [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    "-y": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
}
"""Up axis -> what turns y to it, of rows."""


@pytest.mark.parametrize("script", [SCRIPTS[0], SCRIPTS[1], SCRIPTS[2], SCRIPTS[3]], ids=lambda script: script[-1][0])
@pytest.mark.parametrize(("true", "told"), [("z", "y"), ("x", "y"), ("y", "z"), ("-y", "y"), ("y", "-y"), ("z", "x")])
def test_swapped_axes(script: Script, true: str, told: str) -> None:
    recording = made(script)
    if script is SCRIPTS[3]:
        recording = replace(recording, frames=recording.frames[:150], timestamps_us=recording.timestamps_us[:150])
    places = recording.frames.reshape(-1, 3) @ np.array(AXES[true], np.float32)
    skeleton = replace(recording.skeleton, up_axis=told)
    (finding,) = judged(replace(recording, frames=places.reshape(recording.frames.shape), skeleton=skeleton))
    assert finding.fault == "swapped axes"
    assert f"told that {told} is up: heads are above feet along {true} in" in finding.evidence


def test_a_wrong_rate() -> None:
    times = even_times(600, 60.0)
    for claimed_hz, sender in ((120.0, times), (60.0, times // 2), (None, times // 2), (30.0, times)):
        (finding,) = timed(sender, busy(times), claimed_hz)
        assert finding.fault == "wrong rate"
        assert "60.0 Hz" in finding.evidence
    (finding,) = timed(times, None, 120.0)
    assert finding.evidence == "says 120 Hz, sends 60.0 Hz, one frame every 16.7 ms"
    slow = even_times(60, 5.0)
    assert faults(timed(slow, quiet(slow), None)) == ["wrong rate"]


def test_a_missing_joint() -> None:
    recording = made()
    frames = recording.frames.copy()
    wrist = recording.skeleton.joints.index("left_wrist")
    frames[:, 3 * wrist : 3 * wrist + 3] = np.nan
    (finding,) = judged(replace(recording, frames=frames))
    assert (finding.fault, finding.evidence) == ("missing joint", f"seen of {len(frames)} frames: left_wrist in 0")
    names = tuple(name.replace("left_wrist", "thing") for name in recording.skeleton.joints)
    (finding,) = judged(replace(recording, skeleton=replace(recording.skeleton, joints=names)))
    assert finding.fault == "missing joint"
    assert finding.evidence.startswith("left_wrist: not among the 15 joints")
    names = tuple(name.replace("knee", "thing") for name in recording.skeleton.joints)
    (finding,) = judged(replace(recording, skeleton=replace(recording.skeleton, joints=names)))
    assert finding.fault == "missing joint"
    assert "found no left_knee, right_knee" in finding.evidence
    nobody = replace(recording, frames=np.full_like(recording.frames, np.nan))
    assert faults(judged(nobody)) == ["missing joint"]


@pytest.mark.parametrize("rate_hz", [15.0, 60.0, 240.0])
@pytest.mark.parametrize("seed", range(2))
def test_jitter_tells_which(rate_hz: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = even_times(int(10 * rate_hz), rate_hz)
    period_us = 1e6 / rate_hz
    noise = rng.normal(0, max(0.3 * period_us, 2_000), len(times))
    stamped = np.sort(times + noise)
    assert faults(timed(stamped, quiet(times), rate_hz)) == ["jitter of time stamps"]
    assert faults(timed(stamped, None, rate_hz)) == ["jitter of time stamps"]
    late = in_line(times + rng.uniform(0, max(2 * period_us, 50_000), len(times)))
    assert faults(timed(times, late, rate_hz)) == ["jitter of arrivals"]
    both = np.sort(times + rng.uniform(0, max(2 * period_us, 60_000), len(times)))
    if rate_hz < 100:  # else no step is off by 10 ms
        assert faults(timed(both, quiet(both.astype(np.int64)), rate_hz)) == ["jitter of frames"]
        assert faults(timed(in_line(both), in_line(both), rate_hz)) == ["jitter of arrivals"]


@pytest.mark.parametrize("ppm", [2000, -2000, 5000])
@pytest.mark.parametrize("comes", [quiet, busy])
@pytest.mark.parametrize("rate_hz", [15.0, 60.0, 240.0])
def test_a_clock_that_drifts(rate_hz: float, comes: Callable[[Times], Times], ppm: int) -> None:
    times = even_times(int(10 * rate_hz), rate_hz)
    (finding,) = timed(times * (1 + ppm / 1e6), comes(times), rate_hz)
    assert finding.fault == "clock drift"
    assert ("gains" if ppm > 0 else "loses") in finding.evidence


def test_clocks_that_jump_and_times_that_repeat() -> None:
    times = even_times(600, 60.0)
    jumped = times.copy()
    jumped[300:] -= 4_000_000
    assert faults(timed(jumped, quiet(times))) == ["clock jumps"]
    assert faults(timed(times // 50_000 * 50_000, quiet(times)))[0] == "times do not increase"
    (finding,) = timed(times // 1000, quiet(times))
    assert (finding.fault, finding.evidence[:12]) == ("times of no use", "60 Hz was sa")
    there = np.random.default_rng(0).random(600) > 0.15
    assert faults(timed(times[there], quiet(times)[there])) == ["lost frames"]


def test_left_and_right_exchanged() -> None:
    recording = made(SCRIPTS[1])
    names = [name.replace("left", "l").replace("right", "left") for name in recording.skeleton.joints]
    skeleton = replace(recording.skeleton, joints=tuple(name.replace("l_", "right_") for name in names))
    assert "exchanged" in judged(replace(recording, skeleton=skeleton))[0].evidence


def test_several_faults_are_told_at_once_and_few_frames_are_too_few() -> None:
    recording = made()
    sent = replace(recording, frames=recording.frames * np.float32(100))
    sent = replace(sent, skeleton=replace(recording.skeleton, up_axis="z"))
    assert faults(judged(sent, claimed_hz=120.0)) == ["wrong rate", "wrong unit", "swapped axes"]
    few = replace(recording, frames=recording.frames[:10], timestamps_us=recording.timestamps_us[:10])
    assert faults(judged(few)) == ["too few frames"]


@given(
    seed=st.integers(0, 1000),
    size=st.sampled_from([1.0, 1e6, 1e38, np.inf, np.nan]),
    step=st.sampled_from([0, 1, 16_667, 10**9, 2**57]),
    representation=st.sampled_from(["positions", "positions2d"]),
    is_live=st.booleans(),
)
def test_nothing_that_comes_breaks_the_doctor(
    seed: int, size: float, step: int, representation: str, is_live: bool
) -> None:
    rng = np.random.default_rng(seed)
    skeleton = replace(made().skeleton, representation=representation)
    with np.errstate(over="ignore", invalid="ignore"):
        frames = (rng.normal(0, 1, (60, skeleton.width)) * np.where(rng.random((60, 1)) < 0.5, size, 1)).astype(
            np.float32
        )
    times = np.cumsum(rng.integers(-step // 3, step + 1, 60)).astype(np.int64)
    arrived = np.cumsum(rng.integers(0, 50_000, 60)) if is_live else None
    for finding in diagnose(skeleton, frames, times, arrived_us=arrived, claimed_hz=60.0):
        assert finding.fault
        assert finding.advice
