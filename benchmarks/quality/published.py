"""The protocol of the released code of Su and Shlizerman, 2020, and what is left of it when windows cut nothing.

In: one labelled recording. The network learns that recording and labels it; the true number of actions is given. Where
the true boundaries are given too, no window of training or test crosses one. Out: scores of single linkage, by cosine,
of the decoder states, each the label of the frame that it predicts; `first_appearance` matches clusters to actions by
the order in which both first come, as released; the other rows by most agreement. `untrained`: with random weights.
"""

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering
from torch import nn
from torch.nn.functional import mse_loss

from benchmarks.quality.watch import Labelled, score_moments
from motionscribe_models.normalisation import mean_and_scale
from motionscribe_training.data.dataset import make_dataset
from motionscribe_training.data.windows import Windows
from motionscribe_training.evaluation.metrics import Labels, scored_frames
from motionscribe_training.network.seq2seq import Seq2Seq

Features = NDArray[np.float32]

RATE_HZ = 30.0
WINDOW, STEPS = 48, 24
"""Frames observed and predicted; in all shorter than the shortest action of subject 86."""
HIDDEN, ITERATIONS, BATCH, LEARNING_RATE = 128, 800, 32, 2e-3
"""An eighth of the published units."""


def published(labelled: Labelled, seed: int) -> dict[str, dict[str, float]]:
    """Scores by row. Raises TrainingError for a recording whose actions are all shorter than a window."""
    recording, annotation = labelled
    (features,) = make_dataset([recording], RATE_HZ).sequences
    truth = annotation.fitted(len(recording.frames))
    starts = [round(b.best * RATE_HZ / recording.skeleton.rate_hz) for b in truth.boundaries]
    pieces = [features[a:b] for a, b in pairwise([0, *starts, len(features)])]

    def label(parts: list[Features], iterations: int) -> Labels:
        return cluster(learn(parts, iterations, seed), parts, len(truth.names))

    given = label(pieces, ITERATIONS)
    rows = {"boundaries_given": given, "untrained": label(pieces, 0), "sliding": label([features], ITERATIONS)}
    scores = {row: score_moments(labelled, labels, 1 / RATE_HZ) for row, labels in rows.items()}
    actions = truth.labels(len(recording.frames))[scored_frames(recording.timestamps_us, RATE_HZ)][: len(given)]
    agreed = in_order(actions) == in_order(given[: len(actions)])
    scores["first_appearance"] = {"accuracy": float(np.mean(agreed))}
    return scores


def learn(parts: list[Features], iterations: int, seed: int) -> Seq2Seq:
    """A network that has seen all of `parts` (m, F), with no window across two of them."""
    torch.manual_seed(seed)
    network = Seq2Seq(parts[0].shape[1], HIDDEN)
    mean, scale = (torch.from_numpy(x.astype(np.float32)) for x in mean_and_scale(parts))
    network.mean.copy_(mean)
    network.std.copy_(scale)
    windows, rng = Windows(parts, WINDOW + STEPS), np.random.default_rng(seed)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    for _ in range(iterations):
        batch = network.normalise(torch.from_numpy(windows.draw(rng, BATCH)))  # (B, T + M, F)
        _, predicted = network.decode(network.encode(batch[:, :WINDOW]), batch[:, WINDOW - 1], STEPS)  # (B, M, F)
        optimizer.zero_grad()
        torch.autograd.backward(mse_loss(predicted, batch[:, WINDOW:]))
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network


@torch.no_grad()
def cluster(network: Seq2Seq, parts: list[Features], number: int) -> Labels:
    """Labels (m,) of all frames of `parts`, `number` of them; frames that no window predicts have a neighbour's."""
    states, frames, first = [], [], 0
    for part in parts:
        for start in range(0, len(part) - WINDOW - STEPS + 1, STEPS):
            seen = network.normalise(torch.from_numpy(part[None, start : start + WINDOW]))  # (1, T, F)
            decoded, _ = network.decode(network.encode(seen), seen[:, -1], STEPS)  # (1, M, H)
            states.append(decoded[0].numpy())
            frames.append(first + start + WINDOW + np.arange(STEPS))
        first += len(part)
    found = AgglomerativeClustering(number, metric="cosine", linkage="single").fit_predict(np.concatenate(states))
    return fill(found, np.concatenate(frames), np.cumsum([0, *map(len, parts)]))


def fill(found: Labels, frames: Labels, edges: Labels) -> Labels:
    """Labels `found` of `frames` to labels of all; what is before, between or behind has the nearest's of its part."""
    labels = np.zeros(edges[-1], np.int64)
    for start, end in pairwise(edges.tolist()):
        inside = (frames >= start) & (frames < end)
        known = frames[inside] if inside.any() else frames
        chosen = found[inside] if inside.any() else found
        labels[start:end] = chosen[np.abs(np.arange(start, end)[:, None] - known).argmin(axis=1)]
    return labels


def in_order(labels: Labels) -> Labels:
    """`labels` (n,) renumbered 0, 1, 2, ... by first appearance."""
    order = {label: number for number, label in enumerate(dict.fromkeys(labels.tolist()))}
    return np.array([order[label] for label in labels.tolist()], np.int64)
