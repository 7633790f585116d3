"""The durations that a model is fitted with: those that its rate gives it, or what the trainer was told.

In: seconds by name, as `--duration NAME=SECONDS` has them. Out: Durations, in moments. Seconds and floors are in the
tables of motionscribe_models/durations.py and in FITTING, which has those that only fitting knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from motionscribe_models.durations import LATENCIES, MOST, SEGMENTS, SESSION, Duration
from motionscribe_training.errors import TrainingError

LONG_S = 0.2
"""Moments up to this are of people, whose actions take seconds. What is slower is a machine, whose readings are mostly
noise: with a penalty of 4 moments, a made-up one that changes every 90 s had segments of 8 to 23 s, with 10 of 85 s."""
FITTING: dict[str, Duration] = {
    "pooled": Duration(2.5, 12, "the longest span over which motion and states are pooled"),
    "slow": Duration(2.0, 10, "differences over this occur within an action as often as between two"),
    "cluster": Duration(3.0, 15, "motion that makes a first cluster: less is a transition"),
    "penalty": Duration(0.7, 10, "of motion at distance 1 from its segment's mean costs as much as a segment", LONG_S),
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
            if not self.moment_s <= seconds <= MOST * self.moment_s:
                raise TrainingError(
                    f"expected {name} from {self.moment_s:g} s, a moment, to {MOST * self.moment_s:g} s, "
                    f"got {seconds:g} s"
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
        return round(self.exact(name)) if name in self.told else ALL[name].moments(self.moment_s)

    def exact(self, name: str) -> float:
        """In moments and parts of them."""
        if name in self.told:  # without a floor: whoever says so knows why
            return replace(ALL[name], seconds=self.told[name], least=1).exact(self.moment_s)
        return ALL[name].exact(self.moment_s)

    def settings(self) -> dict[str, float]:
        """Those that a manifest has: of SESSION only the ones that do not follow the rate."""
        return {name: float(self[name]) for name in (*SEGMENTS, *(name for name in SESSION if name in self.told))}
