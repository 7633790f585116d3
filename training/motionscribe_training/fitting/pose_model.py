"""Trains the network that says where each group of joints is to be expected, given all others.

In: feature sequences (m, F) of normal motion. Out: the arrays of motionscribe_server/session/anomaly/pose_model.py. In
each example one group is masked, and the network says the mean and the variance of its features and of their changes
(a masked autoencoder with Gaussian outputs). Where a mirror is known, each sequence is learnt from as it shows it, too.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_server.session.anomaly.pose_model import (
    LAGS,
    NARROWEST,
    PREFIX,
    WIDEST,
    groups_of,
    inputs_of,
    masks_of,
    places_of,
)
from motionscribe_training.data.mirror import mirrored

HIDDEN = 192
EPOCHS, ITERATIONS = 30, 6000
"""Over all motion, and at most."""
BATCH = 256
LEARNING_RATE = 2e-3
DROPOUT = 0.1
LEAST_SCALE = 1e-3
"""Of a feature's standard deviation: one that never changes says nothing."""


def pose_inputs(sequence: NDArray[np.float32], stride: int) -> Array:
    """(m / stride, D) what the network sees of each moment of a sequence."""
    newest = sequence[stride - 1 :: stride]
    earlier = [np.concatenate([newest[:1].repeat(max(LAGS) - lag, axis=0), newest]) for lag in range(max(LAGS) + 1)]
    return inputs_of([frames[: len(newest)] for frames in earlier])


def fit_pose_model(
    feature_map: FeatureMap, sequences: Sequence[NDArray[np.float32]], stride: int, seed: int
) -> dict[str, Array]:
    """The arrays by their names in a model folder."""
    groups = groups_of(feature_map)
    places = places_of(feature_map, groups)
    mirrors = [mirror for sequence in sequences if (mirror := mirrored(sequence, feature_map)) is not None]
    # every frame is an example: moments may begin at any
    inputs = np.concatenate(
        [
            pose_inputs(sequence[start:], stride)
            for sequence in [*sequences, *mirrors]
            for start in range(min(stride, len(sequence) - stride + 1))
        ]
    )
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + LEAST_SCALE
    network = _Network(inputs.shape[1], places, seed)
    network.learn(torch.tensor((inputs - mean) / scale, dtype=torch.float32))
    arrays = {"mean": mean, "scale": scale, **network.arrays()}
    return {PREFIX + name: array.astype(np.float32) for name, array in arrays.items()}


class _Network(nn.Module):
    """Two hidden layers; the mask of a group is an input of its own."""

    def __init__(self, inputs: int, places: Sequence[NDArray[np.int64]], seed: int) -> None:
        super().__init__()
        self._seed = seed
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self._first, self._second = nn.Linear(inputs, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
            self._group = nn.Parameter(0.1 * torch.randn(len(places), HIDDEN))
            self._last = nn.Linear(HIDDEN, 2 * inputs)
        self.masked: Tensor
        self.register_buffer("masked", torch.from_numpy(masks_of(places, inputs)))

    def learn(self, inputs: Tensor) -> None:
        """Trains on normalised inputs (n, D)."""
        with torch.random.fork_rng():  # dropout draws from the global generator
            torch.manual_seed(self._seed)
            self._learn(inputs)

    def _learn(self, inputs: Tensor) -> None:
        iterations = min(ITERATIONS, 1 + EPOCHS * len(inputs) // BATCH)
        optimiser = torch.optim.AdamW(self.parameters(), LEARNING_RATE, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations)
        for _ in range(iterations):
            rows = torch.randint(len(inputs), (BATCH,))
            group = torch.randint(len(self.masked), (BATCH,))
            y, masked = inputs[rows], self.masked[group]
            expected, log_variance = self._expect(y * (1 - masked), group)
            misses = log_variance + (y - expected) ** 2 / log_variance.exp()
            loss = (masked * misses).sum() / masked.sum()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            optimiser.step()
            schedule.step()

    def arrays(self) -> dict[str, Array]:
        """All but mean and scale, inputs first."""
        layers = {"first": self._first, "second": self._second, "last": self._last}
        found = {name: layer.weight.T for name, layer in layers.items()}
        found |= {
            "group": self._group + self._first.bias,
            "second_bias": self._second.bias,
            "last_bias": self._last.bias,
        }
        return {name: tensor.detach().numpy() for name, tensor in found.items()}

    def _expect(self, seen: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
        """Means and logarithms of variances, each (n, D)."""
        drop = nn.functional.dropout
        hidden = torch.relu(self._first(seen) + self._group[group])
        hidden = drop(torch.relu(self._second(drop(hidden, DROPOUT))), DROPOUT)
        expected, log_variance = self._last(hidden).chunk(2, dim=1)
        return expected, log_variance.clamp(NARROWEST, WIDEST)
