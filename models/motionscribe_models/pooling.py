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

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._count = 0
        self._kept = np.empty((0, 0))
        self._sums = np.empty((2, 1, 0))

    def _make_room(self, vectors: Array) -> None:
        """For some more (n, q); where there is none, begins anew with the newest of those that were kept."""
        if self._count + len(vectors) <= len(self._kept):
            return
        kept = self._kept[max(0, self._count - self._longest) : self._count]
        q = vectors.shape[1]
        self._count = 0
        self._kept = np.empty((2 * self._longest + len(vectors), q))
        self._kept[0] = vectors[0] if not len(kept) else kept[0]
        # of distances from the oldest vector and of their squares: squares of a far mean would drown a spread
        self._sums = np.zeros((2, len(self._kept) + 1, q))
        if len(kept):
            _append([self], kept[None])


def push(poolings: Sequence[Pooling], vectors: Array) -> Array:
    """Some more (s, n, q) in order, to each of s poolings of equal spans; returns what is pooled now, (s, 2 q k).

    Span by span, mean and standard deviation of what there is of it. No bit depends on who else is there.
    """
    for pooling, own in zip(poolings, vectors, strict=True):
        pooling._make_room(own)
    _append(poolings, vectors)
    spans = poolings[0]._spans
    lengths = np.minimum(spans, np.array([[pooling._count] for pooling in poolings]))  # (s, k)
    ends = np.stack([pooling._sums[:, pooling._count] for pooling in poolings])  # (s, 2, q)
    starts = np.stack([p._sums[:, p._count - own] for p, own in zip(poolings, lengths, strict=True)])  # (s, 2, k, q)
    mean, square = np.moveaxis((ends[:, :, None] - starts) / lengths[:, None, :, None], 1, 0)
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
    first = np.stack([pooling._kept[0] for pooling in poolings])
    return np.concatenate([first[:, None] + mean, spread], axis=2).reshape(len(poolings), -1)


def _append(poolings: Sequence[Pooling], vectors: Array) -> None:
    away = vectors - np.stack([pooling._kept[0] for pooling in poolings])[:, None]
    sums = np.cumsum(np.stack([away, away * away], axis=1), axis=2)  # (s, 2, n, q)
    for pooling, own, more in zip(poolings, vectors, sums, strict=True):
        before, pooling._count = pooling._count, pooling._count + len(own)
        pooling._kept[before : pooling._count] = own
        pooling._sums[:, before + 1 : pooling._count + 1] = pooling._sums[:, before, None] + more
