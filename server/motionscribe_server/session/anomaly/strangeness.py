"""Scores of behaviour that neither the training recordings nor this stream have shown."""

from collections.abc import Sequence

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.rates import fit_rates
from motionscribe_server.session.anomaly.score import WholeBodyScore

STRANGEST = 0.25
"""Of the normal motion, by recordings, may be left out when rates are fitted: what one recording alone shows is new to
the others, rightly, and must not make the threshold of what all of them show."""
TYPICAL = 0.9
"""A recording is as strange as this quantile of its moments."""


class Strangeness(WholeBodyScore):
    """Distance of the embedding to the nearest behaviour that is known."""

    name = "strangeness"
    kind = Kind.BEHAVIOUR
    pooled_s = 1.0

    @staticmethod
    def measure(observation: Observation) -> Array:
        """A distance, (1,)."""
        return np.array([observation.strangeness])

    @classmethod
    def fit_rates(cls, scores: Sequence[Array], moment_s: float) -> Array:
        """Of the recordings that are least strange to the others."""
        most = (1 - STRANGEST) * sum(map(len, scores))
        ordered = sorted(scores, key=lambda own: float(np.quantile(own, TYPICAL)))
        before = np.cumsum([0, *map(len, ordered[:-1])])
        return fit_rates([own for own, passed in zip(ordered, before, strict=True) if passed < most], moment_s)


class UnseenPosture(Strangeness):
    """Distance of the posture, its changes and the embedding, as one point, to the nearest that was shown."""

    name = "unseen posture"
    pooled_s = 0.3

    @staticmethod
    def measure(observation: Observation) -> Array:
        """A distance, (1,)."""
        return np.array([observation.unseen])
