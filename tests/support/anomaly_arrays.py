"""Anomaly constants that were not fitted: what a score says follows from what is measured alone."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.features import FeatureMap
from motionscribe_server.session.anomaly import pose_model, shown
from motionscribe_server.session.anomaly.reference import BEHAVIOURS, DRIFT, Layout, normal_of, rates_of

HIDDEN = 4
NEVER = ((0.0, 1.0), (50.0, 50.0 - 1e-6))
"""Knots of a score that gives no alarm, however high."""
TENFOLD = ((0.0, 1.0), (np.log(36000.0), np.log(3600.0)))
"""Knots of a score of which each standard deviation is ten times rarer; at 0 every moment of a tenth of a second."""
Knots = tuple[tuple[float, float], tuple[float, float]]


def made_up_anomaly(
    feature_map: FeatureMap, dimensions: int, knots: Mapping[str, Knots] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Z of a number is its logarithm. A network that expects 0 everywhere; one behaviour that was shown, far away.

    `knots` are those of scores by name, of others NEVER.
    """
    layout = Layout(feature_map)
    groups = pose_model.groups_of(feature_map)
    inputs = feature_map.width * (1 + len(pose_model.LAGS))
    pose = {
        "mean": np.zeros(inputs),
        "scale": np.ones(inputs),
        "first": np.zeros((inputs, HIDDEN)),
        "group": np.zeros((len(groups), HIDDEN)),
        "second": np.zeros((HIDDEN, HIDDEN)),
        "second_bias": np.zeros(HIDDEN),
        "last": np.zeros((HIDDEN, 2 * inputs)),
        "last_bias": np.zeros(2 * inputs),
    }
    arrays = {pose_model.PREFIX + name: array for name, array in pose.items()}
    points = {
        "mean": np.zeros(dimensions + inputs),
        "axes": np.eye(dimensions + inputs, dimensions),
        "points": np.full((1, dimensions), 100.0),
    }
    arrays |= {shown.PREFIX + name: array for name, array in points.items()}
    for score, columns in layout.slices():
        if score.constants is not None:
            continue
        width = columns.stop - columns.start
        arrays[normal_of(score.name)] = np.stack([np.zeros(width), np.zeros(width), np.ones(width), np.zeros(width)])
        arrays[rates_of(score.name)] = np.array((knots or {}).get(score.name, NEVER))
    if feature_map.representation.has_levels:
        arrays[DRIFT] = np.zeros((2, feature_map.width + len(feature_map.sensor_joints) + len(groups)))
    return {**arrays, BEHAVIOURS: np.full((1, dimensions), 100.0)}
