"""The embedding: directions in which motion changes between actions but not within them, and early estimates of them.

In: trailing evidence (n, Q) about each moment of several recordings. Out: teachers, which embed centred evidence in
slow dimensions (slow feature analysis, Wiskott and Sejnowski 2002), one for each part of the embedding; and students,
ridge regressions which predict the teachers' embedding of the moment i moments ago from the trailing evidence now. No
labels are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from motionscribe_models.arrays import Array

DIMENSIONS = 12
"""Slow dimensions of a part. Chosen with REVISIONS and RIDGE on ten trials of CMU subject 86."""
REVISIONS = 6
RIDGE = 0.03
"""Penalty of the students, in units of the mean variance of the evidence."""
SHARE = 0.05
"""Ridge of the fast covariance, in units of its mean variance."""

APART = 3.0
"""Weight of the covariance between copies of one motion, as fast. On seven held-out trials of CMU subject 86, from
views not seen and without the network, bodies in images had right labels after 1 s for .65 of the time with 0, .82 with
1 and 3, .79 with 10."""

TINY = 1e-9
"""Variance below which evidence is constant."""


@dataclass(frozen=True)
class Teacher:
    """Linear map from pooled evidence (q,) to the embedding (d,)."""

    mean: Array
    directions: Array
    """(q, d), scaled so that a recording's embedding varies by 1 in all about its own mean."""

    def embed(self, evidence: Array) -> Array:
        """(n, q) to (n, d)."""
        return (evidence - self.mean) @ self.directions


def fit_teacher(recordings: Sequence[Array], lag: int, copies: int = 1) -> Teacher:
    """Fits a teacher to trailing evidence (n, q) of recordings with several actions each.

    Differences over `lag` moments count as fast: they occur within an action as often as between two.
    Covariances are taken within recordings: between recordings the person differs, which is slower than any action.
    Of several `copies` of all recordings, one set after another, what differs at one moment is no action either.
    """
    centred = np.vstack([x - x.mean(axis=0) for x in recordings])
    total = centred.T @ centred / len(centred)
    steps = np.vstack([x[lag:] - x[:-lag] for x in recordings if len(x) > lag])
    fast = steps.T @ steps / len(steps) / 2
    if copies > 1:
        motions = len(recordings) // copies
        together = [np.stack(list(recordings[motion::motions])) for motion in range(motions)]
        apart = np.vstack([(x - x.mean(axis=0)).reshape(-1, len(fast)) for x in together])
        fast += APART * (apart.T @ apart) / len(apart) * copies / (copies - 1)
    fast += (SHARE * np.trace(fast) / len(fast) + TINY) * np.eye(len(fast))
    _, vectors = eigh(total, fast)
    directions = vectors[:, ::-1][:, :DIMENSIONS]
    spread = np.sqrt((centred @ directions).var(axis=0).sum())
    return Teacher(np.vstack(recordings).mean(axis=0), directions / max(spread, TINY))


@dataclass(frozen=True)
class Part:
    """Where the evidence of one part of the embedding is."""

    kind: slice
    """Columns of one kind of evidence, over all spans: the input of its students."""
    pooled: slice
    """Columns of one span of that kind: the input of its teacher, centred."""
    span: int
    """Moments."""
    weight: float
    """Share of the whole; the squares of all parts' weights add up to 1."""


@dataclass(frozen=True)
class Teachers:
    """The embedding of a whole recording, the columns of one part after those of another."""

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
    """Evidence (n, q) over `span` moments around each moment: the trailing evidence half a span later, or the last."""
    return trailing[np.minimum(np.arange(len(trailing)) + span // 2, len(trailing) - 1)]


def fit_teachers(recordings: Sequence[Array], parts: Sequence[Part], lag: int, copies: int = 1) -> Teachers:
    """Fits one teacher for each part to trailing evidence (n, Q)."""
    pooled = ([x[:, part.pooled] for x in recordings] for part in parts)
    return Teachers(tuple(parts), tuple(fit_teacher(own, lag, copies) for own in pooled))


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
    """Fits students to trailing evidence (n, Q), one array a recording.

    Each part is predicted from its own kind of evidence: a network knows its training recordings too well, and students
    that read motion from its states are worse on unseen recordings.
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
