"""How high a score counts as abnormal: as normal motion says, and the recent past of this stream.

In: scores of moments that are taken for normal. Out: the threshold, in the scores' units.
Threshold: median + margin (quantile - median) of the scores of normal motion, or of this stream where either term is
higher. A noisy feed earns itself slack; a calm one does not make the first step after it an alarm.
"""

from motionscribe_models.errors import LayoutError
from motionscribe_models.state import State
from motionscribe_server.session.anomaly.reference import QUANTILE, AnomalyReference
from motionscribe_server.session.anomaly.rolling_quantiles import RollingQuantiles


class Threshold:
    """The threshold of one stream."""

    def __init__(self, reference: AnomalyReference, margin: float, burn_in: int, memory: int) -> None:
        """`burn_in` moments are learnt before the stream has a say, which then the last `memory` have.

        Raises LayoutError for a threshold of 0 or less.
        """
        self._margin = margin
        self._burn_in = burn_in
        self._slack = margin * (reference.score_quantile - reference.score_median)
        self._trained = reference.score_median + self._slack
        if self._trained <= 0:
            raise LayoutError(
                f"expected a threshold > 0, got {self._trained} from median {reference.score_median}, "
                f"quantile {reference.score_quantile} and margin {margin}"
            )
        self._scores = RollingQuantiles((0.5, QUANTILE), memory)
        self._learnt = 0

    @property
    def armed(self) -> bool:
        """True when `burn_in` moments were learnt."""
        return self._learnt >= self._burn_in

    def value(self) -> float:
        """The score, in standard deviations of normal motion, that is reported as 1."""
        if not (self.armed and self._learnt):
            return self._trained
        median, quantile = self._scores.get()
        return max(self._trained, median + max(self._margin * (quantile - median), self._slack))

    def learn(self, score: float) -> None:
        """Takes the score of a moment for normal."""
        self._learnt += 1
        self._scores.learn(score)

    def state(self) -> State:
        """What it has learnt of the stream."""
        return {"learnt": self._learnt, "scores": self._scores.state()}

    def restore(self, state: State) -> None:
        """Goes on as the threshold that gave `state`, to the bit."""
        self._learnt = state["learnt"]
        self._scores.restore(state["scores"])
