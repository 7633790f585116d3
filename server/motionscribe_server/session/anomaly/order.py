"""Scores of actions that come in another order, or last longer or shorter, than this stream has made usual."""

import math

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.rates import FARTHEST
from motionscribe_server.session.anomaly.score import WholeBodyScore

MOST_EXCUSED = 10.0
"""Times rarer than what is normal a step may be that a user calls so: it is learnt by itself as it recurs, and must not
silence the score of all others."""


class _OwnRate(WholeBodyScore):
    """One over the false alarms an hour of habitual_order.py: there is nothing to fit, and no slack to earn."""

    kind = Kind.BEHAVIOUR
    pooled_s = 0.0
    constants = (
        np.array([[0.0], [0.0], [1.0], [0.0]]),
        np.array([[-FARTHEST, 0.0, FARTHEST], [FARTHEST, 0.0, -FARTHEST]]),
    )


class Order(_OwnRate):
    """Of the step from the last action to this one."""

    name = "order"
    most_allowed = math.log(MOST_EXCUSED)

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Hours, (1,)."""
        return np.array([1 / observation.order_rate])


class Duration(_OwnRate):
    """Of how long the action has lasted, or how short the last one was."""

    name = "duration"

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Hours, (1,)."""
        return np.array([1 / observation.duration_rate])
