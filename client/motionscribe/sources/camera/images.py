"""Images of a camera or of a video file, by OpenCV, with their times. Needs the extra `camera`, or another OpenCV."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from motionscribe.errors import NotFound
from motionscribe.sources.camera.estimator import Image
from motionscribe_models.errors import MissingExtraError, RecordingError

USUAL_RATE_HZ = 30.0
FASTEST_HZ = 1000.0
"""Some files say more, which is their unit of time."""


def load_cv2() -> Any:
    """The cv2 module. Raises MissingExtraError."""
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("camera", "a camera") from error
    return cv2


class Images:
    """Images one after the other, each with its time: of a camera when it was taken, of a file what the file says.

    `address` is the number of a camera, or a video file. Raises NotFound where there is neither, RecordingError for a
    file that is no video, MissingExtraError. `rate_hz` overrides what the camera or the file says.
    """

    def __init__(self, address: str, rate_hz: float | None = None) -> None:
        cv2 = load_cv2()
        self.live = address.isdecimal()
        """Whether they are a camera's."""
        if not self.live and not Path(address).is_file():
            raise NotFound(f"expected the number of a camera, such as 0, or a video file, got {address!r}")
        self._capture = cv2.VideoCapture(int(address) if self.live else address)
        if not self._capture.isOpened():
            if self.live:
                raise NotFound(f"expected a camera of number {address}, found none that opens")
            raise RecordingError(f"{address}: expected a video that OpenCV reads")
        said = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate_hz: float = rate_hz or (said if 0 < said <= FASTEST_HZ else USUAL_RATE_HZ)
        self._step_us = 1e6 / rate_hz if rate_hz else 0.0
        self._position_ms = cv2.CAP_PROP_POS_MSEC

    def __iter__(self) -> Iterator[tuple[int, Image]]:
        """Time in microseconds and image, once. Of a camera they end when it is taken away."""
        started_us, started = time.time_ns() // 1000, time.monotonic()  # no one sets the second clock back
        count = 0
        try:
            while True:
                there, image = self._capture.read()
                if not there:
                    return
                if self.live:
                    time_us = started_us + round((time.monotonic() - started) * 1e6)
                elif self._step_us:
                    time_us = round(count * self._step_us)
                else:
                    time_us = round(self._capture.get(self._position_ms) * 1000)
                count += 1
                yield time_us, np.asarray(image, np.uint8)
        finally:
            self._capture.release()
