"""Base of scores that look at one positive number a moment: its robust z score, averaged over the last second.

In: the number that a subclass measures. Out: the mean z score, from the tenth moment on.
Such numbers range over decades with the vigour of motion, so their logarithms are compared, by median and median
absolute deviation, which a few abnormal moments among the normal ones do not move.
"""

import abc
import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.state import State
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Shape

SMOOTH = 10
"""Moments that a score averages, one second: states pooled over 1 to 2.5 s cluster well, single ones poorly."""
CALM = -3.0
"""Lowest z score: stillness is forecast all but exactly, and what follows it must not need a second to outweigh
that."""
TINY = 1e-12
"""Smallest number whose logarithm is taken."""
MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution in units of its median absolute deviation."""


class RobustScore(abc.ABC):
    """A Score with one array (2,): median and robust standard deviation of the logarithm in normal motion."""

    name: ClassVar[str]
    arrays: ClassVar[Mapping[str, Shape]]

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        (name,) = self.arrays
        self._median, self._spread = (float(value) for value in arrays[name])
        if not (math.isfinite(self._median) and 0 < self._spread < math.inf):
            raise LayoutError(
                f"{name}: expected a finite median and a positive spread, got {self._median} and {self._spread}"
            )
        self._recent = deque[float](maxlen=SMOOTH)  # z scores

    @staticmethod
    @abc.abstractmethod
    def measure(observation: Observation) -> float:
        """The number that is scored, at least 0."""

    @classmethod
    def fit(cls, recordings: Sequence[Sequence[Observation]]) -> dict[str, Array]:
        """Median and spread over all moments of normal motion."""
        (name,) = cls.arrays
        logs = _log(np.array([cls.measure(observation) for recording in recordings for observation in recording]))
        median = np.median(logs)
        return {name: np.array([median, MAD_TO_SIGMA * np.median(np.abs(logs - median))])}

    def update(self, observation: Observation) -> float | None:
        """Mean z score of the last second; None while less than a second was seen."""
        z = (float(_log(self.measure(observation))) - self._median) / self._spread
        self._recent.append(max(z, CALM))
        return math.fsum(self._recent) / SMOOTH if len(self._recent) == SMOOTH else None

    def restart(self) -> None:
        """The next second begins anew."""
        self._recent.clear()

    def state(self) -> State:
        """The z scores of the last second."""
        return {"recent": list(self._recent)}

    def restore(self, state: State) -> None:
        """Goes on as the score that gave `state`, to the bit."""
        self._recent = deque(state["recent"], maxlen=SMOOTH)


def _log(values: Array | float) -> Array:
    logs: Array = np.log(np.maximum(values, TINY))
    return logs
