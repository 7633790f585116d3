"""A video of coloured squares, and an estimator that takes each for a person: real images without a real estimator."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from motionscribe.sources.camera import Person
from motionscribe.sources.camera.estimator import Image
from motionscribe_models.recordings.keypoint_names import COCO_17

RATE_HZ = 20.0
SIDE = 40
WIDTH, HEIGHT = 320, 240
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
"""Blue, green, red."""
BODY = np.array(
    [
        *((0, -18), (-2, -20), (2, -20), (-4, -18), (4, -18), (-8, -10), (8, -10), (-12, -3), (12, -3)),
        *((-14, 4), (14, 4), (-5, 2), (5, 2), (-5, 11), (5, 11), (-5, 20), (5, 20)),
    ],
    np.float64,
)
"""(17, 2) pixels from a square's middle to the joints; its left is ours."""

Place = tuple[float, float]


def draw(path: Path, frames: Sequence[Mapping[int, Place]], rate_hz: float = RATE_HZ) -> Path:
    """Writes a video with the squares of some colours in each frame, by the places of their middles."""
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate_hz, (WIDTH, HEIGHT))
    assert video.isOpened()
    for frame in frames:
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for colour, (x, y) in frame.items():
            corner = int(x) - SIDE // 2, int(y) - SIDE // 2
            cv2.rectangle(image, corner, (corner[0] + SIDE, corner[1] + SIDE), COLOURS[colour], -1)
        video.write(image)
    video.release()
    return path


class Squares:
    """Finds the squares of an image. Confidences tell the colour: 0.5, 0.6 and 0.7."""

    joints: tuple[str, ...] = COCO_17
    in_space = False

    def __init__(self) -> None:
        self.times_us: list[int] = []
        self.closed = 0

    def find(self, image: Image, time_us: int) -> Sequence[Person]:
        """See Estimator."""
        self.times_us.append(time_us)
        people = []
        for colour in range(len(COLOURS)):
            rows, columns = np.nonzero(image[:, :, colour] > 128)
            if len(rows):
                middle = np.array([columns.mean(), rows.mean()])
                people.append(Person(middle + BODY, np.full(len(BODY), 0.5 + colour / 10)))
        return people

    def close(self) -> None:
        """See Estimator."""
        self.closed += 1
