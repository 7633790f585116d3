"""How the synthetic performer walks and runs (see actions.py)."""

import numpy as np

from motionscribe.demo.movement import Movement, Style, gait
from motionscribe_models.arrays import Array


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
    angles = gait(phase, style.reach, {**legs, **arms}, trunk)
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
    angles = gait(phase, style.reach, {**legs, **arms}, trunk)
    angles |= {"lwrist.y": 35.0, "rwrist.y": -5.0, "upperneck.x": 12.0}
    flight = np.maximum(0.0, np.cos(2 * phase - np.deg2rad(10)))
    return Movement(angles, lift=0.05 * flight, speed=1.75 * style.pace * style.reach, turn=50.0, yaw=5 * np.cos(phase))
