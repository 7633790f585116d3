"""Metrics of labels against annotations: pure functions on label arrays, one entry for each scored frame.

In: `truth` (n,), class numbers >= 0; `predicted` (n,), cluster ids >= 0 of any numbering, -1 for no label; times int64
microseconds. Out: Score. Clusters have no names, so each recording's are matched to classes one to one, such that
most frames agree; unmatched clusters are always wrong. Nothing here knows recordings, sessions or models.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

Labels = NDArray[np.int64]

RATE_HZ = 30.0
"""Rate at which labels are scored: no annotator is more exact than a thirtieth of a second."""

HALF_SECOND_US = 500_000
LASTING = 0.9
"""Share of the rest of a segment that must be right for a label to count as found."""


@dataclass(frozen=True)
class Score:
    """Metrics of one recording, or means over recordings."""

    accuracy: float
    """Share of frames whose matched class is the annotated one."""
    ari: float
    """Adjusted Rand index."""
    nmi: float
    """Normalised mutual information."""
    f1_10: float
    """Segmental F1 at overlap 0.10 (Lea et al. 2017)."""
    f1_25: float
    f1_50: float
    edit: float
    """1 - edit distance between the orders of actions, divided by the longer one (Lea et al. 2016)."""
    boundary_f1: float | None
    """F1 of boundaries inside the annotators' tolerance; None when they gave none."""
    boundary_f1_half_second: float
    """F1 of boundaries at +-0.5 s of the best guess."""
    delays_s: tuple[float, ...]
    """Per true boundary, seconds until the first right label that stays was emitted; infinite when it never was."""
    segments_per_true: float
    """Predicted segments per true segment."""
    clusters: float
    """Distinct cluster ids."""
    classes: float
    """Distinct actions."""

    @property
    def delay_median_s(self) -> float | None:
        """Median delay; one that was never found counts as longer than all others. None without boundaries."""
        return float(np.median(self.delays_s)) if self.delays_s else None

    @property
    def delay_p95_s(self) -> float | None:
        """95th percentile of the delays that were found. None when none was."""
        found = [delay for delay in self.delays_s if math.isfinite(delay)]
        return float(np.percentile(found, 95)) if found else None

    @property
    def never_found(self) -> float | None:
        """Share of true boundaries after which no right label stayed. None without boundaries."""
        return float(np.mean(np.isinf(self.delays_s))) if self.delays_s else None


def score(
    truth: Labels, predicted: Labels, times_us: Labels, emitted_us: Labels, boundaries_us: Labels, tolerant: bool = True
) -> Score:
    """All metrics of one recording.

    `truth`, `predicted` (n,), at `times_us` (n,); `emitted_us` (n,): source time at which the answer left;
    `boundaries_us` (b, 3): earliest, best and latest time of each true boundary; `tolerant`: whether annotators gave
    earliest and latest. Raises ValueError for arrays that do not fit each other.
    """
    lengths = tuple(len(array) for array in (truth, predicted, times_us, emitted_us))
    if len(set(lengths)) != 1 or lengths[0] == 0:
        raise ValueError(f"expected truth, predicted, times and emission times of one length, got {lengths}")
    if truth.min() < 0 or predicted.min() < -1:
        raise ValueError(f"expected classes >= 0 and clusters >= -1, got {truth.min()} and {predicted.min()}")
    matched = match_clusters(truth, predicted)
    starts_us = times_us[[start for start, _, _ in runs(predicted)[1:]]]
    best = boundaries_us[:, 1]
    around = np.stack([best - HALF_SECOND_US, best + HALF_SECOND_US], axis=1)
    return Score(
        accuracy=float(np.mean(matched == truth)),
        ari=float(adjusted_rand_score(truth, predicted)),
        nmi=float(normalized_mutual_info_score(truth, predicted)),
        f1_10=segment_f1(truth, matched, 0.10),
        f1_25=segment_f1(truth, matched, 0.25),
        f1_50=segment_f1(truth, matched, 0.50),
        edit=edit_score(truth, matched),
        boundary_f1=boundary_f1(starts_us, boundaries_us[:, [0, 2]]) if tolerant else None,
        boundary_f1_half_second=boundary_f1(starts_us, around),
        delays_s=tuple(detection_delays(truth, matched, times_us, emitted_us, best)),
        segments_per_true=len(runs(predicted)) / len(runs(truth)),
        clusters=float(len(np.unique(predicted[predicted >= 0]))),
        classes=float(len(np.unique(truth))),
    )


