"""Compares what the network predicted with what came: squared errors per feature, in units of their usual spread.

In: the frames of each moment, then the prediction (M, F) of its window. Out: mean squared error (F,) of a moment's
frames; None while no full window has predicted them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class PredictionError:
    """The newest prediction of one stream."""

    def __init__(self, scale: Array, stride: int) -> None:
        """`scale` (F,) is the standard deviation of each feature; a moment has `stride` frames or a multiple of it."""
        self._scale = scale
        self._stride = stride
        self.restart()

    def restart(self) -> None:
        """Forgets the prediction made before a gap."""
        self._prediction: NDArray[np.float32] | None = None


def compare(
    forecasts: Sequence[PredictionError], frames: NDArray[np.float32], predictions: NDArray[np.float32]
) -> list[Array | None]:
    """Errors (F,) of the frames (s, n, F) of s streams of one model; `predictions` (s, M, F) are of what comes next.

    Of a moment that is longer than others, the frames that are as near to the prediction as those of the others count.
    """
    foretold = {s: forecast._prediction for s, forecast in enumerate(forecasts) if forecast._prediction is not None}
    errors: list[Array | None] = [None] * len(forecasts)
    if foretold:
        expected = np.stack(list(foretold.values()))
        missed = (frames[list(foretold), : expected.shape[1]] - expected) / forecasts[0]._scale
        for s, error in zip(foretold, np.square(missed).mean(axis=1), strict=True):
            errors[s] = error
    for forecast, prediction in zip(forecasts, predictions, strict=True):
        forecast._prediction = prediction[: forecast._stride].copy()
    return errors
