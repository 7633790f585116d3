"""What an action of the synthetic performer is made of: a style goes in, angles over time come out.

Names of degrees of freedom: `lfemur.x` is one, `femur.x` is left and right, mirrored (y and z change sign).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from motionscribe_models.arrays import Array

Angles = dict[str, Array | float]

_PAIRED = ("femur", "tibia", "foot", "toes", "humerus", "radius", "wrist")


def pose(text: str) -> dict[str, float]:
    """Degrees by degree of freedom, from `name degrees name degrees ...`."""
    words = text.split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


STAND: Mapping[str, float] = pose(
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
    tips_s: float | None = None
    """When a fall begins to tip; None where nobody falls."""


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


def gait(
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


def keyed(share: Array, keys: Mapping[float, str], reach: float) -> Angles:
    """Angles that pass through key poses at shares 0..1; what a key does not name is as in STAND there."""
    stand = single(STAND)
    poses = [single(pose(text)) for text in keys.values()]
    angles: Angles = {}
    for name in sorted(set().union(*poses)):
        rest = stand.get(name, 0.0)
        values = np.array([rest + reach * (pose.get(name, rest) - rest) for pose in poses])
        angles[name] = through(share, np.array(list(keys)), values)
    return angles


def through(share: Array, times: Array, values: Array) -> Array:
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
