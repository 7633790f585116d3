"""How long the actions of one stream last: which share of visits would be as long, or as short.

In: seconds of finished visits by cluster id. Out: the share of visits that would be as far from the usual. The
logarithm of the seconds is taken for normally distributed, of a mean and a spread that are known as well as the visits
so far tell: Student's t (Gelman et al. 2013, ISBN 978-1-4398-4095-5, section 3.2). Real durations have tails of their
own, so the most extreme shares that the stream has shown are remembered (`as_far`), and speak for themselves.
No clock, no randomness.
"""

import math
from bisect import bisect_right, insort
from dataclasses import astuple, dataclass

from scipy.special import stdtr

from motionscribe_models.state import State

LEAST = 5
"""Finished visits of an action, before anything is said of the next."""
LEAST_SPREAD = 0.15
"""Of the logarithm: labels begin and end a moment or two beside the action."""
MOST = 256
"""Actions that are remembered, and extreme shares."""


@dataclass
class _Usual:
    """Of the logarithms of the seconds of n visits."""

    n: int
    mean: float
    squares: float
    """Sum of squares about the mean."""

    def merge(self, other: "_Usual") -> None:
        """Adds visits (Chan, Golub and LeVeque 1983, doi 10.1080/00031305.1983.10483115)."""
        n, apart = self.n + other.n, other.mean - self.mean
        self.squares += other.squares + apart * apart * self.n * other.n / n
        self.mean += apart * other.n / n
        self.n = n


class UsualDurations:
    """Of one stream."""

    def __init__(self) -> None:
        self._usual: dict[int, _Usual] = {}
        self._extremes: list[float] = []  # the smallest shares, ascending
        self.visits = 0
        """That were learnt."""

    def share_longer(self, cluster: int, seconds: float) -> float:
        """Twice the share of visits of `cluster` that last so long or longer: they might as well be too short.

        1 while too little is known.
        """
        return self._tail(cluster, seconds, 1.0)

    def share_shorter(self, cluster: int, seconds: float) -> float:
        """The same of visits that are over after so long or less."""
        return self._tail(cluster, seconds, -1.0)

    def as_far(self, share: float) -> int:
        """How many visits so far, of MOST at most, had so small a share when they came."""
        return bisect_right(self._extremes, share)

    def learn(self, cluster: int, seconds: float) -> None:
        """Takes a finished visit for normal. The action of fewest visits makes room."""
        usual = self._usual.get(cluster)
        if usual is not None and usual.n >= LEAST:
            insort(self._extremes, min(self.share_longer(cluster, seconds), self.share_shorter(cluster, seconds)))
            del self._extremes[MOST:]
        if usual is None and len(self._usual) >= MOST:
            del self._usual[min(self._usual, key=lambda id: self._usual[id].n)]
        self.visits += 1
        self._usual.setdefault(cluster, _Usual(0, 0.0, 0.0)).merge(_Usual(1, math.log(seconds), 0.0))

    def merge(self, source: int, target: int) -> None:
        """`source` is part of `target`."""
        gone = self._usual.pop(source, None)
        if gone is not None:
            self._usual.setdefault(target, _Usual(0, 0.0, 0.0)).merge(gone)

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "usual": [[id, *astuple(usual)] for id, usual in self._usual.items()],
            "extremes": self._extremes.copy(),
            "visits": self.visits,
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._usual = {id: _Usual(*usual) for id, *usual in state["usual"]}
        self._extremes, self.visits = state["extremes"].copy(), state["visits"]

    def _tail(self, cluster: int, seconds: float, side: float) -> float:
        usual = self._usual.get(cluster)
        if usual is None or usual.n < LEAST:
            return 1.0
        spread = max(math.sqrt(usual.squares / (usual.n - 1)), LEAST_SPREAD) * math.sqrt(1 + 1 / usual.n)
        return min(1.0, 2 * float(stdtr(usual.n - 1, -side * (math.log(seconds) - usual.mean) / spread)))
