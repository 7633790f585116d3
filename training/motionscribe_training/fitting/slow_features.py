"""The embedding: directions in which motion changes between actions but not within them, and how to see them early.

In: trailing evidence (n, Q) about each moment of several recordings. Out: teachers that embed centred evidence in
slow dimensions (slow feature analysis, Wiskott and Sejnowski 2002), one for each part of the embedding, and students,
ridge regressions that predict the teachers' embedding of the moment i moments ago from what trails now. No labels are
used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Array = NDArray[np.float64]

DIMENSIONS = 12
"""Of a part. With REVISIONS and RIDGE: chosen on ten trials of CMU subject 86."""
REVISIONS = 6
RIDGE = 0.03
"""Penalty of the students, in units of the mean variance of the evidence."""
SLOW_S = 2.0
"""Differences over this time are fast: within an action as often as between two."""
SHARE = 0.05
"""Ridge of the fast covariance, in units of its mean variance."""

TINY = 1e-9
"""Variance of evidence that says nothing."""


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
    fast += (SHARE * np.trace(fast) / len(fast) + TINY) * np.eye(len(fast))
    _, vectors = eigh(total, fast)
    directions = vectors[:, ::-1][:, :DIMENSIONS]
    spread = np.sqrt((centred @ directions).var(axis=0).sum())
    return Teacher(np.vstack(recordings).mean(axis=0), directions / max(spread, TINY))


@dataclass(frozen=True)
class Part:
    """What one part of the embedding is made of."""

    kind: slice
    """Columns of the evidence of one kind, over all spans: what its students see."""
    pooled: slice
    """Those of one span: what its teacher sees, centred."""
    span: int
    """Moments."""
    weight: float
    """Share of the whole: weights of all parts have a sum of squares of 1."""


@dataclass(frozen=True)
class Teachers:
    """The whole embedding of a recording that lies open, part beside part."""

    parts: tuple[Part, ...]
    teachers: tuple[Teacher, ...]

    def embed(self, evidence: Array) -> Array:
        """Trailing evidence (n, Q) of a whole recording to (n, D)."""
        return np.hstack(
            [
                teacher.embed(centred(evidence[:, part.pooled], part.span)) * part.weight
                for part, teacher in zip(self.parts, self.teachers, strict=True)
            ]
        )


def centred(trailing: Array, span: int) -> Array:
    """What is pooled over `span` moments, (n, q), around each moment: what trails half a span later, or at the end."""
    return trailing[np.minimum(np.arange(len(trailing)) + span // 2, len(trailing) - 1)]


def fit_teachers(recordings: Sequence[Array], parts: Sequence[Part], lag: int) -> Teachers:
    """From trailing evidence (n, Q), as fit_teacher."""
    return Teachers(tuple(parts), tuple(fit_teacher([x[:, part.pooled] for x in recordings], lag) for part in parts))


@dataclass(frozen=True)
class Students:
    """Linear maps from trailing evidence (Q,) to the embedding of the moment i moments ago, i = 0..L."""

    evidence_mean: Array
    maps: Array
    """(L + 1, Q, D)"""
    embedding_mean: Array
    """(L + 1, D)"""

    def estimate(self, evidence: Array, age: int) -> Array:
        """(n, Q) evidence to (n, D) estimates of the embedding `age` moments before each."""
        estimates: Array = (evidence - self.evidence_mean) @ self.maps[age] + self.embedding_mean[age]
        return estimates


def fit_students(evidence: Sequence[Array], teachers: Teachers) -> Students:
    """From trailing evidence (n, Q), by recording.

    A part is foreseen from its own kind of evidence: a network knows the recordings that it learnt from too well, and
    students that read the motion off its states are worse at recordings that it has not seen.
    """
    mean = np.vstack(list(evidence)).mean(axis=0)
    embeddings = [teachers.embed(x) for x in evidence]
    maps, offsets = [], []
    for age in range(REVISIONS + 1):
        seen = np.vstack([x[age:] for x in evidence]) - mean
        wanted = np.vstack([y[: len(y) - age] for y in embeddings])
        offset = wanted.mean(axis=0)
        whole, column = np.zeros((seen.shape[1], wanted.shape[1])), 0
        for part, teacher in zip(teachers.parts, teachers.teachers, strict=True):
            own = slice(column, column + teacher.directions.shape[1])
            whole[part.kind, own] = _ridge(seen[:, part.kind], (wanted - offset)[:, own])
            column = own.stop
        maps.append(whole)
        offsets.append(offset)
    return Students(mean, np.array(maps), np.array(offsets))


def _ridge(seen: Array, wanted: Array) -> Array:
    covariance = seen.T @ seen
    ridge = RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    weights: Array = np.linalg.solve(covariance + ridge, seen.T @ wanted)
    return weights
