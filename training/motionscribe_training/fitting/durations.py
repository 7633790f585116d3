"""The durations that a model is fitted with: those that its rate gives it, or what the trainer was told.

In: seconds by name, as `--duration NAME=SECONDS` has them. Out: Durations, in moments. Seconds and floors are in the
tables of motionscribe_models/durations.py and in FITTING, which has those that only fitting knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from motionscribe_models.durations import LATENCIES, MOST, SEGMENTS, SESSION, Duration
from motionscribe_training.errors import TrainingError

FITTING: dict[str, Duration] = {
    "pooled": Duration(2.5, 12, "the longest span over which motion and states are pooled"),
    "slow": Duration(2.0, 10, "differences over this occur within an action as often as between two"),
    "cluster": Duration(3.0, 15, "motion that makes a first cluster: less is a transition"),
    "penalty": Duration(0.7, 3.5, "of motion at distance 1 from its segment's mean costs as much as a segment more"),
}
ALL: dict[str, Duration] = {**LATENCIES, **SEGMENTS, **SESSION, **FITTING}
"""By the name that the option has."""


@dataclass(frozen=True)
class Durations:
    """All durations of a model whose moments last `moment_s`. Raises TrainingError for what cannot be."""

    moment_s: float
    told: Mapping[str, float]
    """Seconds of those that do not follow the rate."""

    def __post_init__(self) -> None:
        for name, seconds in self.told.items():
            if name not in ALL:
                raise TrainingError(f"expected the name of a duration ({', '.join(ALL)}), got {name!r}")
            least = ALL[name].least
            if not least * self.moment_s <= seconds <= MOST * self.moment_s:
                raise TrainingError(
                    f"expected {name} from {least * self.moment_s:g} s, which are {least:g} moments, "
                    f"to {MOST * self.moment_s:g} s, got {seconds:g} s"
                )
        waits = [*LATENCIES, "history"]
        for sooner, later in pairwise(waits):
            if self[sooner] > self[later]:
                raise TrainingError(
                    f"expected {' <= '.join(waits)}, got {sooner} {self[sooner] * self.moment_s:g} s "
                    f"and {later} {self[later] * self.moment_s:g} s"
                )

    def __getitem__(self, name: str) -> int:
        """In whole moments."""
        return round(self.exact(name))

    def exact(self, name: str) -> float:
        """In moments and parts of them."""
        duration = ALL[name]
        return replace(duration, seconds=self.told.get(name, duration.seconds)).exact(self.moment_s)

    def settings(self) -> dict[str, float]:
        """Those that a manifest has: of SESSION only the ones that do not follow the rate."""
        return {name: float(self[name]) for name in (*SEGMENTS, *(name for name in SESSION if name in self.told))}