def mean_score(scores: Sequence[Score]) -> Score:
    """Mean of each metric over recordings; delays are pooled. Raises ValueError when there are none."""
    if not scores:
        raise ValueError("expected at least one score")

    def mean(metric: Callable[[Score], float]) -> float:
        return float(np.mean([metric(s) for s in scores]))

    tolerant = [s.boundary_f1 for s in scores if s.boundary_f1 is not None]
    return Score(
        accuracy=mean(lambda s: s.accuracy),
        ari=mean(lambda s: s.ari),
        nmi=mean(lambda s: s.nmi),
        f1_10=mean(lambda s: s.f1_10),
        f1_25=mean(lambda s: s.f1_25),
        f1_50=mean(lambda s: s.f1_50),
        edit=mean(lambda s: s.edit),
        boundary_f1=float(np.mean(tolerant)) if tolerant else None,
        boundary_f1_half_second=mean(lambda s: s.boundary_f1_half_second),
        delays_s=tuple(delay for s in scores for delay in s.delays_s),
        segments_per_true=mean(lambda s: s.segments_per_true),
        clusters=mean(lambda s: s.clusters),
        classes=mean(lambda s: s.classes),
    )


def scored_frames(times_us: Labels, rate_hz: float = RATE_HZ) -> Labels:
    """Indices of the frames at or just before each tick of `rate_hz` from the first frame on; at a lower rate, all."""
    ticks = np.arange(times_us[0], times_us[-1] + 1, 1e6 / rate_hz)
    # half a microsecond, since times are rounded
    return np.unique(np.searchsorted(times_us, ticks + 0.5, side="right") - 1)


def runs(labels: Labels) -> list[tuple[int, int, int]]:
    """Maximal runs of one label, as (start, end, label), half-open."""
    cuts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return [(a, b, int(labels[a])) for a, b in pairwise(cuts)] if len(labels) else []


def match_clusters(truth: Labels, predicted: Labels) -> Labels:
    """`predicted` in the class numbers of `truth`: one to one, such that most frames agree (Hungarian method).

    Clusters without a class get numbers of their own above all classes; -1 stays -1.
    """
    # by first appearance, so that a tie does not depend on how clusters are numbered
    clusters = list(dict.fromkeys(predicted[predicted >= 0].tolist()))
    classes = int(truth.max()) + 1
    agreement = np.zeros((len(clusters), classes))
    for row, cluster in enumerate(clusters):
        agreement[row] = np.bincount(truth[predicted == cluster], minlength=classes)
    names = {cluster: classes + row for row, cluster in enumerate(clusters)}
    for row, column in zip(*linear_sum_assignment(-agreement), strict=True):
        if agreement[row, column] > 0:
            names[clusters[row]] = int(column)
    matched = np.full(len(predicted), -1, np.int64)
    for cluster, name in names.items():
        matched[predicted == cluster] = name
    return matched


def segment_f1(truth: Labels, matched: Labels, overlap: float) -> float:
    """Share of segments found, as F1: the best overlapping true segment of the same class, not taken yet.

    Overlap is intersection over union. Lea et al. 2017, Temporal Convolutional Networks for Action Segmentation.
    """
    true, guessed = runs(truth), runs(matched)
    taken = [False] * len(true)
    hits = 0
    for start, end, label in guessed:
        overlaps = [
            max(0, min(end, b) - max(start, a)) / (max(end, b) - min(start, a)) if label == name else 0.0
            for a, b, name in true
        ]
        best = int(np.argmax(overlaps))
        if overlaps[best] >= overlap and not taken[best]:
            taken[best] = True
            hits += 1
    return 2 * hits / (len(true) + len(guessed))


def edit_score(truth: Labels, matched: Labels) -> float:
    """1 when both have the same actions in the same order, 0 when they share nothing."""
    true = [label for _, _, label in runs(truth)]
    guessed = [label for _, _, label in runs(matched)]
    row = list(range(len(guessed) + 1))  # Levenshtein, one row at a time
    for i, label in enumerate(true, 1):
        diagonal, row[0] = row[0], i
        for j, guess in enumerate(guessed, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (label != guess))
    return 1 - row[-1] / max(len(true), len(guessed))


def boundary_f1(predicted_us: Labels, accepted_us: Labels) -> float:
    """F1 of boundaries (p,) against closed intervals (b, 2), each used once; 1 when there are none on both sides."""
    if len(predicted_us) + len(accepted_us) == 0:
        return 1.0
    inside = (accepted_us[:, :1] <= predicted_us) & (predicted_us <= accepted_us[:, 1:])
    rows, columns = linear_sum_assignment(inside, maximize=True)
    return 2 * float(inside[rows, columns].sum()) / (len(predicted_us) + len(accepted_us))


def detection_delays(
    truth: Labels, matched: Labels, times_us: Labels, emitted_us: Labels, boundaries_us: Labels
) -> list[float]:
    """Seconds from each true boundary (b,) to the emission of the first right label that stays, infinite if none does.

    It stays when it and at least 90 % of the labels after it, up to the next boundary, are right.
    """
    right = matched == truth
    delays: list[float] = []
    for start_us, end_us in pairwise([*boundaries_us.tolist(), int(times_us[-1]) + 1]):
        inside = np.flatnonzero((times_us >= start_us) & (times_us < end_us))
        stays = right[inside][::-1].cumsum()[::-1] >= LASTING * np.arange(len(inside), 0, -1)
        found = inside[right[inside] & stays]
        delays.append(float(emitted_us[found[0]] - start_us) / 1e6 if len(found) else math.inf)
    return delays
