"""Chooses the points that stand for what the training recordings show.

In: moments of recordings, (n, D) each. Out: the arrays of motionscribe_server/session/anomaly/shown.py: axes along
which all moments have a spread of 1, and POINTS of the moments, drawn evenly, as places along them.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.covariance import LedoitWolf

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.shown import PREFIX

AXES, POINTS = 90, 2000
LEAST_SCALE = 1e-3
"""Of a number's standard deviation: one that never changes says nothing."""


def fit_shown(recordings: Sequence[Array], seed: int) -> dict[str, Array]:
    """The arrays by their names in a model folder. Axes are those of the widest spread."""
    moments = np.concatenate(recordings)
    mean, scale = moments.mean(axis=0), moments.std(axis=0) + LEAST_SCALE
    widths, directions = np.linalg.eigh(LedoitWolf().fit((moments - mean) / scale).covariance_)  # ascending
    axes = (directions / np.sqrt(np.maximum(widths, LEAST_SCALE)))[:, -AXES:] / scale[:, None]
    drawn = np.random.default_rng(seed).permutation(len(moments))[:POINTS]
    arrays = {"mean": mean, "axes": axes, "points": (moments[drawn] - mean) @ axes}
    return {PREFIX + name: array.astype(np.float32) for name, array in arrays.items()}
