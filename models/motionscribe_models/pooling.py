"""Mean and spread of vectors over several trailing spans.

The same numbers come out one vector at a time in a session and for a whole recording in training.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Pooling:
    """The newest vectors (q,) of one stream."""

    def __init__(self, spans: Sequence[int]) -> None:
        """`spans` are numbers of vectors."""
        self._spans = np.array(spans)
        self._recent: deque[Array] = deque(maxlen=max(spans))

    def push(self, vector: Array) -> None:
        """One more (q,)."""
        self._recent.append(vector)

    def pooled(self) -> Array:
        """(2 q k,): span by span, mean and standard deviation of what there is of it. Needs one vector."""
        newest = self._recent[-1]
        away = np.array(self._recent)[::-1] - newest  # differences, so that squares of a far mean do not drown a spread
        lengths = np.minimum(self._spans, len(away))
        mean = np.cumsum(away, axis=0)[lengths - 1] / lengths[:, None]
        square = np.cumsum(away * away, axis=0)[lengths - 1] / lengths[:, None]
        spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
        return np.concatenate([newest + mean, spread], axis=1).ravel()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._recent.clear()
