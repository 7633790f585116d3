"""What a session saw of each moment before it judged it: what baselines judge by, too.

In: moments of a session as they come. Out: a Seen of those that are asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session import Moment


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
        self._inputs: list[Array] = []
        self._embeddings: list[Array] = []
        self._errors: list[float] = []

    def add(self, moment: Moment) -> None:
        """The next moment."""
        self._ends.append(moment.span.end_seq)
        self._inputs.append(moment.inputs)
        self._embeddings.append(moment.estimates[-1])
        self._errors.append(0.0 if moment.error is None else float(moment.error.mean()))

    def of(self, ends: Sequence[int]) -> Seen:
        """The moments that end before the frames `ends`, which were all seen."""
        places = [self._ends.index(end) for end in ends]
        if not places:
            return Seen(np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0))
        return Seen(np.array(self._inputs)[places], np.array(self._embeddings)[places], np.array(self._errors)[places])
