"""Mean and spread of vectors over several trailing spans.

The same numbers come out one vector at a time in a session and for a whole recording in training. Many streams are
pooled together in one call, as everything in a session is (motionscribe_server/session/__init__.py says how and why).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.state import State


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

    @classmethod
    def push_many(cls, poolings: Sequence["Pooling"], vectors: Array) -> Array:
        """Adds n vectors to each of s poolings of equal spans, (s, n, q); returns what is pooled now, (s, 2 q k).

        For each span mean and standard deviation of its vectors, of fewer where fewer were seen.
        """
        for pooling, own in zip(poolings, vectors, strict=True):
            cls._make_room(pooling, own)
        cls._append_many(poolings, vectors)
        # (s, q), (s, k), (s, 2, q), (s, 2, k, q)
        origins, lengths, ends, starts = map(np.stack, zip(*map(cls._read, poolings), strict=True))
        mean, square = np.moveaxis((ends[:, :, None] - starts) / lengths[:, None, :, None], 1, 0)
        spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
        return np.concatenate([origins[:, None] + mean, spread], axis=2).reshape(len(poolings), -1)

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"room": len(self._kept), "kept": self._kept[: self._count], "sums": self._sums[:, : self._count + 1]}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        kept, sums = state["kept"], state["sums"]
        self._count = len(kept)
        self._kept = np.empty((state["room"], kept.shape[1]))
        self._kept[: self._count] = kept
        self._sums = np.zeros((2, state["room"] + 1, kept.shape[1]))
        self._sums[:, : self._count + 1] = sums

    def _make_room(self, vectors: Array) -> None:
        """For more vectors (n, q); where there is none, begins anew with the newest of those that were kept."""
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
            self._append_many([self], kept[None])

    @classmethod
    def _append_many(cls, poolings: Sequence["Pooling"], vectors: Array) -> None:
        away = vectors - np.stack([cls._origin(pooling) for pooling in poolings])[:, None]
        sums = np.cumsum(np.stack([away, away * away], axis=1), axis=2)  # (s, 2, n, q)
        for pooling, own, more in zip(poolings, vectors, sums, strict=True):
            cls._append(pooling, own, more)

    def _append(self, vectors: Array, sums: Array) -> None:
        """Vectors (n, q) and their running sums (2, n, q) alone."""
        before, self._count = self._count, self._count + len(vectors)
        self._kept[before : self._count] = vectors
        self._sums[:, before + 1 : self._count + 1] = self._sums[:, before, None] + sums

    def _origin(self) -> Array:
        """(q,), from which distances are taken."""
        origin: Array = self._kept[0]
        return origin

    def _read(self) -> tuple[Array, NDArray[np.int64], Array, Array]:
        """Origin (q,), vectors in each span (k,), sums at the end (2, q) and at the start of each span (2, k, q)."""
        lengths = np.minimum(self._spans, self._count)
        return self._kept[0], lengths, self._sums[:, self._count], self._sums[:, self._count - lengths]
