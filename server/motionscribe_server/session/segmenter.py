"""Cuts the timeline of one stream into segments as it grows: penalised optimal partitioning with a revised tail.

In: for each moment, estimates (D + 1, d) of the embedding of the D + 1 newest moments, oldest first; the oldest one
is settled by it, the others are estimated again with the next moment. Out: the best segments of the recent
timeline as half-open spans of moment numbers, with their means. It knows no clusters, no time and no labels.

The cost of a segment is its sum of squared deviations from its mean plus a penalty; a segment that still grows and
is young pays less, so that it opens quickly and must earn its keep.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.state import State


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
        # row r speaks of the first r moments; rows beyond the newest are room for more
        self._sums = np.zeros((1, self._dimensions))
        self._squares = np.zeros(1)
        self._norms = np.zeros(1)  # squared lengths of the sums
        self._cost = np.array([-self._penalty.closed])
        self._back = np.zeros(1, np.int64)

    def push(self, estimates: Array) -> list[Hypothesis]:
        """The best segments of the history after one more moment; the last one is still open."""
        keep, newest = self._settled + 1, self._settled + len(estimates)
        self._reserve(newest + 1)
        revised = slice(keep, newest + 1)
        self._sums[revised] = self._sums[keep - 1] + np.cumsum(estimates, axis=0)
        self._squares[revised] = self._squares[keep - 1] + np.cumsum((estimates**2).sum(axis=1))
        self._norms[revised] = (self._sums[revised] ** 2).sum(axis=1)
        # ends so near to each other that none is where the last segment of another begins
        together = min(self._penalty.shortest, self._horizon)
        for first in range(keep, newest + 1, together):
            self._solve(first, min(first + together, newest + 1), newest)
        return self._trace(newest)

    def settle(self) -> None:
        """The oldest moment of the last push will not be estimated again."""
        self._settled += 1
        surplus = self._settled - self._horizon
        if surplus > self._horizon:  # trimmed rarely: a copy of the arrays for every horizon of moments
            self._origin += surplus
            self._settled -= surplus
            # sums that grew for days would drown a moment
            self._sums = self._sums[surplus:] - self._sums[surplus]
            self._squares = self._squares[surplus:] - self._squares[surplus]
            self._norms = (self._sums**2).sum(axis=1)
            self._cost = self._cost[surplus:] - self._cost[surplus]
            self._back = np.maximum(self._back[surplus:] - surplus, 0)

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "origin": self._origin,
            "settled": self._settled,
            "sums": self._sums,
            "squares": self._squares,
            "norms": self._norms,
            "cost": self._cost,
            "back": self._back,
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._origin, self._settled = state["origin"], state["settled"]
        self._sums, self._squares, self._norms, self._cost, self._back = (
            state[name].copy() for name in ("sums", "squares", "norms", "cost", "back")
        )

    def _reserve(self, rows: int) -> None:
        """Makes room for so many rows at least."""
        if rows > len(self._cost):
            self._sums = np.concatenate([self._sums, np.zeros((rows, self._dimensions))])
            self._squares, self._norms, self._cost = (
                np.concatenate([array, np.zeros(rows)]) for array in (self._squares, self._norms, self._cost)
            )
            self._back = np.concatenate([self._back, np.zeros(rows, np.int64)])

    def _solve(self, first: int, beyond: int, newest: int) -> None:
        """Least cost of rows [0, end), and the start of its last segment, for each end from `first` to `beyond` - 1."""
        ends = np.arange(first, beyond)[:, None]
        earliest = np.maximum(0, ends - self._horizon)
        latest = np.maximum(ends - self._penalty.shortest, earliest)
        past = slice(int(earliest[0, 0]), int(latest[-1, 0]) + 1)
        starts = np.arange(past.start, past.stop)
        length = np.maximum(ends - starts, 1)
        total = self._norms[ends] + self._norms[past] - 2.0 * (self._sums[first:beyond] @ self._sums[past].T)
        cost = self._cost[past] - self._squares[past] - total / length
        cost += self._squares[ends] + self._penalty.closed
        if beyond > newest:
            rise = (self._penalty.closed - self._penalty.young) / self._penalty.adult
            cost[-1] += np.minimum(self._penalty.young + rise * length[-1], self._penalty.closed) - self._penalty.closed
        cost[(starts < earliest) | (starts > latest)] = np.inf
        best = cost.argmin(axis=1)
        self._cost[first:beyond] = cost[np.arange(len(best)), best]
        self._back[first:beyond] = starts[best]

    def _trace(self, newest: int) -> list[Hypothesis]:
        bounds = [newest]
        while bounds[-1] > 0:
            bounds.append(int(self._back[bounds[-1]]))
        spans = list(itertools.pairwise(reversed(bounds)))
        inner = np.array([self._inner(start, end, newest) for start, end in spans])
        means = (self._sums[inner[:, 1]] - self._sums[inner[:, 0]]) / (inner[:, 1] - inner[:, 0])[:, None]
        origin = self._origin
        return [Hypothesis(origin + start, origin + end, mean) for (start, end), mean in zip(spans, means, strict=True)]

    def _inner(self, start: int, end: int, newest: int) -> tuple[int, int]:
        """The rows whose mean a segment has."""
        inner_start, inner_end = start, end
        if self._penalty.edge and end - start > 5:
            if start > 0:
                inner_start = min(start + self._penalty.edge, end - 5)
            if end < newest:
                inner_end = max(end - self._penalty.edge, inner_start + 5)
        return inner_start, inner_end
