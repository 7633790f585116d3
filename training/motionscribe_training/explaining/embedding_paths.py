"""The states of the network as curves: the encoder's way into an action, and where the decoder goes by itself.

In: a network and what was watched. Out: for each segment both curves in the first three components of the network's
PCA, as Su and Shlizerman (2020) draw them. The decoder runs on for LONG_S, far longer than it was trained to: what it
draws then is the attractor that the action's states lie on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.seq2seq import Seq2Seq

COMPONENTS = 3
LONG_S = 2.0
MOST = 60
"""Segments, evenly chosen: more are a tangle."""


@dataclass(frozen=True, eq=False)
class Path:
    """One segment in three dimensions."""

    label: str
    encoder: Array
    """(k, 3) a point for each moment of the segment."""
    decoder: Array
    """(s, 3) a point for each frame that the decoder predicts after the middle of it."""


@torch.no_grad()
def embedding_paths(network: Seq2Seq, watched: Sequence[Watched], rate_hz: float) -> list[Path]:
    """At most MOST of them; `rate_hz` is the model's."""
    found: list[Path] = []
    steps = round(LONG_S * rate_hz)
    for part in watched:
        frames = network.normalise(torch.from_numpy(part.features))
        states = network.run(frames[None])[0]  # (m, H)
        ends = np.arange(1, part.moments + 1) * part.stride - 1
        for piece in part.segments():
            middle = ends[(piece.start + piece.end) // 2]
            decoded, _ = network.decode(states[middle][None], frames[middle][None], steps)
            found.append(
                Path(
                    piece.label,
                    network.project(states[ends[piece.start : piece.end]])[:, :COMPONENTS].numpy(),
                    network.project(decoded[0])[:, :COMPONENTS].numpy(),
                )
            )
    if len(found) <= MOST:
        return found
    return [found[i] for i in np.linspace(0, len(found) - 1, MOST).round().astype(int)]
