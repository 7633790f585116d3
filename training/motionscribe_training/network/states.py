"""Decoder states and predictions of a trained network for every window of a recording, each computed from scratch.

In: a Seq2Seq and one recording's features (m, F). Out: for every moment (a window that ends each `stride` frames), its
states (n, M, H) and prediction (n, M, F). The server's staggered encoder computes the same numbers faster.
"""

import numpy as np
import torch

from motionscribe_models.arrays import Single
from motionscribe_training.network.seq2seq import Seq2Seq

WINDOWS_AT_ONCE = 256


@torch.no_grad()
def window_states(network: Seq2Seq, features: Single, *, window: int, stride: int, steps: int) -> tuple[Single, Single]:
    """States (n, M, H) and predictions (n, M, F) in raw units. The first windows are shorter: the frames so far."""
    device = network.mean.device
    normal = network.normalise(torch.from_numpy(features).to(device))  # (m, F)
    ends = np.arange(stride, len(features) + 1, stride)
    states, predictions = [], []
    lengths = np.minimum(ends, window)
    for length in np.unique(lengths):
        same = ends[lengths == length]
        for start in range(0, len(same), WINDOWS_AT_ONCE):
            batch = torch.stack([normal[end - length : end] for end in same[start : start + WINDOWS_AT_ONCE]])
            hidden, predicted = network.decode(network.encode(batch), batch[:, -1], steps)  # (B, M, H), (B, M, F)
            states.append(hidden.cpu().numpy())
            predictions.append(network.denormalise(predicted).cpu().numpy())
    if not states:
        return (
            np.zeros((0, steps, network.hidden), np.float32),
            np.zeros((0, steps, network.features), np.float32),
        )
    return np.concatenate(states), np.concatenate(predictions)
