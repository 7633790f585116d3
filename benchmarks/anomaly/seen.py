"""What a session saw of each moment before it judged it: what baselines judge by, too.

In: moments of a session as they come. Out: a Seen of those that are asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_server.session import Moment
from motionscribe_training.fitting.pose_model import pose_inputs


@dataclass(frozen=True, eq=False)
class Seen:
    """Moments of a recording."""

    inputs: Array
    """(n, D) features of the newest frame, and their changes over one and three moments, as the pose model has them."""
    embeddings: Array
    """(n, d) as first estimated."""
    errors: Array
    """(n,) mean squared prediction error of all features; 0 where nothing was predicted."""


class Watch:
    """Of one session."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._frames: list[NDArray[np.float32]] = []
        self._embeddings: list[Array] = []
        self._errors: list[float] = []

    def add(self, moment: Moment) -> None:
        """The next moment."""
        self._ends.append(moment.span.end_seq)
        self._frames.append(moment.frames[-1])
        self._embeddings.append(moment.estimates[-1])
        self._errors.append(0.0 if moment.error is None else float(moment.error.mean()))

    def of(self, ends: Sequence[int]) -> Seen:
        """The moments that end before the frames `ends`, which were all seen."""
        places = [self._ends.index(end) for end in ends]
        if not places:
            return Seen(np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0))
        inputs = pose_inputs(np.array(self._frames), 1)[places]
        return Seen(inputs, np.array(self._embeddings)[places], np.array(self._errors)[places])
