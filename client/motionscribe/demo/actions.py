"""How the synthetic performer moves in each action: angles, height and travel as functions of time.

All of it is synthetic. Centres, amplitudes and phases are round numbers near what CMU subjects 02, 13, 14 and 86 do in
such actions, in the degrees of freedom of their Acclaim skeleton; no recorded frame is in here. Times go in as (n,)
seconds since the action began; a `Movement` of the same n comes out. Blending, noise and ground contact are the
performer's business.

Walking and running are in gaits.py, falling in falls.py, what they are made of in movement.py.
"""

from collections.abc import Callable, Mapping

import numpy as np

from motionscribe.demo.falls import collapse, fall, fall_backwards, fall_sideways, stumble
from motionscribe.demo.gaits import run, walk
from motionscribe.demo.movement import Angles, Movement, Style, keyed, pose, single, through
from motionscribe_models.arrays import Array

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
    return Movement(keyed(share, _JUMP, style.reach), lift=0.21 * style.reach * 4 * air * (1 - air))


_UP = "root.x 5 lowerback.x 9 thorax.x -4 femur.x -14 femur.y 4 humerus.x -22 humerus.z 50 radius.x 85 upperneck.x 5"
_DOWN = (
    "root.x 1 lowerback.x 42 thorax.x -11 femur.x -98 femur.y 6 tibia.x 143 foot.x -37 foot.z 12 "
    "humerus.x 28 humerus.z 47 radius.x 72 upperneck.x -10"
)


def squat(t: Array, style: Style) -> Movement:
    """Deep knee bends of 3 s, arms swinging forward for balance."""
    share = (t * style.pace / 3.0) % 1.0
    return Movement(keyed(share, {0.0: _UP, 0.46: _DOWN, 0.54: _DOWN, 0.94: _UP, 1.0: _UP}, style.reach))


_GUARD = "root.x 12 lowerback.x -12 thorax.x 8 femur.x -27 tibia.x 39 foot.x -25 foot.z 6 upperneck.x 18"


def punch(t: Array, style: Style) -> Movement:
    """Left and right punches in turn, one a second, from a guard with bent elbows."""
    turn = (t * style.pace / 2.0) % 1.0
    strikes = [_strike((turn - begin) % 1.0) for begin in (0.1, 0.6)]
    angles = single(pose(_GUARD))
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
    return through(share, np.array([0.0, 0.10, 0.13, 0.38, 1.0]), np.array([0.0, 1.0, 1.0, 0.0, 0.0]))


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


ACTIONS: Mapping[str, Callable[[Array, Style], Movement]] = {
    "walk": walk,
    "run": run,
    "jump": jump,
    "wave": wave,
    "squat": squat,
    "punch": punch,
    "idle": idle,
    "fall": fall,
    "fall_backwards": fall_backwards,
    "fall_sideways": fall_sideways,
    "collapse": collapse,
    "stumble": stumble,
}
