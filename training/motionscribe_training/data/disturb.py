"""Augmentation: makes training harder than use, so that the network learns motion and not its few recordings.

In: the observed frames of windows, and whole recordings. Out: observations with noise and without some features, and
recordings played at other speeds (mirror.py has mirrored ones). Without all this the error on held-out trials of CMU
subject 86 hardly fell below the error of repeating the last frame; with it, it fell a fifth below.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NOISE = 0.3
"""Standard deviation, normalised units."""
UNSEEN = 0.3
"""Share of features that are hidden in a window."""
DECAY = 0.2
"""AdamW's weight decay."""
SPEEDS = (1.0, 1.4**0.5, 1.4, 1.4**-0.5, 1 / 1.4)
"""Factors by which recordings are played faster."""


def disturb(observed: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, T, F) normalised, with noise. The last frame is unchanged, since the prediction starts from it."""
    B, _, F = observed.shape
    before = observed[:, :-1]
    seen = torch.from_numpy(rng.random((B, 1, F)) >= UNSEEN).to(observed.device)
    noise = torch.from_numpy(rng.standard_normal(before.shape, np.float32)).to(observed.device)
    return torch.cat([before * seen + NOISE * noise, observed[:, -1:]], dim=1)


def at_speed(sequences: Sequence[NDArray[np.float32]], speed: float, rates: int) -> list[NDArray[np.float32]]:
    """Sequences (m, F) played `speed` times faster, linearly interpolated; the last `rates` columns are per second."""
    if speed == 1:
        return list(sequences)
    played = []
    for sequence in sequences:
        places = np.arange(0, len(sequence) - 1, speed)
        before = np.minimum(places.astype(int), max(0, len(sequence) - 2))
        share = (places - before)[:, None].astype(np.float32)
        frames = sequence[before] * (1 - share) + sequence[before + 1] * share
        frames[:, frames.shape[1] - rates :] *= speed
        played.append(frames.astype(np.float32))
    return played
