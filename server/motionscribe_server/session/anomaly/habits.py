"""How high the scores of one stream are while nothing is wrong: a sensor that is worse than others earns itself slack.

In: the largest z of each score in moments that are far from every alarm. Out: by how much each is lowered. Slack grows
where the stream's own QUANTILE lies above that of the training motion, and has a limit: who is that abnormal is a case
for the user's own "this was normal".
"""

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_server.session.anomaly.rolling_quantiles import RollingQuantiles

QUANTILE = 0.99
LEAST_S = 60.0
"""Of moments that were learnt, before the stream has a say: one in a hundred of fewer is none."""
MEMORY_S = 120.0
MOST = 2.0
"""Standard deviations."""


class Habits:
    """Of one stream."""

    def __init__(self, usual: Array, moment_s: float) -> None:
        """`usual` (S,) is QUANTILE of each score in training; one that is infinite earns no slack."""
        self._usual = usual
        self._least = round(LEAST_S / moment_s)
        self._learnt = 0
        self._quantiles = [RollingQuantiles((QUANTILE,), round(MEMORY_S / moment_s)) for _ in range(len(usual))]
        self.slack: Array = np.zeros(len(self._usual))
        """(S,)"""

    def learn(self, scores: Array) -> None:
        """Takes the largest z (S,) of a moment for normal."""
        self._learnt += 1
        for quantiles, score in zip(self._quantiles, scores.tolist(), strict=True):
            quantiles.learn(score)
        if self._learnt >= self._least:
            own = [quantiles.get()[0] for quantiles in self._quantiles]
            self.slack = np.minimum(np.maximum(own - self._usual, 0), MOST)

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "learnt": self._learnt,
            "slack": self.slack.copy(),
            "quantiles": [quantiles.state() for quantiles in self._quantiles],
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._learnt, self.slack = state["learnt"], state["slack"].copy()
        for quantiles, own in zip(self._quantiles, state["quantiles"], strict=True):
            quantiles.restore(own)
