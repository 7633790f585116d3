"""What normal motion looks like to all scores: the anomaly arrays of a model folder, fitted offline, read by sessions.

In: the model's arrays, or observations of normal motion (`fit_reference`). Out: fresh scores of a stream, and how high
the largest of them is in normal motion. No state of a stream here.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Score, Shape, largest
from motionscribe_server.session.anomaly.table import SCORES

THRESHOLD = "anomaly.threshold"
"""Array (2,): median and QUANTILE of the largest score in normal motion."""
QUANTILE = 0.99
"""The highest that ten minutes of moments tell reliably: 60 of them lie above it."""


def anomaly_arrays() -> dict[str, Shape]:
    """Names and shapes of all anomaly arrays of a model folder."""
    return {name: shape for score in SCORES.values() for name, shape in score.arrays.items()} | {THRESHOLD: (2,)}


class AnomalyReference:
    """The anomaly constants of one model, shared by its streams."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """`arrays` are those of `anomaly_arrays`. Raises LayoutError for values that no fit gives."""
        self._arrays = {name: arrays[name] for name in anomaly_arrays()}
        self.score_median, self.score_quantile = (float(value) for value in arrays[THRESHOLD])
        if not -math.inf < self.score_median < self.score_quantile < math.inf:
            raise LayoutError(
                f"{THRESHOLD}: expected finite median < quantile, got {self.score_median} and {self.score_quantile}"
            )
        self.scores()

    def scores(self) -> dict[str, Score]:
        """A fresh one of each kind, for one stream, by name."""
        return {name: kind(self._arrays) for name, kind in SCORES.items()}


def fit_reference(recordings: Sequence[Sequence[Observation]]) -> dict[str, Array]:
    """The arrays of AnomalyReference from recordings of normal motion, each the observations of its moments in order.

    Give recordings that the network was not trained on: the others it knows too well. Raises LayoutError for no
    recording, for one too short for any score, and where nothing varies.
    """
    if not all(recordings) or not recordings:
        raise LayoutError(f"expected recordings with moments, got {[len(recording) for recording in recordings]}")
    arrays = {name: array for kind in SCORES.values() for name, array in kind.fit(recordings).items()}
    normal: list[float] = []
    for recording in recordings:
        scores = [kind(arrays) for kind in SCORES.values()]
        found = [largest(scores, observation) for observation in recording]
        if found[-1] is None:
            raise LayoutError(f"expected recordings long enough to score, got one of {len(recording)} moments")
        normal += [score for score in found if score is not None]
    return arrays | {THRESHOLD: np.quantile(normal, [0.5, QUANTILE])}
