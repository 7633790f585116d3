"""What is known of a moment: how the body moved lately, and what the network expected next.

In: the features of a moment's frames, and the projected decoder states of its window. Out: the evidence of the moment,
Q numbers: the motion of the frames, then the mean states of the windows, each pooled over the same trailing spans
(pooling.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.pooling import Pooling, push

Array = NDArray[np.float64]


class Evidence:
    """Of one stream."""

    def __init__(self, motion: Array, spans: Sequence[int], stride: int) -> None:
        """`motion` (2, F, q) maps a frame and the one before it; `spans` are frames, a moment has `stride` of them."""
        self._motion = motion
        self._frames = Pooling(spans)
        self._windows = Pooling([max(1, round(span / stride)) for span in spans])
        self.restart()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._frames.restart()
        self._windows.restart()
        self._last: NDArray[np.floating] | None = None  # (1, F)


def observe(evidences: Sequence[Evidence], frames: NDArray[np.floating], projected: NDArray[np.floating]) -> Array:
    """Frames (s, n, F) of a moment and projected states (s, M, P) to the evidence (s, Q), Q = 2 (q + P) k.

    Of s streams of one model; no bit depends on who else is there.
    """
    before = [own[:1] if e._last is None else e._last for e, own in zip(evidences, frames, strict=True)]
    rows = np.concatenate([np.stack(before), frames], axis=1).astype(np.float64)  # (s, 1 + n, F)
    for evidence, own in zip(evidences, frames, strict=True):
        evidence._last = own[-1:].copy()
    motion = evidences[0]._motion
    moved = rows[:, 1:] @ motion[0] + rows[:, :-1] @ motion[1]
    states = projected.astype(np.float64).mean(axis=1, keepdims=True)
    pooled = push([e._frames for e in evidences], moved), push([e._windows for e in evidences], states)
    return np.concatenate(pooled, axis=1)
