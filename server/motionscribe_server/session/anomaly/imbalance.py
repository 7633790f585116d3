"""Score of a body that falls, or has fallen: its middle is low, and not above its feet."""

import math
from collections.abc import Sequence

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.proportions import L_ANKLE, R_ANKLE
from motionscribe_models.representations import Representation
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import WholeBodyScore

STANDS, REACH = 2 / 3, 0.5
"""In sizes of the body: its middle is lower when it squats, and farther from the feet when it runs, but seldom both. Of
30 ways to measure a fall this was the one with the fewest constants; heights from 0.6 to 0.7 did as well."""
HEIGHT = 3 * len(SEEN)
"""The place among the features of how high the pelvis is above the floor."""


class Imbalance(WholeBodyScore):
    """How low the middle of all joints is, or how far from the line between the ankles, whichever is less."""

    name = "imbalance"
    kind = Kind.MOTION
    pooled_s = 0.0

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Both are 0 of who stands and about 1 of who lies; the exponential, since scores compare logarithms, (1,)."""
        features: list[float] = observation.features.tolist()
        x, y, z = (features[axis:HEIGHT:3] for axis in range(3))
        low = 1 - (_mean(y) + features[HEIGHT]) / STANDS
        left, right = ((x[ankle], z[ankle]) for ankle in (L_ANKLE, R_ANKLE))
        return np.exp([min(low, _distance((_mean(x), _mean(z)), left, right) / REACH)])

    @staticmethod
    def suits(representation: Representation) -> bool:
        """Bodies whose height above the floor is known."""
        return representation.has_floor


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _distance(point: Sequence[float], start: Sequence[float], end: Sequence[float]) -> float:
    """Of a point in the plane from the line between two others."""
    (px, py), (dx, dy) = ((a - b for a, b in zip(other, start, strict=True)) for other in (point, end))
    length = dx * dx + dy * dy
    share = min(max((px * dx + py * dy) / length, 0.0), 1.0) if length else 0.0
    return math.hypot(px - share * dx, py - share * dy)
