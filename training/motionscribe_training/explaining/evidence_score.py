"""How much the decoder states of a stretch of motion speak for each cluster: the score that maps and wishes explain.

In: a network and recordings that a stream labelled. Out: Evidence, whose score is the log odds of a cluster's
posterior p, log p - log(1 - p), differentiable in the input frames. It grows with log p and is almost the same where p
is small, but has no ceiling: where a cluster is certain, log p is 0 whatever one changes, and so is its gradient. The
service labels by an embedding that also holds plain motion; this score has decoder states alone, since it asks what the
network sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motionscribe_models.arrays import Single
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.watched import Piece, Watched
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import running_states

CONTEXT = 48
"""Frames that the encoder runs over before a segment: what came earlier is as good as forgotten (frames_to_forget)."""
LONGEST = 300
"""Frames of a segment that are explained, 10 s at 30 Hz; those in its middle where it is longer."""
LEAST = 10
"""Moments that a cluster must have: fewer have no centre to speak of."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """A segment as the score reads it."""

    frames: Tensor
    """(T, F) normalised; T is a multiple of the stride."""
    before: Tensor
    """(H,) the encoder's state before them."""
    start: int
    """Frame of the Watched at which it starts."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Equal Gaussian clouds, one a cluster, in the space of projected decoder states."""

    network: Seq2Seq
    stride: int
    steps: int
    """M, decoder steps."""
    clusters: tuple[int, ...]
    """Final ids, increasing."""
    centres: Tensor
    """(k, P)"""
    variance: float
    """Of a cloud along one direction."""

    def excerpt(self, watched: Watched, piece: Piece) -> Excerpt:
        """The frames of a piece and the state before them, without gradients."""
        spare = max(0, piece.end - piece.start - LONGEST // self.stride)
        start = (piece.start + spare // 2) * self.stride
        end = (piece.end - (spare - spare // 2)) * self.stride
        context = self.normal(watched.features[max(0, start - CONTEXT) : start])[None]
        with torch.no_grad():
            before = self.network.encode(context)[0] if start else self.network.mean.new_zeros(self.network.hidden)
        return Excerpt(self.normal(watched.features[start:end]), before, start)

    def normal(self, features: Single) -> Tensor:
        """Raw features (..., F), normalised, in the network's own precision."""
        return self.network.normalise(torch.from_numpy(features).to(self.network.mean))

    def points(self, frames: Tensor, states: Tensor) -> Tensor:
        """Decoder states (B, n, P) of the moments of normalised frames (B, T, F) with encoder states (B, T, H)."""
        ends = slice(self.stride - 1, None, self.stride)
        last, state = frames[:, ends], states[:, ends]  # (B, n, F), (B, n, H)
        decoded, _ = self.network.decode(state.flatten(0, 1), last.flatten(0, 1), self.steps)  # (B n, M, H)
        projected = self.network.project(decoded.mean(1))  # (B n, P)
        return projected.reshape(*state.shape[:2], -1)  # (B, n, P)

    def log_posteriors(self, points: Tensor) -> Tensor:
        """(B, k) of points (B, P), all clusters being equally frequent."""
        squared = (points[:, None] - self.centres).square().sum(-1)  # (B, k)
        return torch.log_softmax(-squared / (2 * self.variance), dim=1)

    def log_odds(self, points: Tensor, cluster: int) -> Tensor:
        """(B,) of a cluster against all others."""
        row, posteriors = self.index(cluster), self.log_posteriors(points)
        return posteriors[:, row] - torch.cat([posteriors[:, :row], posteriors[:, row + 1 :]], 1).logsumexp(1)

    def score(self, frames: Tensor, before: Tensor, cluster: int) -> Tensor:
        """(B,) log odds of a cluster for normalised frames (B, T, F) after the state `before` (H,)."""
        states, _ = self.network.gru(frames, before.expand(1, len(frames), -1).contiguous())  # (B, T, H)
        return self.score_of_states(frames, states, cluster)

    def score_of_states(self, frames: Tensor, states: Tensor, cluster: int) -> Tensor:
        """(B,) the same from encoder states (B, T, H)."""
        return self.log_odds(self.points(frames, states).mean(1), cluster)

    def index(self, cluster: int) -> int:
        """Row of a cluster in `centres`. Raises TrainingError for one that it does not know."""
        if cluster not in self.clusters:
            known = ", ".join(map(str, self.clusters))
            raise TrainingError(f"expected a cluster of at least {LEAST} moments, one of {known}, got {cluster}")
        return self.clusters.index(cluster)


def evidence_of(network: Seq2Seq, watched: Sequence[Watched], steps: int) -> Evidence:
    """Centres and scatter of the clusters of all moments with a final label. Raises TrainingError for one cluster only.

    The variance is that along one direction, weighted by itself: sum(v^2) / sum(v) over principal variances v. A plain
    mean over P directions, most of which hardly vary, makes every posterior 0 or 1.
    """
    found = [_points(network, each, steps) for each in watched]
    points, labels = np.concatenate(found), np.concatenate([each.clusters for each in watched])
    clusters, counts = np.unique(labels[labels > 0], return_counts=True)
    clusters = clusters[counts >= LEAST]
    if len(clusters) < 2:
        raise TrainingError(f"expected two clusters of at least {LEAST} moments, got {len(clusters)}")
    centres = np.array([points[labels == cluster].mean(0) for cluster in clusters])  # (k, P)
    known = np.isin(labels, clusters)
    off = points[known] - centres[np.searchsorted(clusters, labels[known])]
    within = off.T @ off / len(off)  # (P, P)
    variance = float(np.square(within).sum() / np.trace(within))
    ids = tuple(int(cluster) for cluster in clusters)
    centre = torch.from_numpy(centres).to(network.mean)
    return Evidence(network, watched[0].stride, steps, ids, centre, variance)


def cluster_of(watched: Watched, piece: Piece) -> int:
    """The most frequent final label of a piece, 0 where it has none."""
    return int(np.bincount(watched.clusters[piece.start : piece.end]).argmax())


@torch.no_grad()
def _points(network: Seq2Seq, watched: Watched, steps: int) -> Single:
    """(n, P) decoder states of each moment, mean over the steps."""
    features = watched.features.astype(network.mean.cpu().numpy().dtype)
    hidden, _ = running_states(network, features, stride=watched.stride, steps=steps)  # (n, M, H)
    points: Single = network.project(torch.from_numpy(hidden.mean(1)).to(network.mean)).cpu().numpy()
    return points
