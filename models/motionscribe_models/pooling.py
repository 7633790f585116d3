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
        self.restart()

    def push(self, vectors: Array) -> None:
        """Some more (n, q), in order."""
        if self._count + len(vectors) > len(self._kept):
            recent = self._kept[max(0, self._count - self._longest) : self._count]
            self._begin(np.concatenate([recent, vectors]) if self._count else vectors)
        else:
            self._append(vectors)

    def pooled(self) -> Array:
        """(2 q k,): span by span, mean and standard deviation of what there is of it. Needs one vector."""
        if not self._count:
            raise ValueError("expected one vector at least, got none")
        lengths = np.minimum(self._spans, self._count)
        mean, square = (self._sums[:, [self._count]] - self._sums[:, self._count - lengths]) / lengths[:, None]
        spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
        return np.concatenate([self._kept[0] + mean, spread], axis=1).ravel()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._count = 0
        self._kept = np.empty((0, 0))
        self._sums = np.empty((2, 1, 0))

    def _begin(self, vectors: Array) -> None:
        """Anew with the newest of `vectors` (n, q), and with room for as many again."""
        vectors = vectors[-self._longest :]
        self._count = 0
        self._kept = np.empty((2 * self._longest, vectors.shape[1]))
        # of distances from the oldest vector and of their squares: squares of a far mean would drown a spread
        self._sums = np.zeros((2, len(self._kept) + 1, vectors.shape[1]))
        self._append(vectors)

    def _append(self, vectors: Array) -> None:
        before, self._count = self._count, self._count + len(vectors)
        self._kept[before : self._count] = vectors
        away = vectors - self._kept[0]
        self._sums[0, before + 1 : self._count + 1] = self._sums[0, before] + np.cumsum(away, axis=0)
        self._sums[1, before + 1 : self._count + 1] = self._sums[1, before] + np.cumsum(away * away, axis=0)
