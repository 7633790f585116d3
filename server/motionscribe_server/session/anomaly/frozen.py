"""Score of sensors that stand still: to the last digit, for longer than any that works.

In: how long each sensor has stood still. It is not compared with the vigour of the rest, but with the longest stillness
in normal motion.
"""

import math
from collections.abc import Sequence

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Score

LEAST_S = 0.3
"""No stillness is shorter: feeds repeat frames."""
LONGER = 1.5
"""Than the longest stillness of normal motion."""
ONCE_IN_H = 0.001
"""False alarms an hour where an alarm is due."""
SUDDEN = 1e-6
"""Below an allowed stillness everything is normal."""
NEVER_S = 1.9
"""A sensor that stood still for so long in normal motion says nothing by it."""
LONGEST_EXCUSED = 10.0
"""Times the allowed stillness that a user may call normal: a sensor that is dead for minutes is told for ever."""


class Frozen(Score):
    """Seconds of stillness over what is allowed: the logarithm is 0 where an alarm is due."""

    name = "frozen"
    kind = Kind.SENSOR
    pooled_s = 0.0
    most_allowed = math.log(LONGEST_EXCUSED)

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Seconds, (B,)."""
        return observation.sensed.still_s

    @classmethod
    def fit_normal(cls, logs: Array, vigour: Array) -> Array:
        """Recordings have faults of their own: the longest stillness is that of all but a few moments."""
        longest = np.exp(np.quantile(logs, 0.999, axis=0))
        allowed = np.where(longest < NEVER_S, np.maximum(LEAST_S, LONGER * longest), np.inf)
        none = np.zeros(logs.shape[1])
        return np.stack([np.log(np.minimum(allowed, 1e9)), none, none + 1, none])

    @classmethod
    def fit_rates(cls, scores: Sequence[Array], moment_s: float) -> Array:
        """From one alarm a moment to ONCE_IN_H where the stillness is longer than any that is allowed.

        From there on it is as much rarer as it is longer.
        """
        rare = np.log(ONCE_IN_H)
        return np.array([[-SUDDEN, 0.0, 1.0], [np.log(3600 / moment_s), rare, rare - 1]])
