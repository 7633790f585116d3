"""The synthetic performer: its truth is true, it is the same every time, and it moves as people of CMU do."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from motionscribe.demo.actions import ACTIONS
from motionscribe.demo.movement import Style
from motionscribe.demo.performer import SCRIPT, Performance, Truth, perform
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import CMU_EXPMAP, Recording, read_recording
from motionscribe_models.rotations import rotation_matrix, rotation_vector

Array = NDArray[np.float64]
FEET = [CMU_EXPMAP.joints.index(joint) for joint in ("lfoot", "ltoes", "rfoot", "rtoes")]


@pytest.fixture(scope="module", params=[0, 1, 2])
def performance(request: pytest.FixtureRequest) -> Performance:
    return perform(seed=request.param)


def frames_of(performance: Performance, name: str, margin: int = 60) -> NDArray[np.float32]:
    """Frames of the first segment of that name, without its blends."""
    segment = next(s for s in performance.segments if s.name == name)
    return performance.recording.frames[segment.start_seq - 1 + margin : segment.end_seq - 1 - margin]


def euler_degrees(frames: NDArray[np.float32]) -> Array:
    """(n, J, 3) about fixed x, y, z, as in an AMC file."""
    vectors = -frames[:, 3:].reshape(-1, 3).astype(np.float64)
    degrees: Array = Rotation.from_rotvec(vectors).as_euler("xyz", degrees=True).reshape(len(frames), -1, 3)
    return degrees


def speed(frames: NDArray[np.float32]) -> Array:
    """(n - 1,) m/s over the ground."""
    steps = np.diff(frames[:, [0, 2]].astype(np.float64), axis=0)
    return np.asarray(np.hypot(*steps.T) * 120 * CMU_EXPMAP.metres_per_unit)


# -- the truth


def test_truth_tiles_the_recording(performance: Performance) -> None:
    segments, frames = performance.segments, performance.recording.frames
    assert segments[0].start_seq == 1
    assert segments[-1].end_seq == len(frames) + 1
    for before, after in pairwise(segments):
        assert before.end_seq == after.start_seq
        assert before.name != after.name
    assert [s.name for s in segments] == [name for name, _ in SCRIPT]
    assert 75 * 120 <= len(frames) <= 90 * 120


def test_the_script_shows_every_action_some_again_and_falls_last() -> None:
    names = [name for name, _ in SCRIPT]
    assert set(names) == set(ACTIONS) - {"fall_backwards", "fall_sideways", "collapse", "stumble"}
    assert sum(names.count(name) > 1 for name in set(names)) >= 4
    assert names[-1] == "fall"
    assert names.count("fall") == 1


def test_a_script_of_ones_own() -> None:
    performance = perform((("run", 2.0), ("idle", 1.5)), seed=4, rate_hz=60.0)
    assert performance.segments == (Truth(1, 121, "run"), Truth(121, 211, "idle"))
    assert performance.recording.skeleton.rate_hz == 60.0
    assert performance.recording.timestamps_us[-1] == round(209 * 1e6 / 60)
    assert performance.recording.name == "synthetic-4"


@pytest.mark.parametrize(
    ("script", "rate", "said"),
    [
        ((), 120.0, "expected a script and a rate"),
        ((("idle", 2.0),), 0.0, "got 1 actions at 0.0 Hz"),
        ((("idle", 2.0),), float("nan"), "rate of 10 to 1000 Hz"),
        ((("idle", 2.0), ("dance", 2.0)), 120.0, "expected one of walk, run.*got 'dance' for 2.0 s"),
        ((("idle", 0.2),), 120.0, "got 'idle' for 0.2 s"),
        ((("idle", float("inf")),), 120.0, "got 'idle' for inf s"),
    ],
)
def test_what_cannot_be_acted_is_refused(script: tuple[tuple[str, float], ...], rate: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        perform(script, rate_hz=rate)


# -- one seed, one performer


def test_the_same_seed_is_the_same_performance() -> None:
    script = (("walk", 2.0), ("punch", 2.0))
    once, again = perform(script, seed=5), perform(script, seed=5)
    assert np.array_equal(once.recording.frames, again.recording.frames)
    assert once.segments == again.segments


def test_another_seed_is_another_performer() -> None:
    """They differ in posture by more than one person's sway, and in pace."""
    people = [perform((("walk", 6.0), ("idle", 4.0)), seed=seed) for seed in range(6)]
    postures = np.array([euler_degrees(frames_of(p, "idle"))[:, 1:].mean(axis=0) for p in people])
    moving = np.abs(postures).max(axis=0) > 0.1
    assert postures.std(axis=0)[moving].mean() > 1.0
    knees = [euler_degrees(frames_of(p, "walk"))[:, CMU_EXPMAP.joints.index("ltibia"), 0] for p in people]
    paces = [np.argmax(np.abs(np.fft.rfft(knee - knee.mean(), 12000))[50:300]) + 50 for knee in knees]
    assert np.ptp(paces) >= 5  # hundredths of a cycle a second


