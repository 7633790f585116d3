"""People in images by RTMPose, through rtmlib: 17 joints each, in pixels, with their scores; any number of people.

In an environment of its own, from a checkout:

    python3 -m venv .venv-rtmlib && .venv-rtmlib/bin/pip install -r examples/camera_rtmlib.txt
    export MOTIONSCRIBE_ESTIMATOR=examples/camera_rtmlib.py
    .venv-rtmlib/bin/motionscribe stream camera:0

rtmlib downloads its models when it is used for the first time. Written for rtmlib 0.0.16 and tested with a stand-in for
it, not yet with its models. The server labels what is without depth with the model `body2d`.
"""

from collections.abc import Sequence

import numpy as np
from rtmlib import Body

from motionscribe.sources.camera import Estimator, Person
from motionscribe.sources.camera.estimator import Image
from motionscribe_models.recordings.keypoint_names import COCO_17

LEAST_SCORE = 0.3
"""Of a person's joints, on average. Where rtmlib finds nobody, it looks for joints in the whole image."""


class RtmLib:
    """Finds people in each image anew."""

    joints = COCO_17
    in_space = False

    def __init__(self) -> None:
        self._body = Body(mode="balanced", backend="onnxruntime", device="cpu")

    def find(self, image: Image, time_us: int) -> Sequence[Person]:
        """See Estimator."""
        del time_us
        places, scores = self._body(image)
        scores = np.clip(scores, 0, 1)
        return [
            Person(places=one, confidences=sure)
            for one, sure in zip(places, scores, strict=True)
            if sure.mean() >= LEAST_SCORE
        ]

    def close(self) -> None:
        """See Estimator. There is nothing to close."""


def make_estimator() -> Estimator:
    """What MOTIONSCRIBE_ESTIMATOR asks for."""
    return RtmLib()
