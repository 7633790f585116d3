"""What every anomaly score is: positive numbers of a moment, how their logarithms are in normal motion, and their tail.

In: Observations. Out: for each score how many false alarms an hour are to be expected at what it says (rates.py).
A score is one file beside this one and one line in table.py; the detector, the model folder and fitting follow.

A number is compared with its own normal: z = (log value - a - b log(vigour)) / s, where vigour is how much the other
sensors accelerate: who moves fast jerks and misfits more than who stands. a, b and s are of each column: of a wrist
other than of a hip. Less vigour than any recording has counts as the least that one has.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.representations import Representation
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.rates import fit_rates

Columns = tuple[frozenset[int], ...]
"""The joints that each of a score's W numbers speaks of."""
TINY = 1e-9
"""Smallest number whose logarithm is taken."""
STEEPEST = 1.5
"""b lies between 0 and this."""
QUANTILE, SIGMAS = 0.998, 2.88
"""s is the distance from the median to this quantile, over the standard deviations that it is in a normal distribution:
what counts is how far the tail of normal motion reaches, not how wide its middle is."""
LEAST_SPREAD = 0.05
LEAST = 0.01
"""Quantile of vigour."""


class Score(ABC):
    """One way to see that something is abnormal. Scores have no state: pooling is the same for all (pools.py)."""

    name: ClassVar[str]
    """Its key in the table, and the `detector` of an event."""
    kind: ClassVar[Kind]
    pooled_s: ClassVar[float]
    """The logarithms are averaged over so long; 0 for a single moment."""
    constants: ClassVar[tuple[Array, Array] | None] = None
    """What `fit_normal` and `fit_rates` would give, of a score that compares a stream with itself: the same for all
    models, whose folders have no arrays of it; the stream earns no slack of it. None where they are fitted."""
    most_allowed: ClassVar[float] = 6.0
    """Standard deviations that a user may add to what is normal (allowances.py): what is worse stays an alarm."""

    @staticmethod
    @abstractmethod
    def measure(observation: Observation) -> Array:
        """(W,) positive numbers, larger where things are more abnormal."""

    @staticmethod
    def suits(representation: Representation) -> bool:
        """Most scores are of every representation."""
        del representation
        return True

    @staticmethod
    def columns(sensors: Columns, groups: Columns) -> Columns:
        """What its W numbers speak of, by the joints of B sensors and of the G groups of the pose model."""
        del groups
        return sensors

    @classmethod
    def fit_normal(cls, logs: Array, vigour: Array) -> Array:
        """a, b, s and the least log vigour (4, W), of pooled logarithms (n, W) at log vigour (n, W)."""
        return np.stack([_line(own, at) for own, at in zip(logs.T, vigour.T, strict=True)], axis=1)

    @classmethod
    def fit_rates(cls, scores: Sequence[Array], moment_s: float) -> Array:
        """Knots (2, n) of rates.py from the largest z of each moment of recordings."""
        return fit_rates(scores, moment_s)


class WholeBodyScore(Score):
    """One number, which speaks of no joint."""

    @staticmethod
    def columns(sensors: Columns, groups: Columns) -> Columns:
        """A single one."""
        del sensors, groups
        return (frozenset(),)


def standardise(normal: Array, logs: Array, vigour: Array) -> Array:
    """Z (..., W) of pooled logarithms at log vigour, both (..., W), by what `fit_normal` gives."""
    a, b, s, least = normal
    z: Array = (logs - a - b * np.maximum(vigour, least)) / s
    return z


def _line(logs: Array, vigour: Array) -> Array:
    """a, b, s and the least vigour of one column."""
    variance = float(vigour.var())
    b = float(np.clip(np.cov(vigour, logs)[0, 1] / variance, 0, STEEPEST)) if variance > 0 else 0.0
    rest = logs - b * vigour
    a = float(np.median(rest))
    spread = max((float(np.quantile(rest, QUANTILE)) - a) / SIGMAS, LEAST_SPREAD)
    return np.array([a, b, spread, float(np.quantile(vigour, LEAST))])
