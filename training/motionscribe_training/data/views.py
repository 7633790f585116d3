"""Recordings of bodies as one camera without depth sees them: what a model of bodies in images learns from.

In: recordings of the canonical body in space (motionscribe_models/body). Out: the same motion in the image of a camera
that stands anywhere around it. All is drawn from a generator.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording
from motionscribe_training.data.degrade import PELVIS, degraded
from motionscribe_training.data.mirror import partners_of

VIEWS = 4
"""Of a recording: as it is and degraded, then both again in a mirror, so that no side is the near one."""
PITCH_DEGREES = (-10.0, 35.0)
"""How far a camera looks down: from a low table to a wall above heads."""
NEAREST_M = (2.5, 6.0)
"""Between a camera and the place where the body comes nearest to it."""
FOCAL_PX = 1000.0


def views_of(recordings: Sequence[Recording], rng: np.random.Generator) -> list[Recording]:
    """VIEWS of each recording, the first of all of them, then the second of all. Raises RecordingError."""
    seen = []
    for view in range(VIEWS):
        worse, mirror = view % 2 == 1, view // 2 % 2 == 1
        images = [seen_from_anywhere(degraded(r, rng) if worse else r, rng) for r in recordings]
        seen += [in_mirror(image) for image in images] if mirror else images
    return seen


def seen_from_anywhere(recording: Recording, rng: np.random.Generator) -> Recording:
    """The image of one camera that stays where it is. Raises RecordingError for what is an image already."""
    return seen_from(recording, rng.uniform(0, 360), rng.uniform(*PITCH_DEGREES), rng.uniform(*NEAREST_M))


def seen_from(recording: Recording, yaw: float, pitch: float, nearest_m: float) -> Recording:
    """The image of a camera that looks at the middle of the body's path, `pitch` degrees down, from `yaw` degrees."""
    if recording.skeleton.representation != BODY.representation:
        raise RecordingError(f"{recording.name}: expected a body in space, to be seen from all sides, got an image")
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


def in_mirror(image: Recording) -> Recording:
    """The image of somebody whose left is the other's right."""
    places = image.frames[:, :-1].reshape(len(image.frames), -1, 2)[:, partners_of(JOINTS)] * np.array([-1, 1])
    frames = np.hstack([places.reshape(len(places), -1), image.frames[:, -1:]]).astype(np.float32)
    return replace(image, name=f"{image.name}, mirrored", frames=frames)
