"""Score of a machine whose readings shift, tremble or disagree otherwise than their drift explains."""

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.representations import Representation
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Columns, Score


class Shift(Score):
    """Shifts (levels.py), each in units of its own drift: nothing is left to normalise."""

    name = "shift"
    kind = Kind.MOTION
    pooled_s = 0.0

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Drifts, (F + B + G,)."""
        return observation.shift

    @staticmethod
    def suits(representation: Representation) -> bool:
        """Tables: the columns of a body move, and have no level."""
        return representation.has_levels

    @staticmethod
    def columns(sensors: Columns, groups: Columns) -> Columns:
        """Those of levels.py; each column of a table is a sensor."""
        return (*sensors, *sensors, *groups)

    @classmethod
    def fit_normal(cls, logs: Array, vigour: Array) -> Array:
        """The logarithm as it is."""
        none = np.zeros(logs.shape[1])
        return np.stack([none, none, none + 1, none])
