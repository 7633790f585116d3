"""What is known of a moment: how the body moved lately, and what the network expects next.

In: each frame's features, and the projected decoder states of each window. Out: the evidence of the moment, Q numbers:
the motion of the frames pooled over trailing spans (pooling.py), then mean and spread of the newest window's states.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.pooling import Pooling, summarise

Array = NDArray[np.float64]


class Evidence:
    """Of one stream, in event order: the frames of a moment, then its window."""

    def __init__(self, motion: Array, spans: Sequence[int]) -> None:
        """`motion` (2, F, q) maps a frame and the one before it; `spans` are numbers of frames."""
        self._motion = motion
        self._pooling = Pooling(spans)
        self._before: Array | None = None

    def observe(self, features: NDArray[np.floating]) -> None:
        """The next frame (F,)."""
        frame = features.astype(np.float64)
        before = frame if self._before is None else self._before
        self._pooling.push(frame @ self._motion[0] + before @ self._motion[1])
        self._before = frame

    def of(self, projected: NDArray[np.floating]) -> Array:
        """Projected states (M, P) of the newest window to the evidence (Q,), Q = 2 q k + 2 P.

        Needs one frame.
        """
        return np.concatenate([self._pooling.pooled(), summarise(projected)])

    def restart(self) -> None:
        """Forgets the frames before a gap."""
        self._pooling.restart()
        self._before = None
