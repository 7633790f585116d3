"""Whether a network is trained: how its states of annotated motion part along the checkpoints of its training.

In: networks in the order of training, and what was watched of recordings that it did not learn from. Out: a Stage for
each network, and the rank correlation of separation with how well states tell actions. An untrained network of the same
shape is measured in the same way: what it reaches, training does not explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_training.explaining.checkpoints import Kept, kept
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.curve import Point
from motionscribe_training.network.options import TrainOptions
from motionscribe_training.network.separation import (
    Groups,
    Separation,
    groups_of,
    nearest_right,
    numbered,
    separation,
    unlabelled,
)
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import running_states
from motionscribe_training.network.trainer import Trainer

BLOCK = 10
"""Moments whose states are averaged before k-means groups them, one second of the shipped models: single states follow
the phase of a motion, and cluster by it."""


@dataclass(frozen=True)
class Stage:
    """One network."""

    point: Point | None
    """Where in training, with its errors there; None for an untrained network."""
    states: Separation
    """Of states, averaged over BLOCK moments, in groups of k-means: no labels."""
    pieces: Separation
    """Of the means of pieces in their labels: actions where annotated."""
    quality: float
    """Share of the same that are nearest to the mean of other pieces of their label (separation.nearest_right)."""
    agreement: float
    """Adjusted Rand index of the groups of k-means, as many as there are labels, against the labels."""
    stability: float | None
    """Adjusted Rand index of the groups of k-means against those of the stage before; None for the first."""
    error: float
    """Mean squared error of the prediction on what was watched, normalised units."""


@dataclass(frozen=True)
class Correlation:
    """Whether separation tells label quality."""

    rho: float
    """Spearman's, over all stages of all runs together."""
    p: float
    """Of rho, as if stages were independent. They are not: both change along a run, so that p is too small."""
    within: tuple[float, ...]
    """Spearman's of each run alone; nan where all stages of it have one quality."""


def stages(networks: Sequence[Kept], watched: Sequence[Watched], steps: int) -> list[Stage]:
    """Of each network, in order; `steps` are the decoder's. Raises ValueError for less than two labels in all."""
    found: list[Stage] = []
    before: Groups | None = None
    for one in networks:
        stage, before = _stage(one.network, one.point, watched, steps, before)
        found.append(stage)
    return found


def stage_of(network: Seq2Seq, watched: Sequence[Watched], steps: int) -> Stage:
    """Of a network that has no place in a training, as an untrained one."""
    return _stage(network, None, watched, steps, None)[0]


def rank_correlation(separations: Sequence[Sequence[float]], qualities: Sequence[Sequence[float]]) -> Correlation:
    """Of one series of stages for each run. Raises ValueError for less than three stages in all."""
    pooled = np.concatenate([np.asarray(x, np.float64) for x in separations])
    judged = np.concatenate([np.asarray(x, np.float64) for x in qualities])
    if len(pooled) != len(judged) or len(pooled) < 3:
        raise ValueError(f"expected as many separations as qualities, 3 or more, got {len(pooled)} and {len(judged)}")
    rho, p = _spearman(pooled, judged)
    within = tuple(_spearman(np.asarray(x), np.asarray(y))[0] for x, y in zip(separations, qualities, strict=True))
    return Correlation(rho, p, within)


def separation_against_quality(
    sequences: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
    watched: Sequence[Watched],
    options: TrainOptions,
    seeds: Sequence[int],
    feature_map: FeatureMap | None = None,
) -> tuple[list[list[Stage]], list[Seq2Seq]]:
    """Trains a network for each seed on `sequences` (m, F), and measures it at each of its validations.

    Returns the stages of each run, and the network at its end.
    """
    runs: list[list[Stage]] = []
    ends: list[Seq2Seq] = []
    for seed in seeds:
        trainer = Trainer(sequences, TrainOptions(**{**vars(options), "seed": seed}), torch.device("cpu"), feature_map)
        networks: list[Kept] = []
        errors: list[float] = []
        while not trainer.finished:
            errors.append(trainer.step())
            if trainer.progress.iteration % options.validate_every == 0:
                trainer.validate(sum(errors) / len(errors))
                errors.clear()
                networks.append(kept(trainer.network_state()))
        runs.append(stages(networks, watched, options.target_seq_len))
        ends.append(networks[-1].network)
    return runs, ends


def _stage(
    network: Seq2Seq, point: Point | None, watched: Sequence[Watched], steps: int, before: Groups | None
) -> tuple[Stage, Groups]:
    pieces: list[Array] = []
    labels: list[str] = []
    blocks: list[Array] = []
    owners: list[int] = []
    truths: list[str] = []
    missed: list[Array] = []
    for part in watched:
        states, predicted = running_states(network, part.features, stride=part.stride, steps=steps)
        means = states.mean(axis=1, dtype=np.float64)  # (n, H)
        for piece in part.segments():
            pieces.append(means[piece.start : piece.end].mean(axis=0))
            labels.append(piece.label)
            for start in range(piece.start, piece.end, BLOCK):
                blocks.append(means[start : min(start + BLOCK, piece.end)].mean(axis=0))
                owners.append(len(labels))
                truths.append(piece.label)
        missed.append(_squared_errors(network, part, predicted))
    actions, true, points = numbered(labels), numbered(truths), np.array(blocks)
    groups = groups_of(points)
    return Stage(
        point=point,
        states=unlabelled(points),
        pieces=separation(np.array(pieces), actions),
        quality=nearest_right(points, true, np.array(owners)),
        agreement=float(adjusted_rand_score(true, groups_of(points, int(true.max()) + 1))),
        stability=None if before is None else float(adjusted_rand_score(before, groups)),
        error=float(np.concatenate(missed).mean()),
    ), groups


def _squared_errors(
    network: Seq2Seq, part: Watched, predicted: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> Array:
    """Of each prediction (n, M, F) whose frames were seen later: mean over frames and features, normalised units."""
    ends = (np.arange(len(predicted)) + 1) * part.stride
    steps = predicted.shape[1]
    seen = ends + steps <= len(part.features)
    came = part.features[ends[seen][:, None] + np.arange(steps)]
    return np.asarray(np.square((predicted[seen] - came) / network.std.numpy()).mean(axis=(1, 2)), np.float64)


def _spearman(one: Array, other: Array) -> tuple[float, float]:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan"), float("nan")
    found = spearmanr(one, other)
    return float(found.statistic), float(found.pvalue)
