"""Cuts the timeline of one stream into segments as it grows: penalised optimal partitioning with a revised tail.

In: for each moment, estimates (D + 1, d) of the embedding of the D + 1 newest moments, oldest first; the oldest one
is settled by it, the others are estimated again with the next moment. Out: the best segments of the recent
timeline as half-open spans of moment numbers, with their means. It knows no clusters, no time and no labels.

The cost of a segment is its sum of squared deviations from its mean plus a penalty; a segment that still grows and
is young pays less, so that it opens quickly and must earn its keep.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Penalty:
    """What a segment costs, in units of squared embedding distance times moments."""

    closed: float
    young: float
    """Cost of the newest segment at age 0; it rises linearly to `closed` at `adult` moments."""
    adult: int
    shortest: int
    """No segment is shorter than this many moments, but for the first."""
    edge: int
    """Moments left out of a segment's mean at each inner edge, where pooling mixes two motions."""

    def __post_init__(self) -> None:
        if not (0 <= self.young <= self.closed and self.adult >= 1 and self.shortest >= 1 and self.edge >= 0):
            raise ValueError(f"expected 0 <= young <= closed, adult >= 1, shortest >= 1, edge >= 0, got {self}")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Moments [start, end) that show one motion, with the mean of their embedding (d,)."""

    start: int
    end: int
    mean: Array


class Segmenter:
    """Keeps `horizon` moments of history; older boundaries are settled for good."""

    def __init__(self, dimensions: int, penalty: Penalty, horizon: int) -> None:
        self._penalty = penalty
        self._horizon = horizon
        self._dimensions = dimensions
        self.restart(0)

    def restart(self, moment: int) -> None:
        """Begins a new timeline at `moment`; nothing before it is looked at again."""
        self._origin = moment  # moment number of row 0
        self._settled = 0  # rows that will not be estimated again
        self._sums = np.zeros((1, self._dimensions))
        self._squares = np.zeros(1)
        self._cost = np.array([-self._penalty.closed])
        self._back = np.zeros(1, np.int64)

    def push(self, estimates: Array) -> list[Hypothesis]:
        """The best segments of the history after one more moment; the last one is still open."""
        keep = self._settled + 1
        self._sums = self._sums[:keep]
        self._squares = self._squares[:keep]
        self._cost = self._cost[:keep]
        self._back = self._back[:keep]
        self._sums = np.vstack([self._sums, self._sums[-1] + np.cumsum(estimates, axis=0)])
        self._squares = np.append(self._squares, self._squares[-1] + np.cumsum((estimates**2).sum(axis=1)))
        newest = len(self._squares) - 1
        for end in range(keep, newest + 1):
            cost, start = self._best(end, newest)
            self._cost = np.append(self._cost, cost)
            self._back = np.append(self._back, start)
        return self._trace(newest)

    def settle(self) -> None:
        """The oldest moment of the last push will not be estimated again."""
        self._settled += 1
        surplus = self._settled - self._horizon
        if surplus > self._horizon:  # trimmed rarely: a copy of the arrays for every horizon of moments
            self._origin += surplus
            self._settled -= surplus
            self._sums = self._sums[surplus:]
            self._squares = self._squares[surplus:]
            self._cost = self._cost[surplus:]
            self._back = np.maximum(self._back[surplus:] - surplus, 0)

    def _best(self, end: int, newest: int) -> tuple[float, int]:
        """Least cost of rows [0, end) and the start of its last segment."""
        first = max(0, end - self._horizon)
        starts = np.arange(first, max(end - self._penalty.shortest, first) + 1)
        length = end - starts
        total = self._sums[end] - self._sums[starts]
        deviation = self._squares[end] - self._squares[starts] - np.einsum("sd,sd->s", total, total) / length
        penalty = np.full(len(starts), self._penalty.closed)
        if end == newest:
            rise = (self._penalty.closed - self._penalty.young) / self._penalty.adult
            penalty = np.minimum(self._penalty.young + rise * length, self._penalty.closed)
        cost = self._cost[starts] + deviation + penalty
        best = int(cost.argmin())
        return float(cost[best]), int(starts[best])

    def _trace(self, newest: int) -> list[Hypothesis]:
        spans: list[Hypothesis] = []
        end = newest
        while end > 0:
            start = int(self._back[end])
            spans.append(self._span(start, end, newest))
            end = start
        return spans[::-1]

    def _span(self, start: int, end: int, newest: int) -> Hypothesis:
        inner_start, inner_end = start, end
        if self._penalty.edge and end - start > 5:
            if start > 0:
                inner_start = min(start + self._penalty.edge, end - 5)
            if end < newest:
                inner_end = max(end - self._penalty.edge, inner_start + 5)
        mean = (self._sums[inner_end] - self._sums[inner_start]) / (inner_end - inner_start)
        return Hypothesis(self._origin + start, self._origin + end, mean)
