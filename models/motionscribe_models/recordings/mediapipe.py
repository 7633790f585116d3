"""What MediaPipe's pose landmarks are, in whatever file: world coordinates, or shares of the image.

World coordinates are metres from the middle of the hips, x to the right, y down, z away from the camera. In the image,
x and y are shares of its width and height, and z is a guess, which is left out.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.recordings.keypoints import Clock, Keypoints, keypoint_recording
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.spaces import METRES_OF_CAMERA, believable, image_space

_HIPS = ("left_hip", "right_hip")
_NEAR_M = 0.05
"""World coordinates have the middle of the hips at 0; in an image that is a corner."""


def mediapipe_recording(
    path: Path, found: Keypoints, coordinates: str, clock: Clock, notes: tuple[str, ...]
) -> Recording:
    """`coordinates` are `world`, `image`, or "" where the file does not say: the hips do. Raises RecordingError."""
    if not coordinates:
        coordinates = "world" if _is_world(found.joints, found.places) else "image"
        notes = (f"coordinates: {coordinates}, by the middle of the hips", *notes)
    if coordinates == "world" and found.places.shape[2] == 3:
        return keypoint_recording(path, "mediapipe", found, METRES_OF_CAMERA, clock, notes)
    if found.places.shape[2] == 3:
        notes = (*notes, "z left out: in an image it is a guess")
    flat = Keypoints(found.joints, found.places[:, :, :2], found.confidences)
    return keypoint_recording(path, "mediapipe", flat, image_space(flat.places), clock, notes)


def _is_world(joints: Sequence[str], places: NDArray[np.float64]) -> bool:
    names = [joint.lower() for joint in joints]
    if not set(_HIPS) <= set(names):
        beside = places[:, :, :2] < -0.5  # NaN is not
        return bool(beside.any())
    middle = np.abs(believable(places)[:, [names.index(hip) for hip in _HIPS]].mean(axis=1))
    seen = middle[np.isfinite(middle).all(axis=1)]
    return bool(len(seen)) and bool(np.all(np.median(seen, axis=0) < _NEAR_M))
