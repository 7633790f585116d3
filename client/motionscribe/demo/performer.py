"""A synthetic performer: labelled motion by construction, in the 96-column CMU layout, for the demo and for tests.

SYNTHETIC: nobody was recorded. A script of actions goes in; a `Recording` (n, 96) and the truth come out. A performer
(one seed) has a style of their own in pace, reach and posture; actions blend over half a second, joints never repeat
exactly, the feet meet the ground, and a sensor adds its noise. There are no dynamics: no balance, no contact forces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motionscribe.demo.actions import ACTIONS
from motionscribe.demo.falls import balance_lost
from motionscribe.demo.faults import BODY, SENSORS, Fault, apply_faults
from motionscribe.demo.movement import STAND, Movement, Style, single
from motionscribe_models.arrays import Array
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times
from motionscribe_models.rotations import euler_vector, rotation_matrix, rotation_vector

SCRIPT: tuple[tuple[str, float], ...] = (
    ("idle", 5.0),
    ("walk", 8.0),
    ("wave", 6.0),
    ("walk", 7.0),
    ("run", 7.0),
    ("jump", 8.0),
    ("squat", 8.0),
    ("punch", 8.0),
    ("run", 6.0),
    ("wave", 6.0),
    ("squat", 7.0),
    ("idle", 5.0),
    ("fall", 4.0),
)
"""Action and seconds: each action appears, most return, a fall ends it."""

BLEND_S = 0.5
"""From one action to the next; the boundary lies in the middle."""

TREMOR_DEG, TREMOR_S = 1.2, 0.35
"""Motion that no cycle explains, of each degree of freedom: its spread and time scale, a little under subject 86's."""

NOISE_DEG, NOISE_UNITS = 0.05, 0.001
"""Sensor noise of angles and translations, white: what second differences of CMU recordings show."""

CONTACT_S = 0.04
"""How suddenly weight passes from one foot to the other."""

FINGERS_DEG = 7.125
"""CMU's fingers never move; its thumbs go with the hand."""

_THUMBS = {"l": (26.4, 0.0, 29.7), "r": (26.4, 0.0, -29.9)}
"""Degrees from hand to thumb."""

_SKIN = {"root": 1.6, "lowerback": 1.8, "upperback": 2.0, "thorax": 2.0, "upperneck": 1.2, "head": 1.4}
"""Units between joint and skin, where it is more than a foot's."""


@dataclass(frozen=True)
class Truth:
    """One action: half-open [start_seq, end_seq), the first frame is 1."""

    start_seq: int
    end_seq: int
    name: str
    balance_lost_seq: int | None = None
    """From this frame on the pelvis goes down without stopping until the body lies; None where nobody falls.

    Some of those who `fall` do so while they still blend into it, up to 0.1 s before start_seq.
    """


@dataclass(frozen=True)
class Performance:
    """A synthetic recording and what is in it; segments tile it."""

    recording: Recording
    segments: tuple[Truth, ...]
    faults: tuple[Fault, ...] = ()
    """In the order of their first frames."""


def perform(
    script: Sequence[tuple[str, float]] | None = None,
    seed: int = 0,
    rate_hz: float = 120.0,
    faults: Sequence[tuple[str, float, float]] = (),
) -> Performance:
    """Acts out `script` (action, seconds) with `faults` (kind, second at which it begins, seconds that it lasts).

    Equal arguments give equal frames; faults change nothing outside their time, but that the ground follows the feet
    0.12 s earlier and later. Raises ValueError for a wrong script or fault.
    """
    script = SCRIPT if script is None else script
    if not script or not 10 <= rate_hz <= 1000:
        raise ValueError(f"expected a script and a rate of 10 to 1000 Hz, got {len(script)} actions at {rate_hz} Hz")
    for name, seconds in script:
        if name not in ACTIONS or not BLEND_S <= seconds <= 3600:
            raise ValueError(
                f"expected one of {', '.join(ACTIONS)} for {BLEND_S} to 3600 s, got {name!r} for {seconds} s"
            )
    for kind, _, _ in faults:
        if kind not in BODY and kind not in SENSORS:
            raise ValueError(f"expected a fault of {', '.join((*BODY, *SENSORS))}, got {kind!r}")
    rng = np.random.default_rng(seed)
    style = _draw_style(rng)
    edges = np.rint(np.cumsum([0.0, *(seconds for _, seconds in script)]) * rate_hz).astype(int)
    joints = len(CMU_EXPMAP.joints)
    angles, travel = np.zeros((edges[-1], joints, 3)), np.zeros((edges[-1], 4))
    half = round(BLEND_S * rate_hz / 2)
    tips: list[int | None] = []
    for (name, _), start, end in zip(script, edges[:-1], edges[1:], strict=True):
        begin, stop = max(0, start - half), min(edges[-1], end + half)
        movement = ACTIONS[name](np.arange(stop - begin) / rate_hz, _vary(style, rng))
        weight = _weight(np.arange(begin, stop), start, end, half, edges[-1])
        angles[begin:stop] += weight[:, None, None] * _joint_angles(movement, style, stop - begin)
        travel[begin:stop] += weight[:, None] * _travel(movement, stop - begin)
        tips.append(None if movement.tips_s is None else int(begin) + round(movement.tips_s * rate_hz))
    of_body = apply_faults(BODY, faults, angles, rate_hz, seed)
    frames = _frames(_with_tremor(angles, rate_hz, rng), travel, rate_hz)
    heights = frames[:, 1].copy()
    frames[:, :3] += rng.normal(0, NOISE_UNITS, size=(len(frames), 3))
    of_sensors = apply_faults(SENSORS, faults, frames[:, 3:].reshape(len(frames), joints, 3), rate_hz, seed)
    skeleton = replace(CMU_EXPMAP, rate_hz=rate_hz)
    recording = Recording(f"synthetic-{seed}", frames.astype(np.float32), even_times(len(frames), rate_hz), skeleton)
    segments = tuple(
        Truth(start + 1, end + 1, name, None if at is None or at >= end else balance_lost(heights[:end], at) + 1)
        for (name, _), start, end, at in zip(script, edges[:-1].tolist(), edges[1:].tolist(), tips, strict=True)
    )
    return Performance(recording, segments, tuple(sorted(of_body + of_sensors, key=lambda fault: fault.start_seq)))


