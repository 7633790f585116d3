"""Which action of one stream follows which, and how often a step as unlikely as the next one came so far.

In: steps, each from one cluster id to another. Out: for a step, how many so far were as unlikely, itself counted in.
How unlikely a step is says its share: of all steps that leave the same action, those whose kind came as seldom. That
is a conformal measure (Vovk, Gammerman and Shafer 2005, doi 10.1007/b106715): of n steps in any order of equal chance
the newest is among the m most unlikely with a chance of m / n, whatever the chances of steps are. So what was never
seen is as rare as one in all that were seen, and no rarer. No clock, no randomness.
"""

import math
from collections.abc import Iterator, Mapping

from motionscribe_models.state import State

LEAST = 5
"""Times that an action must have been left, before anything is said of how it is."""
MOST = 1024
"""Kinds of steps that are remembered: of 64 learnt clusters, 16 followers of each."""

Step = tuple[int, int]


class UsualSteps:
    """Of one stream."""

    def __init__(self) -> None:
        self._counts: dict[Step, int] = {}  # from, to
        self._forgotten = 0  # steps of kinds that made room

    def as_unlikely(self, step: Step) -> float:
        """How many steps would be as unlikely as this one, if it were learnt; infinite while too little is known."""
        if sum(count for (start, _), count in self._counts.items() if start == step[0]) < LEAST:
            return math.inf
        counts = {**self._counts, step: self._counts.get(step, 0) + 1}
        shares = dict(_shares(counts))
        return self._forgotten + sum(counts[other] for other, share in shares.items() if share <= shares[step])

    def learn(self, step: Step) -> None:
        """Takes a step for normal. The kind that came least makes room; its steps count as unlikely ones for ever."""
        if step not in self._counts and len(self._counts) >= MOST:
            self._forgotten += self._counts.pop(min(self._counts, key=self._counts.__getitem__))
        self._counts[step] = self._counts.get(step, 0) + 1

    def merge(self, source: int, target: int) -> None:
        """`source` is part of `target`: steps between the two are none any more."""
        before, self._counts = self._counts, {}
        for step, count in before.items():
            start, end = (target if id == source else id for id in step)
            if start != end:
                self._counts[start, end] = self._counts.get((start, end), 0) + count

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"counts": [[*step, count] for step, count in self._counts.items()], "forgotten": self._forgotten}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._counts = {(start, end): count for start, end, count in state["counts"]}
        self._forgotten = state["forgotten"]


def _shares(counts: Mapping[Step, int]) -> Iterator[tuple[Step, float]]:
    """Each kind of step with its share."""
    of_start: dict[int, list[tuple[int, Step]]] = {}
    for step, count in counts.items():
        of_start.setdefault(step[0], []).append((count, step))
    for steps in of_start.values():
        total = sum(count for count, _ in steps)
        at_most: dict[int, int] = {}  # steps whose kind came so often or less
        passed = 0
        for count, _ in sorted(steps):
            passed += count
            at_most[count] = passed
        for count, step in steps:
            yield step, at_most[count] / total
