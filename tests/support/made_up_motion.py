"""Normal motion for the fit of anomaly constants that nobody moved: noise as features, sensors and embeddings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tests.support.anomaly_arrays import made_up_anomaly

from motionscribe_models.body.skeleton import BODY
from motionscribe_models.features import FeatureMap
from motionscribe_server.session.anomaly.pose_model import PREFIX
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_training.fitting.anomaly import Normal

SPACE = FeatureMap(BODY, tuple(range(2, 15)))
STRIDE, RATE, MOMENT_S = 3, 30.0, 0.1
SENSORS, FAULTY = len(SPACE.sensor_joints), 4
"""How many there are, and the one that jumps."""


def made_up(number: int, seconds: float, jumps_at: Sequence[int] = (), seed: int = 0) -> Normal:
    """Noise as sensors and features; the first feature is the number of the motion."""
    rng, moments = np.random.default_rng((number, seed)), round(seconds / MOMENT_S)
    features = rng.normal(size=(moments * STRIDE, SPACE.width)).astype(np.float32)
    features[:, 0] = number
    jump, tremor = np.exp(rng.normal(0, 0.3, (2, moments, SENSORS)))
    jump[list(jumps_at), FAULTY] = 1e5
    still = np.full(SENSORS, 1e-3)
    sensed = [Sensed(jump[n], tremor[n], still) for n in range(moments)]
    return Normal(number, features, sensed, rng.normal(size=(moments, 2)))


def made_up_pose_model(feature_map: FeatureMap, *_: object) -> dict[str, NDArray[np.float64]]:
    """Instead of fit_pose_model: a network that expects 0 everywhere, at once."""
    arrays = made_up_anomaly(feature_map, 2)
    return {name: array for name, array in arrays.items() if name.startswith(PREFIX)}
