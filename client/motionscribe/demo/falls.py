"""How the synthetic performer loses their balance (see actions.py): four falls, and a stumble that is none.

A fall stands at first; `Movement.tips_s` is when its key poses leave that stand. There are no dynamics; the performer
keeps the lowest point on the ground.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from motionscribe.demo.gaits import walk
from motionscribe.demo.movement import STAND, Angles, Movement, Style, keyed, pose, single
from motionscribe_models.arrays import Array

LYING_SHARE = 0.2
"""Of the height that a pelvis falls: what is left of it when the body lies."""

_FORWARDS = {
    0.0: "root.x 8",
    0.12: "root.x 8",
    0.45: "root.x 42 root.z 6 femur.x -55 tibia.x 85 foot.x -10 humerus.x 40 humerus.y 10 humerus.z 50 radius.x 70",
    0.8: "root.x 86 root.z 2 lowerback.x 0 femur.x -8 tibia.x 22 foot.x 25 humerus.x -15 humerus.z 62 radius.x 40 "
    "upperneck.x 2 upperneck.y 20",
    1.0: "root.x 87 root.z 2 lowerback.x 0 femur.x -2 tibia.x 8 foot.x 28 humerus.x -26 humerus.z 68 radius.x 25 "
    "upperneck.x 0 upperneck.y 25",
}
_BACKWARDS = {
    0.0: "root.x 8",
    0.3: "root.x 8",
    0.62: "root.x -22 lowerback.x 12 femur.x -62 tibia.x 72 foot.x -8 humerus.x 20 humerus.z 45 radius.x 30 "
    "upperneck.x 28",
    0.85: "root.x -64 lowerback.x 10 femur.x -48 tibia.x 50 foot.x 5 humerus.x -45 humerus.z 55 radius.x 25 "
    "upperneck.x 30",
    1.0: "root.x -84 lowerback.x -2 femur.x -22 tibia.x 26 foot.x 10 humerus.x -35 humerus.z 62 radius.x 25 "
    "upperneck.x 14",
}
_SIDEWAYS = {
    0.0: "root.x 8",
    0.3: "root.x 8",
    0.6: "root.x 10 root.z 34 rfemur.x -48 rtibia.x 82 lfemur.x -30 ltibia.x 44 foot.x -14 lhumerus.z 30 "
    "rhumerus.x -50 rhumerus.z -70 radius.x 40",
    0.85: "root.x 6 root.z 74 femur.x -36 tibia.x 56 foot.x 5 lhumerus.z 60 rhumerus.x -60 rhumerus.z -84 radius.x 55",
    1.0: "root.x 4 root.z 86 femur.x -28 tibia.x 48 foot.x 12 lhumerus.z 72 rhumerus.x -60 rhumerus.z -86 radius.x 60",
}
_COLLAPSE = {
    0.0: "root.x 8",
    0.2: "root.x 8",
    0.5: "root.x 12 root.z 3 lowerback.x 10 femur.x -66 tibia.x 114 foot.x -16 humerus.z 84 radius.x 20 upperneck.x 30 "
    "head.x 20",
    0.75: "root.x 14 root.z 24 lowerback.x 16 femur.x -82 tibia.x 142 foot.x 25 humerus.z 84 radius.x 20 "
    "upperneck.x 32 head.x 22",
    1.0: "root.x 16 root.z 84 lowerback.x 18 femur.x -84 tibia.x 130 foot.x 30 humerus.x -50 humerus.z 84 radius.x 50 "
    "upperneck.x 24 head.x 16",
}


def fall(t: Array, style: Style) -> Movement:
    """The knees give way, the body pitches forward to the ground within 1.2 s and stays there."""
    way = np.minimum(t * style.pace / 1.4, 1.0)
    speed = 0.9 * np.exp(-(((way - 0.5) / 0.2) ** 2))
    return Movement(keyed(way, _FORWARDS, 1.0), speed=speed, tips_s=0.12 * 1.4 / style.pace)


def fall_backwards(t: Array, style: Style) -> Movement:
    """Half a second of standing; then the body sits down backwards and lies on its back 1.1 s later."""
    way = np.minimum(t * style.pace / 1.6, 1.0)
    speed = -0.7 * np.exp(-(((way - 0.6) / 0.2) ** 2))
    return Movement(keyed(way, _BACKWARDS, 1.0), speed=speed, tips_s=0.3 * 1.6 / style.pace)


def fall_sideways(t: Array, style: Style) -> Movement:
    """Half a second of standing; then the body tips over its right leg and lies on its side 1.1 s later."""
    way = np.minimum(t * style.pace / 1.6, 1.0)
    return Movement(keyed(way, _SIDEWAYS, 1.0), tips_s=0.3 * 1.6 / style.pace)


def collapse(t: Array, style: Style) -> Movement:
    """Half a second of standing; then the knees give way slowly, and the body slumps to its side within 2.4 s."""
    way = np.minimum(t * style.pace / 3.0, 1.0)
    return Movement(keyed(way, _COLLAPSE, 1.0), tips_s=0.2 * 3.0 / style.pace)


_LURCH: Mapping[str, float] = pose(
    "root.x 26 lowerback.x 12 femur.x -34 tibia.x 62 foot.x -6 humerus.x 30 humerus.z -28 radius.x 30 upperneck.x -10"
)
"""Degrees added to the walk at the worst moment."""


def stumble(t: Array, style: Style) -> Movement:
    """A walk with a trip after a second: the body lurches forward, arms out, and is upright again a second later."""
    walking = walk(t, style)
    lurch = np.square(np.sin(np.pi * np.clip(t * style.pace - 0.8, 0.0, 1.0)))
    angles: Angles = {**single(STAND), **walking.angles}
    for name, degrees in single(_LURCH).items():
        angles[name] = angles[name] + style.reach * lurch * degrees
    return replace(walking, angles=angles, speed=walking.speed * (1 + 0.5 * lurch))


def balance_lost(heights: Array, tips: int) -> int:
    """The frame from which a pelvis goes down without stopping until the body lies, not before frame `tips`.

    `heights` (n,) are those of a fall, without sensor noise. The end of the action before may still lift the pelvis.
    """
    lowest = heights[tips:].min()
    lies = tips + int(np.argmax(heights[tips:] <= lowest + LYING_SHARE * (heights[tips] - lowest)))
    not_down = np.flatnonzero(np.diff(heights[tips : lies + 1]) >= 0)
    return tips + (int(not_down[-1]) + 1 if len(not_down) else 0)
