"""What each frame does to the encoder states of a stream: which restarts before it, which is decoded after it.

The encoder of a model of today is one state that advances with each frame, restarts at gaps alone and is decoded every
`stride` frames. A windowed model has T / stride of them (slots): the slot that has seen exactly the last T frames is
decoded and then starts again. After a restart all slots begin together, so until T frames were seen a window holds all
frames since then. Pure arithmetic, no states here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Single

EncoderStates = NDArray[np.float32]
"""(W, H) states of one stream, in what form the engine likes; the engine advances them in place."""


@dataclass(frozen=True, slots=True)
class Step:
    """One frame on the model's time grid, on its way through the encoder."""

    features: NDArray[np.float32]
    """(F,) raw features."""
    index: int
    """Frames since the last restart, from 0."""
    slot_restart: int
    """Slot that is zeroed before this frame, -1 for none."""
    decode_slot: int
    """Slot that is decoded after this frame, -1 for none."""

    @property
    def restart(self) -> bool:
        """All slots are zeroed before this frame."""
        return self.index == 0


def step_of(features: NDArray[np.float32], index: int, window: int | None, stride: int) -> Step:
    """The step of the frame that is `index` frames after a restart; without a `window` one state runs on."""
    if window is None:
        return Step(features, index, -1, 0 if (index + 1) % stride == 0 else -1)
    slots = window // stride
    starts = index > 0 and index % stride == 0
    completes = (index + 1) % stride == 0
    return Step(
        features,
        index,
        (index // stride) % slots if starts else -1,
        ((index + 1) // stride) % slots if completes else -1,
    )


@dataclass(frozen=True, slots=True)
class WindowStates:
    """What the decoder says about one window, float32."""

    projected: Single
    """(M, P) decoder states in the PCA."""
    residual: Single
    """(M,) length of what the PCA leaves out."""
    prediction: Single
    """(M, F) predicted frames, raw features."""


class Engine(Protocol):
    """What computes: engine/inference.py, or a stand-in."""

    def new_state(self) -> EncoderStates:
        """The states of a stream that has seen nothing."""

    def advance(self, states: Sequence[EncoderStates], runs: Sequence[Sequence[Step]]) -> Sequence[WindowStates | None]:
        """Advances `states` in place by a run of steps each; for each run what its last step's window says, if any."""
