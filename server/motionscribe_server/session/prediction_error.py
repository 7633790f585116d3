"""Compares what the network predicted with what came: squared errors per feature, in units of their usual spread.

In: the frames of each moment, then the prediction (M, F) of its window. Out: mean squared error (F,) of a moment's
frames; None while no full window has predicted them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.state import State


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

    @classmethod
    def compare_many(
        cls, parts: Sequence["PredictionError"], frames: NDArray[np.float32], predictions: NDArray[np.float32]
    ) -> list[Array | None]:
        """Errors (F,) of the frames (s, n, F) of s streams; `predictions` (s, M, F) are of what comes next.

        Only the first `stride` frames of a longer moment count.
        """
        first: PredictionError = parts[0]
        before = [cls._replace(part, own) for part, own in zip(parts, predictions, strict=True)]
        predicted = {s: prediction for s, prediction in enumerate(before) if prediction is not None}
        errors: list[Array | None] = [None] * len(parts)
        if predicted:
            expected = np.stack(list(predicted.values()))
            missed = (frames[list(predicted), : expected.shape[1]] - expected) / first._scale
            for s, error in zip(predicted, np.square(missed).mean(axis=1), strict=True):
                errors[s] = error
        return errors

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"prediction": self._prediction}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._prediction = state["prediction"]

    def _replace(self, prediction: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Keeps a prediction (M, F) of the next moment; returns (stride, F) of the present one."""
        before, self._prediction = self._prediction, prediction[: self._stride].copy()
        return before