def test_an_action_that_returns_is_alike_but_not_repeated() -> None:
    performance = perform((("wave", 4.0), ("idle", 3.0), ("wave", 4.0)), seed=3)
    first, _, second = performance.segments
    frames = performance.recording.frames
    a, b = (euler_degrees(frames[s.start_seq + 60 : s.end_seq - 60]) for s in (first, second))
    n = min(len(a), len(b))
    assert np.abs(a.mean(axis=0) - b.mean(axis=0)).mean() < 1.5
    assert np.abs(a[:n] - b[:n])[:, 1:].max() > 3.0


# -- bodies


def test_nothing_jumps(performance: Performance) -> None:
    """No joint turns faster than a punch, nothing travels faster than a fall: blends and cycles are continuous."""
    frames = performance.recording.frames
    matrices = rotation_matrix(frames[:, 3:].reshape(len(frames), -1, 3))
    turned = rotation_vector(matrices[1:].swapaxes(2, 3) @ matrices[:-1])
    assert np.degrees(np.linalg.norm(turned, axis=2)).max() * 120 < 1500
    metres = np.diff(frames[:, :3].astype(np.float64), axis=0) * 120 * CMU_EXPMAP.metres_per_unit
    assert np.linalg.norm(metres, axis=1).max() < 5.0


def test_joints_stay_within_what_a_body_can(performance: Performance) -> None:
    degrees = euler_degrees(performance.recording.frames)
    ranges = {
        ("ltibia", 0): (-10, 160),
        ("rtibia", 0): (-10, 160),
        ("lradius", 0): (-5, 140),
        ("rradius", 0): (-5, 140),
        ("lfemur", 0): (-120, 25),
        ("lfoot", 0): (-50, 50),
        ("lowerback", 0): (-40, 65),
        ("head", 1): (-30, 30),
    }
    for (joint, axis), (low, high) in ranges.items():
        values = degrees[:, CMU_EXPMAP.joints.index(joint), axis]
        assert low < values.min() < values.max() < high, joint


def test_freedoms_that_cmu_bodies_lack_stay_0(performance: Performance) -> None:
    degrees = euler_degrees(performance.recording.frames)
    for joint, axes in {"lhipjoint": (0, 1, 2), "ltibia": (1, 2), "rradius": (1, 2), "lwrist": (0, 2)}.items():
        assert np.abs(degrees[:, CMU_EXPMAP.joints.index(joint)][:, axes]).max() < 1e-4, joint
    fingers = degrees[:, CMU_EXPMAP.joints.index("lfingers"), 0]
    assert np.ptp(fingers) < 1e-4 < fingers[0]


def test_feet_stay_near_the_ground(performance: Performance) -> None:
    for name in ("idle", "walk", "wave", "punch", "squat"):
        lowest = joint_positions(CMU_EXPMAP, frames_of(performance, name))[:, FEET, 1].min(axis=1)
        assert -0.2 < lowest.min() < lowest.max() < 1.0, name  # units of 5.6 cm
    for name, height in (("run", 0.7), ("jump", 3.0)):
        lowest = joint_positions(CMU_EXPMAP, frames_of(performance, name))[:, FEET, 1].min(axis=1)
        assert -0.2 < lowest.min() < 0.7, name
        assert height < lowest.max() < 6.0, name


