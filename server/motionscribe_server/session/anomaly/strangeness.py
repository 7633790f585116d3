"""Score of behaviour that neither the training recordings nor this stream have shown."""

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Columns, Score


class Strangeness(Score):
    """Distance of the embedding to the nearest behaviour that is known."""

    name = "strangeness"
    kind = Kind.BEHAVIOUR
    pooled_s = 1.0

    @staticmethod
    def measure(observation: Observation) -> Array:
        """A distance, (1,)."""
        return np.array([observation.strangeness])

    @staticmethod
    def columns(sensors: Columns, groups: Columns) -> Columns:
        """One number, of the whole body."""
        del sensors, groups
        return (frozenset(),)


def distances(embeddings: Array, behaviours: Array) -> Array:
    """(n,) of embeddings (n, d) to the nearest of behaviours (k, d)."""
    found: Array = np.sqrt(np.square(embeddings[:, None] - behaviours).sum(axis=2).min(axis=1))
    return found
