"""What is known of a moment: how the body moved lately, and what the network expected next.

In: each frame's features, and the projected decoder states of each window. Out: the evidence of the moment, Q numbers:
the motion of the frames, then the mean states of the windows, each pooled over the same trailing spans (pooling.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.pooling import Pooling

Array = NDArray[np.float64]


class Evidence:
    """Of one stream, in event order: the frames of a moment, then its window."""

    def __init__(self, motion: Array, spans: Sequence[int], stride: int) -> None:
        """`motion` (2, F, q) maps a frame and the one before it; `spans` are frames, a moment has `stride` of them."""
        self._motion = motion
        self._frames = Pooling(spans)
        self._windows = Pooling([max(1, round(span / stride)) for span in spans])
        self._fresh: list[NDArray[np.floating]] = []  # frames since the last window, after the one before them

    def observe(self, features: NDArray[np.floating]) -> None:
        """The next frame (F,)."""
        if not self._fresh:
            self._fresh.append(features)
        self._fresh.append(features)

    def push(self, projected: NDArray[np.floating]) -> Array:
        """Projected states (M, P) of the newest window to the evidence (Q,), Q = 2 (q + P) k.

        Needs one frame.
        """
        if len(self._fresh) > 1:
            frames = np.array(self._fresh, np.float64)
            self._frames.push(frames[1:] @ self._motion[0] + frames[:-1] @ self._motion[1])
            self._fresh = self._fresh[-1:]
        self._windows.push(projected.astype(np.float64).mean(axis=0, keepdims=True))
        return np.concatenate([self._frames.pooled(), self._windows.pooled()])

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._frames.restart()
        self._windows.restart()
        self._fresh = []
