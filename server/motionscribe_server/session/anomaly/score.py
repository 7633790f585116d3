"""What every anomaly score is: constants fitted offline from normal motion, one number for each moment live.

In: Observations. Out: how abnormal each moment is, in standard deviations of normal motion, so that scores compare.
A score is one file beside this one and one line in table.py; the detector, the model folder and fitting follow.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Protocol

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_server.session.anomaly.observation import Observation

Shape = tuple[int | None, ...]
"""None stands for any size."""


class Score(Protocol):
    """One way to see that motion is abnormal. An object scores one stream; `fit` is of the class."""

    name: ClassVar[str]
    """Its key in the table and in snapshots."""
    arrays: ClassVar[Mapping[str, Shape]]
    """Its arrays in the model folder, each named `anomaly.NAME` or `anomaly.NAME.PART`, with their shapes."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """Reads its own of the model's arrays, which have the shapes it named. Raises LayoutError for bad values."""

    @classmethod
    def fit(cls, recordings: Sequence[Sequence[Observation]]) -> dict[str, Array]:
        """Its arrays, from recordings of normal motion, each the observations of its moments in order."""

    def update(self, observation: Observation) -> float | None:
        """The score of the next moment; None while it has seen too few. Changes nothing but this object."""

    def restart(self) -> None:
        """The next moment does not follow the last one: there was a gap."""

    def state(self) -> State:
        """What it remembers of the stream: plain values and arrays, as copies. Bounded in size."""

    def restore(self, state: State) -> None:
        """Goes on as the score that gave `state`, to the bit."""


def largest(scores: Iterable[Score], observation: Observation) -> float | None:
    """Lets all scores see the moment; the largest of them, since a mean would halve what only one sees."""
    found = [score.update(observation) for score in scores]
    return max((score for score in found if score is not None), default=None)
