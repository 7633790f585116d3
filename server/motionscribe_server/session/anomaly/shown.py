"""What the training recordings have shown, as points: each a posture, how it changes, and what the network makes of it.

In: embeddings, and inputs of the pose model (pose_model.py). Out: how far a moment lies from the nearest point. Points
lie in a space in which all training moments together have a spread of 1 in each direction, so that a joint that seldom
moves counts as much as one that always does.
"""

from collections.abc import Mapping

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_server.session.anomaly.nearest import Nearest
from motionscribe_server.session.blocks import in_blocks

PREFIX = "anomaly.shown."
SHAPES: dict[str, tuple[int | None, ...]] = {"mean": (None,), "axes": (None, None), "points": (None, None)}
"""Of the arrays, by their names after PREFIX: (D,), (D, k) and (n, k)."""


def described(embeddings: Array, inputs: Array) -> Array:
    """(n, D) what a point is made of, of embeddings (n, d) and the pose model's inputs (n, D - d)."""
    return np.concatenate([embeddings, inputs], axis=1)


class Shown:
    """Of one model, shared by its streams."""

    def __init__(self, arrays: Mapping[str, Array], width: int) -> None:
        """`arrays` are those of SHAPES, each under PREFIX; `width` is D. Raises LayoutError where they do not fit."""
        mean, axes, points = (arrays[PREFIX + name].astype(np.float32) for name in SHAPES)
        fits = mean.shape == (width,) and axes.shape == (width, points.shape[1]) and len(points)
        if not fits:
            shapes = mean.shape, axes.shape, points.shape
            raise LayoutError(f"{PREFIX}*: expected shapes ({width},), ({width}, k) and (n, k), got {shapes}")
        self._mean, self._axes, self._points = mean, axes, Nearest(points)

    def distances(self, moments: Array) -> Array:
        """(n,) of `described` moments (n, D) to the nearest point, of which each is asked for alone (blocks.py)."""
        centred = (moments - self._mean).astype(np.float32)
        return self._points.distances(in_blocks(lambda own: own @ self._axes, centred, self._axes.shape[1]))
