"""Weights of stability: how likely a provisional label is to stay, learnt from motion that the embedding did not see.

In: trailing evidence (n, Q) of recordings. Out: the weights of stability.py for each lag. Recordings are left out in
turns, each with its copies; the embedding and the first clusters are fitted to the others, and what was left out is
labelled as a session labels it: on motion that it was fitted to, the embedding is too sure. The network has seen all of
it. No labels of a person are used.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from motionscribe_models.arrays import Array
from motionscribe_models.lags import LAGS
from motionscribe_server.session.clustering import DPMeans, warm_clusters
from motionscribe_server.session.labeller import Labeller
from motionscribe_server.session.segmenter import Penalty, Segmenter
from motionscribe_server.session.stability import INPUTS, stability_inputs
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.fitting.first_clusters import RADIUS, first_clusters, partition
from motionscribe_training.fitting.slow_features import REVISIONS, Part, Students, fit_students, fit_teachers

FOLDS = 5
"""At most: each is another fit."""

Told = tuple[Array, bool]
"""What was known of a label when it was told, (INPUTS,), and whether it became final."""


def fit_stability(
    evidence: Sequence[Array],
    copies: int,
    views: int,
    parts: Sequence[Part],
    penalty: Penalty,
    latency: Mapping[str, int],
    durations: Durations,
) -> Array:
    """Weights (lags, INPUTS) from `copies` of all recordings, one set after another, of as many `views` or of one.

    A single recording is not left out: there would be nothing to fit to.
    """
    told: dict[str, list[Told]] = {lag: [] for lag in LAGS}
    for others, left_out in _folds(evidence, copies):
        teachers = fit_teachers(others, parts, durations["slow"], views)
        students = fit_students(others, teachers)
        centres = first_clusters([partition(teachers.embed(x), penalty) for x in others], durations)
        for lag in LAGS:
            for x in left_out:
                told[lag] += _tell(x, students, centres, penalty, latency[lag], durations)
    return np.array([_weights(told[lag]) for lag in LAGS])


def _folds(evidence: Sequence[Array], copies: int) -> Iterator[tuple[list[Array], list[Array]]]:
    """Recordings to fit to and recordings to label; copies of one are never in both."""
    distinct = len(evidence) // copies
    folds = min(FOLDS, distinct)
    if folds < 2:
        yield list(evidence), list(evidence)
        return
    for fold in range(folds):
        left_out = [number % distinct % folds == fold for number in range(len(evidence))]
        yield (
            [x for x, out in zip(evidence, left_out, strict=True) if not out],
            [x for x, out in zip(evidence, left_out, strict=True) if out],
        )


def _tell(
    evidence: Array, students: Students, centres: Array, penalty: Penalty, latency: int, durations: Durations
) -> list[Told]:
    """The labels that a session tells of each moment until it is final."""
    segmenter = Segmenter(students.maps.shape[2], penalty, durations["history"])
    clusterer = DPMeans(students.maps.shape[2], warm_clusters(centres), radius=RADIUS)
    labeller = Labeller(clusterer, RADIUS, durations.moment_s, durations["history"])
    estimates = np.array([students.estimate(evidence, age) for age in range(REVISIONS, -1, -1)])  # (L + 1, n, d)
    shown: list[list[tuple[Array, int]]] = [[] for _ in evidence]
    told: list[Told] = []
    for now in range(len(evidence)):
        labeller.push(segmenter.push(estimates[max(0, REVISIONS - now) :, now]), 0)
        if now >= REVISIONS:
            segmenter.settle()
        for current in labeller.current:
            for moment in range(max(current.segment.start, now - latency + 1), current.segment.end):
                before = shown[moment][-1][1] if shown[moment] else 0
                if moment == now or current.cluster != before:
                    known = stability_inputs(current, moment, now, estimates[-1, now])
                    shown[moment].append((known, current.cluster))
        if now >= latency:
            final = labeller.label(now - latency)
            told += [(known, cluster == final) for known, cluster in shown[now - latency]]
    return told


def _weights(told: Sequence[Told]) -> Array:
    """Of one lag (INPUTS,)."""
    stayed = [stays for _, stays in told]
    if len(set(stayed)) < 2:
        return np.array([3.0] + [0.0] * (INPUTS - 1))  # nothing ever changed: all but certain
    model = LogisticRegression(fit_intercept=False, max_iter=1000).fit(np.array([known for known, _ in told]), stayed)
    return np.asarray(model.coef_[0], np.float64)
