"""People in images by MediaPipe's Pose Landmarker: 33 joints each, in metres, with their visibility.

In an environment of its own, from a checkout:

    python3 -m venv .venv-mediapipe && .venv-mediapipe/bin/pip install -r examples/camera_mediapipe.txt
    export MOTIONSCRIBE_ESTIMATOR=examples/camera_mediapipe.py
    .venv-mediapipe/bin/motionscribe stream camera:0

The model is not in the package. Put it beside this file once:

    curl -o examples/pose_landmarker_full.task https://storage.googleapis.com/mediapipe-models/\
pose_landmarker/pose_landmarker_full/float16/latest/pose_landmarker_full.task
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from motionscribe.errors import NotFound
from motionscribe.sources.camera import Estimator, Person
from motionscribe.sources.camera.estimator import Image
from motionscribe_models.recordings.keypoint_names import MEDIAPIPE_33

MODEL = Path(__file__).with_name("pose_landmarker_full.task")
PEOPLE = 2
"""At most, at a time; one is found faster."""


class MediaPipe:
    """Follows MediaPipe from image to image."""

    joints = MEDIAPIPE_33
    in_space = True

    def __init__(self) -> None:
        if not MODEL.is_file():
            raise NotFound(f"expected MediaPipe's model at {MODEL}, found none: {Path(__file__).name} says where it is")
        self._landmarker = vision.PoseLandmarker.create_from_options(
            vision.PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(MODEL)),
                running_mode=vision.RunningMode.VIDEO,
                num_poses=PEOPLE,
            )
        )

    def find(self, image: Image, time_us: int) -> Sequence[Person]:
        """See Estimator."""
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        height, width, _ = image.shape
        found = self._landmarker.detect_for_video(mediapipe.Image(mediapipe.ImageFormat.SRGB, rgb), time_us // 1000)
        return [
            Person(
                places=np.array([(mark.x * width, mark.y * height) for mark in marks]),
                confidences=np.array([mark.visibility for mark in marks]),
                positions=np.array([(mark.x, mark.y, mark.z) for mark in world]),
            )
            for marks, world in zip(found.pose_landmarks, found.pose_world_landmarks, strict=True)
        ]

    def close(self) -> None:
        """See Estimator."""
        self._landmarker.close()


def make_estimator() -> Estimator:
    """What MOTIONSCRIBE_ESTIMATOR asks for."""
    return MediaPipe()
