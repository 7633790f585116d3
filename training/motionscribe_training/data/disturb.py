"""Makes training harder than use, so that the network learns motion and not its few recordings.

In: what a window observed, and whole recordings. Out: observations with noise and without some features, and recordings
played at other speeds (mirror.py has the third kind). Without all this the error on trials of CMU subject 86 that were
left out hardly fell below that of repeating the last frame; with it, a fifth below.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NOISE = 0.3
"""Standard deviation, normalised units."""
UNSEEN = 0.3
"""Share of features that a window does not see."""
DECAY = 0.2
"""AdamW's weight decay."""
SPEEDS = (1.0, 1.4**0.5, 1.4, 1.4**-0.5, 1 / 1.4)
"""Times that recordings are played faster."""


def disturb(observed: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, T, F) normalised. The last frame stays as it is, since the prediction goes on from it."""
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
