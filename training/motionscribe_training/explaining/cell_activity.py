"""What happens inside the GRU cell at each frame, in torch, so that scores can be differentiated by it.

In: normalised frames (B, T, F) and the state (B, H) before them. Out: the update gate, the reset gate, the candidate
and the state at each frame. It is nn.GRU written out: slower, but the gates can be seen and have gradients.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from motionscribe_training.network.seq2seq import Seq2Seq


class CellActivity(NamedTuple):
    """T tensors (B, H) for each layer, one a frame. They are not stacked: a score depends on these very tensors."""

    update_gate: tuple[Tensor, ...]
    """0..1, how much of the state before is kept."""
    reset_gate: tuple[Tensor, ...]
    """0..1, how much of the state before the candidate sees."""
    candidate: tuple[Tensor, ...]
    """-1..1, what the state moves to."""
    state: tuple[Tensor, ...]
    """-1..1, after the frame."""


LAYERS = {name: name.replace("_", " ") for name in CellActivity._fields}
"""Field of CellActivity -> name for people."""


def cell_activity(network: Seq2Seq, frames: Tensor, before: Tensor) -> CellActivity:
    """Runs the cell over normalised frames (B, T, F) from the state `before` (B, H)."""
    from_input = frames @ network.weight_ih.T + network.bias_ih  # (B, T, 3 H)
    state = before
    steps = []
    for seen in from_input.unbind(1):  # (B, 3 H)
        reset_in, update_in, candidate_in = seen.chunk(3, dim=1)
        reset_own, update_own, candidate_own = (state @ network.weight_hh.T + network.bias_hh).chunk(3, dim=1)
        reset, update = torch.sigmoid(reset_in + reset_own), torch.sigmoid(update_in + update_own)  # (B, H)
        candidate = torch.tanh(candidate_in + reset * candidate_own)  # (B, H)
        state = (1 - update) * candidate + update * state  # (B, H)
        steps.append((update, reset, candidate, state))
    return CellActivity(*zip(*steps, strict=True))
