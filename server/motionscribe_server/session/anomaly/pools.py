"""The numbers of all anomaly scores of one stream, pooled, and the vigour of motion that they are compared with.

In: Observations. Out: arrays (C,) of all columns of all scores together, since one array costs what a number does.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.reference import Layout
from motionscribe_server.session.anomaly.score import TINY

VIGOUR_S = 1.0
LATE_S = 0.3
"""Vigour is the mean over VIGOUR_S that ended so long ago: a fault must not excuse itself."""


class Pools:
    """Logarithms of the newest moments of one stream."""

    def __init__(self, layout: Layout, moment_s: float) -> None:
        self._layout = layout
        spans: list[int] = [max(1, round(score.pooled_s / moment_s)) for score in layout.scores]
        self._spans: NDArray[np.int64] = np.repeat(spans, [own.stop - own.start for _, own in layout.slices()])
        self._shares = (np.arange(max(spans))[:, None] < self._spans) / self._spans  # of each moment in a mean, by age
        self._late = round(LATE_S / moment_s)
        self._moments = self._late + max(1, round(VIGOUR_S / moment_s))
        self.restart()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._logs = np.zeros_like(self._shares)  # newest first
        self._tremor = np.zeros((self._moments, self._layout.others.shape[1]))  # newest first
        self._count = 0

    def add(self, observation: Observation) -> tuple[Array, Array]:
        """The next moment: pooled logarithms (C,), and of the vigour that each is compared with, (C,).

        -inf while a pool is not full, since a mean of fewer is not as normal as one of all, and where NaN was measured.
        """
        measured = np.concatenate([score.measure(observation) for score in self._layout.scores])
        self._logs = np.concatenate([np.log(np.fmax(measured, TINY))[None], self._logs[:-1]])
        self._tremor = np.concatenate([observation.sensed.tremor[None], self._tremor[:-1]])
        self._count += 1
        pooled: Array = np.einsum("mc,mc->c", self._logs, self._shares)
        missing = np.isnan(measured)
        if self._count < len(self._logs):
            missing |= self._spans > self._count
        pooled[missing] = -np.inf
        known = self._tremor[: self._count]
        early = known[self._late :] if len(known) > self._late else known
        vigour = self._layout.others @ (np.add.reduce(early) / len(early))
        return pooled, np.log(np.maximum(vigour, TINY))

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"logs": self._logs.copy(), "tremor": self._tremor.copy(), "count": self._count}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._logs, self._tremor, self._count = state["logs"].copy(), state["tremor"].copy(), state["count"]
