"""Decoder states and predictions of a trained network along a recording, and how long its encoder remembers.

In: a Seq2Seq and one recording's features (m, F). Out: for every moment (each `stride` frames), its states (n, M, H)
and prediction (n, M, F). One encoder state runs from the first frame to the last, as it does on a server.
"""

from collections.abc import Sequence

import numpy as np
import torch

from motionscribe_models.arrays import Single
from motionscribe_training.data.windows import Windows
from motionscribe_training.network.seq2seq import Seq2Seq

PAIRS = 128
"""Places at most where what is remembered is compared."""
FORGOTTEN = 0.01
"""Share of the distance between two states that is left when the difference of their pasts counts as forgotten."""


@torch.no_grad()
def running_states(network: Seq2Seq, features: Single, *, stride: int, steps: int) -> tuple[Single, Single]:
    """States (n, M, H) and predictions (n, M, F) in raw units; n is m / stride, rounded down."""
    normal = network.normalise(torch.from_numpy(features).to(network.mean.device))  # (m, F)
    moments = len(normal) // stride
    if not moments:
        shape = (0, steps)
        return np.zeros((*shape, network.hidden), np.float32), np.zeros((*shape, network.features), np.float32)
    ends = slice(stride - 1, moments * stride, stride)
    hidden, predicted = network.decode(network.run(normal[None])[0, ends], normal[ends], steps)  # (n, M, H), (n, M, F)
    return hidden.cpu().numpy(), network.denormalise(predicted).cpu().numpy()


@torch.no_grad()
def frames_to_forget(network: Seq2Seq, sequences: Sequence[Single], before: int, after: int) -> int | None:
    """Frames of common motion after which the encoder no longer knows what it saw before them.

    One state has seen `before` frames, the other nothing; in 95 of 100 places their distance falls below FORGOTTEN of
    what it was. None where that takes more than `after` frames, or no sequence is long enough to tell.
    """
    longest = max(map(len, sequences))
    if longest <= before + 1:
        return None
    windows = Windows(sequences, min(before + after, longest)).spread(PAIRS)
    normal = network.normalise(torch.from_numpy(windows).to(network.mean.device))  # (B, L, F)
    apart = network.run(normal)[:, before - 1 :]  # (B, L - before + 1, H)
    apart[:, 0].neg_()
    apart[:, 1:] -= network.run(normal[:, before:])
    distance = apart.norm(dim=-1)  # (B, L - before + 1)
    left = (distance / distance[:, :1]).quantile(0.95, dim=0)  # (L - before + 1,)
    remembered = np.flatnonzero((left > FORGOTTEN).cpu().numpy())
    frames = int(remembered[-1]) + 1
    return frames if frames < len(left) else None
