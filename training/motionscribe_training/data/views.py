"""Recordings of bodies as one camera without depth sees them: what a model of bodies in images learns from.

In: recordings of the canonical body in space (motionscribe_models/body). Out: the same motion in the image of a camera
that stands anywhere around it. All is drawn from a generator.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.skeleton import BODY2D
from motionscribe_models.recordings import Recording
from motionscribe_training.data.degrade import degraded

VIEWS = 4
"""Of a recording, half of them of its degraded copy."""
PITCH_DEGREES = (-10.0, 35.0)
"""How far a camera looks down: from a low table to a wall above heads."""
NEAREST_M = (2.5, 6.0)
"""Between a camera and the place where the body comes nearest to it."""
FOCAL_PX = 1000.0

PELVIS = JOINTS.index("pelvis")


def views_of(recordings: Sequence[Recording], rng: np.random.Generator, views: int = VIEWS) -> list[Recording]:
    """`views` of each recording (n, 46), every second one of a worse camera (degrade.py)."""
    return [
        seen_from_anywhere(degraded(recording, rng) if view % 2 else recording, rng)
        for view in range(views)
        for recording in recordings
    ]


def seen_from_anywhere(recording: Recording, rng: np.random.Generator) -> Recording:
    """The image of one camera that stays where it is."""
    return seen_from(recording, rng.uniform(0, 360), rng.uniform(*PITCH_DEGREES), rng.uniform(*NEAREST_M))


def seen_from(recording: Recording, yaw: float, pitch: float, nearest_m: float) -> Recording:
    """The image of a camera that looks at the middle of the body's path, `pitch` degrees down, from `yaw` degrees."""
    places = recording.frames[:, :-1].reshape(len(recording.frames), -1, 3)
    path = places[:, PELVIS][np.isfinite(places[:, PELVIS]).all(axis=1)]
    centre = (path.min(axis=0) + path.max(axis=0)) / 2
    distance = nearest_m + float(np.linalg.norm(path - centre, axis=1).max())
    around, down = np.radians([yaw, pitch])
    right = np.array([np.cos(around), 0, -np.sin(around)])
    back = np.array([np.sin(around) * np.cos(down), np.sin(down), np.cos(around) * np.cos(down)])
    seen = (places - centre) @ np.stack([right, np.cross(back, right), back], axis=1)  # right, up, towards the camera
    image = FOCAL_PX * seen[..., :2] / np.maximum(distance - seen[..., 2:], 0.5)
    frames = np.hstack([image.reshape(len(image), -1), np.zeros((len(image), 1))]).astype(np.float32)
    skeleton = replace(BODY2D, rate_hz=recording.skeleton.rate_hz)
    return replace(recording, name=f"{recording.name} from {yaw:.0f} degrees", frames=frames, skeleton=skeleton)
