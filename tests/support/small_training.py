"""A training run of seconds: two oscillations to learn from, few units, few iterations."""

import numpy as np
import torch
from numpy.typing import NDArray

from motionscribe_training.network.options import TrainOptions
from motionscribe_training.network.seq2seq import Seq2Seq

SMALL = TrainOptions(
    iterations=40, batch_size=8, source_seq_len=12, target_seq_len=6, hidden=12, validate_every=10, learning_rate=5e-3
)
CPU = torch.device("cpu")
Sequences = list[NDArray[np.float32]]


def oscillations() -> Sequences:
    """Two oscillations of different speed and size, in four features, with a little noise."""
    rng = np.random.default_rng(0)
    made = []
    for speed in (0.2, 0.31):
        phase = speed * np.arange(600)
        waves = np.stack([np.sin(phase), np.cos(phase), 3 * np.sin(2 * phase) + 5, 0.2 * np.cos(3 * phase)], axis=1)
        made.append((waves + 0.01 * rng.normal(size=waves.shape)).astype(np.float32))
    return made


def weights(network: Seq2Seq) -> list[NDArray[np.float32]]:
    """Copies of all parameters."""
    return [p.detach().numpy().copy() for p in network.parameters()]


def same(one: list[NDArray[np.float32]], other: list[NDArray[np.float32]]) -> bool:
    """Equal to the last bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
