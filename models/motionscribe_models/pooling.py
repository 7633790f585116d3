"""Mean and spread of vectors over several trailing spans.

The same numbers come out one vector at a time in a session and for a whole recording in training.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Pooling:
    """The newest vectors (q,) of one stream."""

    def __init__(self, spans: Sequence[int]) -> None:
        """`spans` are numbers of vectors."""
        self._spans = np.array(spans)
        self._longest = max(spans)
        self._kept: Array | None = None  # (2 longest, q), moved to its beginning when it is full
        self._count = 0

    def push(self, vectors: Array) -> None:
        """Some more (n, q), in order."""
        vectors = vectors[-self._longest :]
        if self._kept is None:
            self._kept = np.empty((2 * self._longest, vectors.shape[1]))
        if self._count + len(vectors) > len(self._kept):
            recent = self._kept[self._count - self._longest : self._count].copy()
            self._kept[: self._longest], self._count = recent, self._longest
        self._kept[self._count : self._count + len(vectors)] = vectors
        self._count += len(vectors)

    def pooled(self) -> Array:
        """(2 q k,): span by span, mean and standard deviation of what there is of it. Needs one vector."""
        if self._kept is None or not self._count:
            raise ValueError("expected one vector at least, got none")
        recent = self._kept[max(0, self._count - self._longest) : self._count]
        newest = recent[-1]
        away = recent - newest  # differences, so that squares of a far mean do not drown a spread
        lengths = np.minimum(self._spans, len(away))[:, None]
        share = (np.arange(len(away), 0, -1) <= lengths) / lengths  # (k, n)
        mean, square = share @ away, share @ (away * away)
        spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
        return np.concatenate([newest + mean, spread], axis=1).ravel()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._count = 0
