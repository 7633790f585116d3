"""The embedding: directions in which motion changes between actions but not within them, and how to see them early.

In: evidence (n, Q) about each moment of several recordings (pooling.py). Out: a teacher that embeds centred evidence in
d slow dimensions (slow feature analysis, Wiskott and Sejnowski 2002), and students, ridge regressions that predict the
teacher's embedding of the moment i moments ago from what trails now. No labels are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Array = NDArray[np.float64]

DIMENSIONS = 12
"""d, REVISIONS and RIDGE: chosen on ten trials of CMU subject 86."""
REVISIONS = 6
RIDGE = 0.03
"""Penalty of the students, in units of the mean variance of the evidence."""
SLOW_S = 2.0
"""Differences over this time are fast: within an action as often as between two."""
SHARE = 0.05
"""Ridge of the fast covariance, in units of its mean variance."""


@dataclass(frozen=True)
class Teacher:
    """Linear map from pooled evidence (q,) to the embedding (d,)."""

    mean: Array
    directions: Array
    """(q, d), scaled so that a recording's embedding varies by 1 in all about its own mean."""

    def embed(self, evidence: Array) -> Array:
        """(n, q) to (n, d)."""
        return (evidence - self.mean) @ self.directions


def fit_teacher(recordings: Sequence[Array], lag: int) -> Teacher:
    """From trailing evidence (n, q) of recordings that show several actions each; `lag` moments are SLOW_S.

    Covariances are taken within recordings: who moves differs between them, and is slower than any action.
    """
    centred = np.vstack([x - x.mean(axis=0) for x in recordings])
    total = centred.T @ centred / len(centred)
    steps = np.vstack([x[lag:] - x[:-lag] for x in recordings if len(x) > lag])
    fast = steps.T @ steps / len(steps) / 2
    fast += SHARE * np.trace(fast) / len(fast) * np.eye(len(fast))
    _, vectors = eigh(total, fast)
    directions = vectors[:, ::-1][:, :DIMENSIONS]
    spread = np.sqrt((centred @ directions).var(axis=0).sum())
    return Teacher(np.vstack(recordings).mean(axis=0), directions / spread)


@dataclass(frozen=True)
class Students:
    """Linear maps from trailing evidence (Q,) to the embedding of the moment i moments ago, i = 0..L."""

    evidence_mean: Array
    maps: Array
    """(L + 1, Q, d)"""
    embedding_mean: Array
    """(L + 1, d)"""

    def estimate(self, evidence: Array, age: int) -> Array:
        """(n, Q) evidence to (n, d) estimates of the embedding `age` moments before each."""
        estimates: Array = (evidence - self.evidence_mean) @ self.maps[age] + self.embedding_mean[age]
        return estimates


def fit_students(evidence: Sequence[Array], embeddings: Sequence[Array], weights: Array) -> Students:
    """From trailing evidence (n, Q) and the teacher's centred embedding (n, d) of the same moments, by recording.

    `weights` (Q,): the ridge presses harder on what counts less.
    """
    mean = np.vstack(list(evidence)).mean(axis=0)
    maps, offsets = [], []
    for age in range(REVISIONS + 1):
        seen = (np.vstack([x[age:] for x in evidence]) - mean) * weights
        wanted = np.vstack([y[: len(y) - age] for y in embeddings])
        offset = wanted.mean(axis=0)
        covariance = seen.T @ seen
        ridge = RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        maps.append(weights[:, None] * np.linalg.solve(covariance + ridge, seen.T @ (wanted - offset)))
        offsets.append(offset)
    return Students(mean, np.array(maps), np.array(offsets))
