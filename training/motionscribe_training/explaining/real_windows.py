"""Real motion that made motion is compared with: its windows, the range of its features, its poses, its quickness.

In: a network and recordings. Out: RealWindows, in normalised units. It knows no target (target.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motionscribe_models.arrays import Single
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.target import Target
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.seq2seq import Seq2Seq

EVERY = 2
"""Moments between two windows."""
BATCH = 256
"""Windows that run at once."""
FLAT = 0.01
"""Least variance of a direction of poses, share of the mean one: one that hardly varies is no law of bodies."""


@dataclass(frozen=True, eq=False)
class RealWindows:
    """N windows of T frames."""

    network: Seq2Seq
    windows: Tensor
    """(N, T, F) normalised."""
    places: tuple[tuple[int, int], ...]
    """(N,) which Watched each is of and at which frame it starts."""
    low: Tensor
    """(F,) least value of each feature."""
    high: Tensor
    """(F,)"""
    pose_mean: Tensor
    """(F,)"""
    whitening: Tensor
    """(F, F) poses about their mean to uncorrelated numbers of variance 1, or less in directions that hardly vary."""
    mean_energy: float
    """Mean square of the change from one frame to the next, normalised units."""

    @torch.no_grad()
    def activations(self, targets: Sequence[Target]) -> Tensor:
        """(t, N) of each target in each window."""
        found = []
        for some in self.windows.split(BATCH):
            states = self.network.run(some)
            found.append(torch.stack([target.activation(some, states) for target in targets]))
        return torch.cat(found, 1)

    def best(self, activations: Tensor, count: int) -> tuple[int, ...]:
        """Numbers of the windows with the largest activations (N,), none overlapping another; `count` at most."""
        chosen: list[int] = []
        for number in activations.argsort(descending=True).tolist():
            part, start = self.places[number]
            apart = (abs(start - self.places[n][1]) for n in chosen if self.places[n][0] == part)
            if all(distance >= self.windows.shape[1] for distance in apart):
                chosen.append(number)
            if len(chosen) == count:
                break
        return tuple(chosen)

    def energy(self, windows: Tensor) -> Tensor:
        """(B,) mean square of the change from frame to frame of windows (B, T, F) over the data's mean."""
        return windows.diff(dim=1).square().mean((1, 2)) / self.mean_energy

    def unlikeliness(self, windows: Tensor) -> Tensor:
        """(B,) mean squared Mahalanobis distance of poses per dimension, about 1 for the data."""
        return ((windows - self.pose_mean) @ self.whitening).square().mean((1, 2))

    def raw(self, window: Tensor) -> Single:
        """A window (T, F) in raw units."""
        return self.network.denormalise(window).float().numpy()


def real_windows(network: Seq2Seq, watched: Sequence[Watched], length: int) -> RealWindows:
    """Windows of `length` frames, one for every other moment. Raises TrainingError where all are shorter."""
    sequences = [network.normalise(torch.from_numpy(each.features).to(network.mean)) for each in watched]
    places = tuple(
        (part, start)
        for part, each in enumerate(watched)
        for start in range(0, len(each.features) - length + 1, EVERY * each.stride)
    )
    if not places:
        longest = max(map(len, sequences), default=0)
        raise TrainingError(f"expected a recording of at least {length} frames, the longest has {longest}")
    frames = torch.cat(sequences)  # (m, F)
    mean = frames.mean(0)
    variances, axes = torch.linalg.eigh((frames - mean).T @ (frames - mean) / len(frames))  # (F,), (F, F)
    scale = variances.clamp(min=FLAT * float(variances.mean())).rsqrt()
    changes = torch.cat([sequence.diff(dim=0) for sequence in sequences])
    return RealWindows(
        network=network,
        windows=torch.stack([sequences[part][start : start + length] for part, start in places]),
        places=places,
        low=frames.min(0).values,
        high=frames.max(0).values,
        pose_mean=mean,
        whitening=axes * scale,
        mean_energy=float(np.square(changes.numpy()).mean()),
    )