def test_a_foot_that_stands_does_not_slide(performance: Performance) -> None:
    frames = frames_of(performance, "walk")
    feet = joint_positions(CMU_EXPMAP, frames)[:, [CMU_EXPMAP.joints.index("lfoot"), CMU_EXPMAP.joints.index("rfoot")]]
    velocity = np.diff(feet, axis=0)[:, :, [0, 2]] * 120 * CMU_EXPMAP.metres_per_unit
    standing = feet[:-1, :, 1].argmin(axis=1)
    of_standing = velocity[np.arange(len(standing)), standing]
    ahead = np.diff(frames[:, [0, 2]].astype(np.float64), axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    assert abs(np.median((of_standing * ahead).sum(axis=1))) < 0.2
    assert np.median(speed(frames)) > 0.7


def test_actions_differ_as_their_names_say(performance: Performance) -> None:
    pace = {name: float(np.median(speed(frames_of(performance, name)))) for name in ("idle", "walk", "run", "squat")}
    assert pace["idle"] < 0.1 > pace["squat"]
    assert 0.7 < pace["walk"] < 1.3
    assert 1.4 * pace["walk"] < pace["run"] < 3.0
    heights = {name: frames_of(performance, name)[:, 1] for name in ("idle", "squat", "jump")}
    assert 17.0 < heights["idle"].min() < heights["idle"].max() < 19.0
    assert heights["squat"].min() < 10.0
    assert heights["jump"].max() > 20.5
    hand = CMU_EXPMAP.joints.index("rhand")
    head = CMU_EXPMAP.joints.index("upperneck")
    waving = joint_positions(CMU_EXPMAP, frames_of(performance, "wave"))
    assert np.median(waving[:, hand, 1] - waving[:, head, 1]) > 0
    reach = joint_positions(CMU_EXPMAP, frames_of(performance, "punch"))
    chest = CMU_EXPMAP.joints.index("thorax")
    away = np.linalg.norm(reach[:, hand] - reach[:, chest], axis=1)
    assert away.max() > 1.5 * away.min()


def test_the_fall_ends_on_the_ground(performance: Performance) -> None:
    last = performance.recording.frames[-60:]
    positions = joint_positions(CMU_EXPMAP, last)
    assert positions[:, :, 1].max() < 8.0  # 45 cm
    assert positions[:, :, 1].min() > -0.3
    up_in_body = rotation_matrix(last[:, 3:6])[:, :, 1]
    assert np.abs(up_in_body[:, 1]).max() < 0.35


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_an_action_speaks_of_degrees_of_freedom_that_exist(name: str) -> None:
    times = np.linspace(0, 10, 200)
    movement = ACTIONS[name](times, Style())
    for freedom, values in movement.angles.items():
        joint, axis = freedom.split(".")
        assert joint in CMU_EXPMAP.joints
        assert axis in "xyz"
        assert np.isfinite(values).all()
    assert np.all(np.asarray(movement.lift) >= 0)


# -- beside real people


@pytest.mark.data
def test_each_action_lies_nearest_to_its_own_kind_among_real_people(data_dir: Path, performance: Performance) -> None:
    """Mean features of real clips, in spreads of all real motion: the performer's actions fall to their namesakes."""
    clips = {
        "walk": ("sub86/03.mat", 100, 900),
        "run": ("sub86/03.mat", 1000, 1780),
        "jump": ("sub86/07.mat", 4600, 5040),
        "punch": ("sub86/01.mat", 2050, 2450),
        "squat": ("mocap6/amc/13_29.amc", 3804, 4500),
        "idle": ("sub86/13.mat", 2700, 2950),
    }
    names = ("lowerback", "lfemur", "rfemur", "ltibia", "rtibia", "lhumerus", "rhumerus", "lradius", "rradius")
    feature_map = FeatureMap(CMU_EXPMAP, tuple(CMU_EXPMAP.joints.index(name) for name in names))

    def pooled(frames: NDArray[np.float32], of: Recording) -> Array:
        values = recording_features(feature_map, frames, of.timestamps_us[: len(frames)], 30.0).astype(np.float64)
        return np.concatenate([values.mean(axis=0), values.std(axis=0)])

    real = {}
    for name, (file, start, end) in clips.items():
        recording = read_recording(data_dir / file)
        real[name] = pooled(recording.frames[start:end], recording)
    spread = np.std(list(real.values()), axis=0) + 0.05
    for name in clips:
        own = pooled(frames_of(performance, name), performance.recording)
        distances = {other: float(np.linalg.norm((own - value) / spread)) for other, value in real.items()}
        assert min(distances, key=lambda other: distances[other]) == name, distances
