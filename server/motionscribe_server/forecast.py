"""Compares what the network predicted with what came: squared errors per feature, in units of their usual spread.

In: predictions (M, F) of each window, and the frames (F,) that follow it. Out: mean squared error (F,) over the frames
between two windows; None while no full window has predicted them.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Forecast:
    """The newest prediction of one stream, and its error so far."""

    def __init__(self, scale: Array) -> None:
        """`scale` (F,) is the standard deviation of each feature."""
        self._scale = scale
        self.restart()

    def restart(self) -> None:
        """Forgets the prediction made before a gap."""
        self._prediction: NDArray[np.float32] | None = None
        self._frames: list[NDArray[np.float32]] = []

    def observe(self, features: NDArray[np.float32]) -> None:
        """The next frame (F,) after the prediction."""
        if self._prediction is not None and len(self._frames) < len(self._prediction):
            self._frames.append(features)

    def error(self) -> Array | None:
        """Mean squared error (F,) of the frames observed since the prediction."""
        if self._prediction is None or not self._frames:
            return None
        missed = (np.array(self._frames) - self._prediction[: len(self._frames)]) / self._scale
        error: Array = np.square(missed).mean(axis=0)
        return error

    def predict(self, prediction: NDArray[np.float32]) -> None:
        """A newer prediction (M, F), of the frames to come."""
        self._prediction = prediction
        self._frames = []
