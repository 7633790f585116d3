"""Where the numbers of a table lie, and where they usually lie: both drift, and how far is known from the training.

In: what has a level in each moment (`levelled`): columns, how they tremble, how badly they fit each other. Out: the
shift of each of these L: how far its level, a running mean over some seconds, lies from its usual one, a running mean
over minutes, divided by how far it drifts in the time between the two. How far that is follows a power law of the time
(a structure function: Simonetti, Cordes and Heeschen 1985, doi 10.1086/163418), as of anything between white noise and
a random walk. The time counts up to the span of the usual level, and nothing is learnt while an alarm is open: what
lies farther than it drifts in minutes does not become normal by lying there.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from motionscribe_models.arrays import Array, Single
from motionscribe_models.state import State
from motionscribe_server.session.anomaly.sensed import Sensed

LAGS = 12
"""At which drift is measured, evenly spaced in their logarithms."""
LEAST = 1e-9
"""Of a drift: what never changed drifts so far."""
QUIETEST = 1e-6
"""Least number whose logarithm is a level."""


class Levels:
    """Of one stream."""

    def __init__(self, drift: Array, level: int, usual: int, later: int) -> None:
        """`drift` is what `fit_drift` gives. Moments: the spans of both means; until one is learnt."""
        self._drift, self._span, self._usual_span, self._later = drift, level, usual, later
        self._level = np.zeros(drift.shape[1])
        self._usual = np.zeros(drift.shape[1])
        self._usual_at = 0.0  # the mean of the moments that it was learnt of
        self._moment = self._known = self._learnt = 0
        self._waiting = deque[tuple[int, Array]]()  # levels that are learnt if no alarm begins soon

    def restart(self) -> None:
        """Forgets what came before a gap, but not what is usual."""
        self._known = 0
        self._waiting.clear()

    def pass_time(self, moments: int) -> None:
        """So many were missing."""
        self._moment += max(0, moments)

    def update(self, values: Array) -> Array:
        """The next moment's (L,): the shift of each, NaN while too little is known."""
        self._moment += 1
        self._known += 1
        self._level = self._level + (values - self._level) * _share(self._known, self._span)
        if self._known < self._span or not self._learnt:
            return np.full(len(values), np.nan)
        age = min(max(self._moment - self._usual_at, 1.0), self._usual_span)
        far: Array = np.abs(self._level - self._usual) / expected_drift(self._drift, age)
        return far

    def learn(self, quiet: bool) -> None:
        """Takes the moment of the last `update`; where it is not `quiet`, it and those that led to it are forgotten."""
        if not quiet:
            self._waiting.clear()
            return
        if self._known < self._span:
            return
        self._waiting.append((self._moment, self._level))
        if len(self._waiting) > self._later:
            moment, level = self._waiting.popleft()
            self._learnt += 1
            share = _share(self._learnt, self._usual_span)
            self._usual = self._usual + (level - self._usual) * share
            self._usual_at += (moment - self._usual_at) * share

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "level": self._level.copy(),
            "usual": self._usual.copy(),
            "usual_at": self._usual_at,
            "counts": [self._moment, self._known, self._learnt],
            "waiting": [[moment, level.copy()] for moment, level in self._waiting],
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._level, self._usual = state["level"].copy(), state["usual"].copy()
        self._usual_at = state["usual_at"]
        self._moment, self._known, self._learnt = state["counts"]
        self._waiting = deque((moment, level.copy()) for moment, level in state["waiting"])


def fit_drift(recordings: Sequence[Array], level: int, usual: int) -> Array:
    """(2, L): logarithm of the drift of each number in a moment, and the power of the time with which it grows, 0 to 1.

    `recordings` (n, L) are of moments; spans as in Levels.
    """
    levels = [means[level:] for x in recordings if len(means := running_mean(x, level)) > level + 1]
    if not levels:
        return np.stack([np.zeros(recordings[0].shape[1])] * 2)
    longest = max(1, min(usual, max(map(len, levels)) // 2))
    lags = np.unique(np.round(np.geomspace(1, longest, LAGS)).astype(int))
    squares = [np.concatenate([np.square(x[lag:] - x[:-lag]) for x in levels]).mean(axis=0) for lag in lags]
    logs = np.log(np.maximum(np.sqrt(squares), LEAST))
    if len(lags) == 1:
        return np.stack([logs[0], np.zeros(logs.shape[1])])
    at = np.log(lags)
    power = np.clip(((at - at.mean()) @ (logs - logs.mean(axis=0))) / np.square(at - at.mean()).sum(), 0, 1)
    return np.stack([logs.mean(axis=0) - power * at.mean(), power])


def levelled(frames: Single, sensed: Sensed, misfit: Array) -> Array:
    """What has levels in a moment, (L,): the means of its frames (n, F), logarithms of tremor (B,) and misfit (G,)."""
    energies = np.log(np.maximum(np.concatenate([sensed.tremor, misfit]), QUIETEST))
    return np.concatenate([frames.mean(axis=0, dtype=np.float64), energies])


def expected_drift(drift: Array, moments: float) -> Array:
    """(L,) in so many moments."""
    found: Array = np.exp(drift[0] + drift[1] * np.log(moments))
    return found


def running_mean(values: Array, span: int) -> Array:
    """(n, L) the levels of moments (n, L) as a stream has them."""
    means, mean = np.empty_like(values), np.zeros(values.shape[1])
    for row, value in enumerate(values):
        mean = mean + (value - mean) * _share(row + 1, span)
        means[row] = mean
    return means


def _share(count: int, span: int) -> float:
    """Of the newest of `count` values: the mean of all until they are more than `span`."""
    return max(1 / count, 1 / span)