def _draw_style(rng: np.random.Generator) -> Style:
    """The style of a new performer."""
    firm = ("root", "lfemur", "rfemur", "ltibia", "rtibia", "lfoot", "rfoot")
    offsets = {name: float(rng.normal(0, 1.5 if name.split(".")[0] in firm else 3.5)) for name in single(STAND)}
    return Style(float(rng.uniform(0.9, 1.1)), float(rng.uniform(0.9, 1.08)), offsets)


def _vary(style: Style, rng: np.random.Generator) -> Style:
    """The style for one action: nobody does it twice alike."""
    return replace(style, pace=style.pace * rng.uniform(0.96, 1.04), reach=style.reach * rng.uniform(0.97, 1.03))


def _joint_angles(movement: Movement, style: Style, count: int) -> Array:
    """Degrees (count, J, 3) of a movement in a style."""
    angles = np.zeros((count, len(CMU_EXPMAP.joints), 3))
    for name, value in {**single(STAND), **movement.angles}.items():
        bone, axis = name.split(".")
        angles[:, CMU_EXPMAP.joints.index(bone), "xyz".index(axis)] = value + style.offsets.get(name, 0.0)
    return angles


def _travel(movement: Movement, count: int) -> Array:
    """Lift, speed, turn and yaw (count, 4) of a movement."""
    columns = (movement.lift, movement.speed, movement.turn, movement.yaw)
    return np.stack([np.broadcast_to(np.asarray(column, dtype=float), count) for column in columns], axis=1)


def _weight(at: NDArray[np.int_], start: int, end: int, half: int, total: int) -> Array:
    """Share of an action in frames `at`: 1 inside, half a cosine at each end but the recording's own."""

    def rise(distance: NDArray[np.int_]) -> Array:
        return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((distance + half + 0.5) / (2 * half + 1), 0, 1)))

    before = rise(at - start) if start > 0 else np.ones(len(at))
    after = rise(end - 1 - at) if end < total else np.ones(len(at))
    return np.asarray(before * after)


def _reach(seconds: float, rate_hz: float) -> int:
    """Frames on each side of a bell of this standard deviation."""
    return max(1, round(3 * seconds * rate_hz))


def _smooth(values: Array, seconds: float, rate_hz: float) -> Array:
    """(n + 2 reach, C) convolved over time with a bell of this standard deviation, to (n, C)."""
    reach = _reach(seconds, rate_hz)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (seconds * rate_hz)) ** 2)
    return np.stack([np.convolve(column, bell / bell.sum(), mode="valid") for column in values.T], axis=1)


def _with_tremor(angles: Array, rate_hz: float, rng: np.random.Generator) -> Array:
    """Degrees (n, J, 3) with tremor and sensor noise in what moves, and CMU's fingers and thumbs."""
    angles = angles.copy()
    moving = np.abs(angles).max(axis=0) > 0
    longer = len(angles) + 2 * _reach(TREMOR_S, rate_hz)
    tremor = _smooth(rng.normal(size=(longer, int(moving.sum()))), TREMOR_S, rate_hz)
    # white noise under a bell of s frames keeps a spread of 1 / sqrt(2 s sqrt(pi))
    angles[:, moving] += tremor * TREMOR_DEG * np.sqrt(2 * TREMOR_S * rate_hz * np.sqrt(np.pi))
    angles[:, moving] += rng.normal(0, NOISE_DEG, size=tremor.shape)
    for side, apart in _THUMBS.items():
        hand, thumb, fingers = (CMU_EXPMAP.joints.index(side + bone) for bone in ("hand", "thumb", "fingers"))
        angles[:, thumb] = angles[:, hand] + apart
        angles[:, fingers, 0] = FINGERS_DEG
    return angles


def _frames(angles: Array, travel: Array, rate_hz: float) -> Array:
    """Raw frames (n, 96) of degrees (n, J, 3) and travel (n, 4): heading, place, and the lowest point on the ground."""
    metres = CMU_EXPMAP.metres_per_unit
    lift, speed, turn, yaw = travel.T
    heading = np.deg2rad(np.cumsum(turn) / rate_hz)
    ahead = np.stack([np.sin(heading), np.zeros_like(heading), np.cos(heading)], axis=1)
    upward = np.stack([np.zeros_like(heading), heading + np.deg2rad(yaw), np.zeros_like(heading)], axis=1)
    root = rotation_matrix(upward) @ rotation_matrix(euler_vector(angles[:, 0]))
    frames = np.zeros((len(angles), CMU_EXPMAP.width))
    frames[:, 3:] = -euler_vector(angles).reshape(len(angles), -1)
    frames[:, 3:6] = -rotation_vector(root)
    frames[:, :3] = np.cumsum(ahead * speed[:, None], axis=0) / rate_hz / metres
    skin = np.array([_SKIN.get(joint, 0.3) for joint in CMU_EXPMAP.joints])
    lowest = (joint_positions(CMU_EXPMAP, frames)[:, :, 1] - skin).min(axis=1)
    ground = np.pad(lowest, _reach(CONTACT_S, rate_hz), mode="edge")
    frames[:, 1] = lift / metres - _smooth(ground[:, None], CONTACT_S, rate_hz)[:, 0]
    return frames
