"""Recordings of bodies as a worse camera would have seen them: another copy to learn from.

In: a recording of the canonical body (motionscribe_models/body). Out: the same motion with trembling joints, limbs out
of sight, a tilted camera, or the pelvis held in place, as monocular cameras give it. All is drawn from a generator.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from motionscribe_models.arrays import Single
from motionscribe_models.body.joints import JOINTS, SEEN
from motionscribe_models.recordings import Recording

TREMBLE_S = 0.15
"""Time constant of the noise: a camera errs in the same direction for a while."""
NOISE_M = (0.01, 0.04)
LOST_S = 0.7
"""How long a joint stays out of sight, on average."""
LOST_SHARE = 0.1
"""Of the time, of each joint of the limbs."""
TILT_DEGREES = 20.0
ROOTLESS_SHARE = 0.5
"""Of the copies have no path of the pelvis."""

PELVIS = JOINTS.index("pelvis")
LIMBS = [JOINTS.index(joint) for joint in SEEN if joint.split("_")[-1] in ("elbow", "wrist", "knee", "ankle")]


def with_degraded(recordings: Sequence[Recording], rng: np.random.Generator) -> list[Recording]:
    """All recordings, then a copy of each."""
    return [*recordings, *(degraded(recording, rng) for recording in recordings)]


def degraded(recording: Recording, rng: np.random.Generator) -> Recording:
    """A copy with something of everything."""
    rate_hz = recording.skeleton.rate_hz
    frames = recording.frames.copy()
    places = frames[:, :-1].reshape(len(frames), -1, 3)  # a view
    places += noise(places.shape, rate_hz, rng.uniform(*NOISE_M), rng)
    lose(places, LIMBS, rate_hz, LOST_SHARE, rng)
    if rng.random() < ROOTLESS_SHARE:
        hold_pelvis(places)
    tilt(places, rng.uniform(0, TILT_DEGREES))
    frames[:, -1] = 0  # level
    return replace(recording, name=f"{recording.name} degraded", frames=frames)


def noise(shape: tuple[int, ...], rate_hz: float, metres: float, rng: np.random.Generator) -> Single:
    """Ornstein-Uhlenbeck noise (n, ...) of a standard deviation in metres per axis."""
    kept = np.exp(-1 / (TREMBLE_S * rate_hz))
    shocks = rng.standard_normal(shape, np.float32) * np.sqrt(1 - kept * kept)
    shocks[0] /= np.sqrt(1 - kept * kept)
    trembling: NDArray[np.floating] = lfilter([1], [1, -kept], shocks, axis=0)
    return (metres * trembling).astype(np.float32)


def lose(places: Single, joints: list[int], rate_hz: float, share: float, rng: np.random.Generator) -> None:
    """Makes each of `joints` of places (n, J, 3) not seen for a `share` of the time, for LOST_S at a time."""
    for joint in joints:
        end = 0
        while end < len(places):
            start = end + 1 + int(rng.exponential(LOST_S * rate_hz * (1 - share) / share))
            end = start + 1 + int(rng.exponential(LOST_S * rate_hz))
            places[start:end, joint] = np.nan


def hold_pelvis(places: Single) -> None:
    """Places (n, J, 3) as they are about the pelvis."""
    places -= places[:, [PELVIS]].copy()


def tilt(places: Single, degrees: float) -> None:
    """Turns places (n, J, 3) as a camera sees them that looks down by so much."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    places[:] = places @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]], np.float32)
