"""How the synthetic performer moves in each action: angles, height and travel as functions of time.

All of it is synthetic. Centres, amplitudes and phases are round numbers near what CMU subjects 02, 13, 14 and 86 do in
such actions, in the degrees of freedom of their Acclaim skeleton; no recorded frame is in here. Times go in as (n,)
seconds since the action began; a `Movement` of the same n comes out. Blending, noise and ground contact are the
performer's business.

Names of degrees of freedom: `lfemur.x` is one, `femur.x` is left and right, mirrored (y and z change sign).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from motionscribe_models.arrays import Array

Angles = dict[str, Array | float]

_PAIRED = ("femur", "tibia", "foot", "toes", "humerus", "radius", "wrist")


def _pose(text: str) -> dict[str, float]:
    """Degrees by degree of freedom, from `name degrees name degrees ...`."""
    words = text.split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


STAND: Mapping[str, float] = _pose(
    "root.x 8  lowerback.x -7  upperback.x 2  thorax.x 5  lowerneck.x -15  upperneck.x 16  head.x 8  "
    "femur.x -15  femur.y 2  femur.z -20  tibia.x 27  foot.x -18  foot.z 5  toes.x -8  "
    "humerus.x -28  humerus.y -4  humerus.z 82  radius.x 34  lwrist.y 14  rwrist.y 14  lhand.x -15  rhand.x -18  "
    "lhand.z 32  rhand.z 28"
)
"""Degrees of freedom of quiet standing, degrees: the actions change some of them."""


@dataclass(frozen=True)
class Style:
    """What makes one performer unlike another; all 1 or 0 is the average one."""

    pace: float = 1.0
    """Multiplies frequencies."""
    reach: float = 1.0
    """Multiplies amplitudes."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """Degrees added to each degree of freedom, always."""


@dataclass(frozen=True)
class Movement:
    """What an action does over n moments."""

    angles: Angles
    """Degrees, by degree of freedom: what differs from STAND."""
    lift: Array | float = 0.0
    """Height of the lowest foot above the ground, m."""
    speed: Array | float = 0.0
    """Along the heading, m/s."""
    turn: Array | float = 0.0
    """Rotation of the heading, degrees/s, left is positive."""
    yaw: Array | float = 0.0
    """Angle of the pelvis to the heading, degrees, left is positive."""


def single(angles: Mapping[str, Array | float]) -> Angles:
    """With `femur.x` and the like written out as left and right."""
    result: Angles = {}
    for name, value in angles.items():
        bone, axis = name.split(".")
        if bone in _PAIRED:
            result["l" + name] = value
            result["r" + name] = value if axis == "x" else -value
        else:
            result[name] = value
    return result


def _gait(
    phase: Array, reach: float, paired: Mapping[str, tuple[float, ...]], trunk: Mapping[str, tuple[float, ...]]
) -> Angles:
    """Centre, then amplitude and phase in degrees of each harmonic; the right side is half a cycle after the left."""

    def wave(phase: Array, terms: tuple[float, ...]) -> Array:
        total = np.full_like(phase, terms[0])
        for k, (amplitude, lead) in enumerate(zip(terms[1::2], terms[2::2], strict=True), 1):
            total += reach * amplitude * np.cos(k * phase + np.deg2rad(lead))
        return total

    angles: Angles = {name: wave(phase, terms) for name, terms in trunk.items()}
    for name, terms in paired.items():
        angles["l" + name] = wave(phase, terms)
        angles["r" + name] = wave(phase + np.pi, terms) * (1 if name.endswith(".x") else -1)
    return angles


def walk(t: Array, style: Style) -> Movement:
    """About 0.8 double steps a second, along a wide circle."""
    phase = 2 * np.pi * 0.8 * style.pace * t
    legs = {
        "femur.x": (-22, 20, 1, 5, -40, 2, -90),
        "femur.y": (2, 2, 0),
        "femur.z": (-21, 5, -140, 1, -120),
        "tibia.x": (33, 9, -77, 13, -160, 5, 115),
        "foot.x": (-15, 3, -95, 4, -80, 2, 175),
        "foot.z": (5, 6, -170),
        "toes.x": (-8, 6, 100, 2, -80),
    }
    arms = {
        "humerus.x": (-30, 10, 28, 3, 85),
        "humerus.y": (-5, 8, -175, 2, -110),
        "humerus.z": (80, 4, -33),
        "radius.x": (34, 7, 10, 5, 53),
    }
    trunk = {
        "root.z": (0, 1.3, 0),
        "lowerback.y": (0, 1.7, -170),
        "lowerback.z": (0, 3, -118),
        "upperback.y": (0, 2.2, -176),
        "thorax.y": (0, 1.1, -172),
        "lowerneck.y": (2, 2, 72),
        "upperneck.y": (3, 3, 72),
    }
    angles = _gait(phase, style.reach, {**legs, **arms}, trunk)
    return Movement(angles, speed=0.95 * style.pace * style.reach, turn=25.0, yaw=4 * np.cos(phase))


def run(t: Array, style: Style) -> Movement:
    """A jog of 1.2 double steps a second, with a short flight, leaning into a circle."""
    phase = 2 * np.pi * 1.2 * style.pace * t
    legs = {
        "femur.x": (-31, 24, -3, 7, -43),
        "femur.y": (-1, 2, -40),
        "femur.z": (-22, 6, -140, 1, -120),
        "tibia.x": (57, 20, -103, 19, 163),
        "foot.x": (-13, 8, -52, 6, -30),
        "foot.z": (5, 4, -115),
        "toes.x": (-9, 6, 90, 2, 170),
    }
    arms = {
        "humerus.x": (-47, 18, 18, 4, 140),
        "humerus.y": (-15, 7, 178),
        "humerus.z": (88, 4, -90),
        "radius.x": (103, 6, 14, 2, 0),
    }
    trunk = {
        "root.x": (13, 0.3, 0, 0.7, 60),
        "root.z": (-5, 2.3, 6),
        "lowerback.y": (0, 3, 178),
        "lowerback.z": (0, 3, -127),
        "upperback.y": (0, 4, 176),
        "thorax.y": (0, 2, 177),
        "lowerneck.y": (5, 2.6, -16),
        "upperneck.y": (7, 4, -17),
    }
    angles = _gait(phase, style.reach, {**legs, **arms}, trunk)
    angles |= {"lwrist.y": 35.0, "rwrist.y": -5.0, "upperneck.x": 12.0}
    flight = np.maximum(0.0, np.cos(2 * phase - np.deg2rad(10)))
    return Movement(angles, lift=0.05 * flight, speed=1.75 * style.pace * style.reach, turn=50.0, yaw=5 * np.cos(phase))


def _keyed(share: Array, keys: Mapping[float, str], reach: float) -> Angles:
    """Angles that pass through key poses at shares 0..1; what a key does not name is as in STAND there."""
    stand = single(STAND)
    poses = [single(_pose(text)) for text in keys.values()]
    angles: Angles = {}
    for name in sorted(set().union(*poses)):
        rest = stand.get(name, 0.0)
        values = np.array([rest + reach * (pose.get(name, rest) - rest) for pose in poses])
        angles[name] = _through(share, np.array(list(keys)), values)
    return angles


def _through(share: Array, times: Array, values: Array) -> Array:
    """Values (k,) at times (k,), joined by cubics that never overshoot and rest at both ends and at each turn."""
    width, slope = np.diff(times), np.diff(values) / np.diff(times)
    tangent = np.zeros(len(values))
    onward = slope[:-1] * slope[1:] > 0
    tangent[1:-1][onward] = 2 / (1 / slope[:-1][onward] + 1 / slope[1:][onward])
    k = np.clip(np.searchsorted(times, share, side="right") - 1, 0, len(width) - 1)
    u = (share - times[k]) / width[k]
    ease = u * u * (3 - 2 * u)
    bend = width[k] * u * (1 - u) * ((1 - u) * tangent[k] - u * tangent[k + 1])
    return np.asarray(values[k] + ease * (values[k + 1] - values[k]) + bend)


_STANCE = "root.x 17 femur.x -33 tibia.x 42 foot.x -25 humerus.x -40 humerus.z 66 radius.x 50 upperneck.x 15"
_JUMP = {
    0.0: _STANCE,
    0.42: "root.x 38 lowerback.x 2 thorax.x 2 femur.x -75 femur.z -18 tibia.x 78 foot.x -28 "
    "humerus.x -65 humerus.z 60 radius.x 42 upperneck.x -5",
    0.60: "root.x 15 lowerback.x -5 femur.x -16 tibia.x 8 foot.x 8 foot.z 20 humerus.x 40 humerus.z 78 radius.x 85",
    0.84: "root.x 24 femur.x -55 tibia.x 62 foot.x -27 humerus.x 5 humerus.z 70 radius.x 85",
    1.0: _STANCE,
}


def jump(t: Array, style: Style) -> Movement:
    """Jumps on the spot, one every 1.8 s: crouch, arms swing up, 0.4 s in the air, landing."""
    share = (t * style.pace / 1.8) % 1.0
    air = np.clip((share - 0.54) / 0.23, 0.0, 1.0)  # 0.4 s in the air is a height of 0.2 m
    return Movement(_keyed(share, _JUMP, style.reach), lift=0.21 * style.reach * 4 * air * (1 - air))


_UP = "root.x 5 lowerback.x 9 thorax.x -4 femur.x -14 femur.y 4 humerus.x -22 humerus.z 50 radius.x 85 upperneck.x 5"
_DOWN = (
    "root.x 1 lowerback.x 42 thorax.x -11 femur.x -98 femur.y 6 tibia.x 143 foot.x -37 foot.z 12 "
    "humerus.x 28 humerus.z 47 radius.x 72 upperneck.x -10"
)


def squat(t: Array, style: Style) -> Movement:
    """Deep knee bends of 3 s, arms swinging forward for balance."""
    share = (t * style.pace / 3.0) % 1.0
    return Movement(_keyed(share, {0.0: _UP, 0.46: _DOWN, 0.54: _DOWN, 0.94: _UP, 1.0: _UP}, style.reach))


_GUARD = "root.x 12 lowerback.x -12 thorax.x 8 femur.x -27 tibia.x 39 foot.x -25 foot.z 6 upperneck.x 18"


def punch(t: Array, style: Style) -> Movement:
    """Left and right punches in turn, one a second, from a guard with bent elbows."""
    turn = (t * style.pace / 2.0) % 1.0
    strikes = [_strike((turn - begin) % 1.0) for begin in (0.1, 0.6)]
    angles = single(_pose(_GUARD))
    for side, sign, strike in (("l", 1.0, strikes[0]), ("r", -1.0, strikes[1])):
        angles[f"{side}humerus.x"] = -50 + 95 * style.reach * strike
        angles[f"{side}humerus.y"] = sign * (-10 + 18 * strike)
        angles[f"{side}humerus.z"] = sign * (95 - 42 * style.reach * strike)
        angles[f"{side}radius.x"] = 108 - 92 * strike
    twist = style.reach * (strikes[1] - strikes[0])
    angles |= {"lowerback.y": 7 * twist, "thorax.y": 5 * twist, "upperneck.y": -14 * twist, "root.z": -2 * twist}
    angles |= {"lfemur.y": -8 * twist, "rfemur.y": -8 * twist, "lwrist.y": 20 + 30 * strikes[1]}
    return Movement(angles, yaw=14 * twist)


def _strike(share: Array) -> Array:
    """0 to 1 and back: out within 0.2 s, back within 0.5 s of a cycle of 2 s."""
    return _through(share, np.array([0.0, 0.10, 0.13, 0.38, 1.0]), np.array([0.0, 1.0, 1.0, 0.0, 0.0]))


def wave(t: Array, style: Style) -> Movement:
    """Standing with the right upper arm out and the forearm up, swinging from the elbow 1.5 times a second."""
    swing = np.sin(2 * np.pi * 1.5 * style.pace * t)
    angles: Angles = {
        "rhumerus.x": 5 + 5 * swing,
        "rhumerus.y": -42 + 6 * swing,
        "rhumerus.z": 12 + 4 * swing,
        "rradius.x": 75 + 27 * style.reach * swing,
        "rwrist.y": 10 + 6 * swing,
        "rhand.z": 28 + 8 * swing,
        "lowerback.z": -2 + swing,
        "upperneck.y": -6.0,
    }
    return Movement(angles)


def idle(t: Array, style: Style) -> Movement:
    """Standing and looking about, the weight moving slowly from leg to leg."""
    sway, look = np.sin(2 * np.pi * 0.16 * style.pace * t), np.sin(2 * np.pi * 0.11 * style.pace * t + 1)
    angles: Angles = {
        "root.z": 1.5 * sway,
        "lowerback.z": -2 * sway,
        "lfemur.z": -20 - 2 * sway,
        "rfemur.z": 20 - 2 * sway,
    }
    angles |= {"lowerneck.y": 5 * look, "upperneck.y": 9 * look, "head.y": 4 * look}
    return Movement(angles)


_FALLING = {
    0.0: "root.x 8",
    0.12: "root.x 8",
    0.45: "root.x 42 root.z 6 femur.x -55 tibia.x 85 foot.x -10 humerus.x 40 humerus.y 10 humerus.z 50 radius.x 70",
    0.8: "root.x 86 root.z 2 lowerback.x 0 femur.x -8 tibia.x 22 foot.x 25 humerus.x -15 humerus.z 62 radius.x 40 "
    "upperneck.x 2 upperneck.y 20",
    1.0: "root.x 87 root.z 2 lowerback.x 0 femur.x -2 tibia.x 8 foot.x 28 humerus.x -26 humerus.z 68 radius.x 25 "
    "upperneck.x 0 upperneck.y 25",
}


def fall(t: Array, style: Style) -> Movement:
    """The knees give way, the body pitches forward to the ground within 1.2 s and stays there."""
    way = np.minimum(t * style.pace / 1.4, 1.0)
    speed = 0.9 * np.exp(-(((way - 0.5) / 0.2) ** 2))
    return Movement(_keyed(way, _FALLING, 1.0), speed=speed)


ACTIONS: Mapping[str, Callable[[Array, Style], Movement]] = {
    "walk": walk,
    "run": run,
    "jump": jump,
    "wave": wave,
    "squat": squat,
    "punch": punch,
    "idle": idle,
    "fall": fall,
}
