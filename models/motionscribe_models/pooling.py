"""From the projected decoder states of successive windows to the evidence about a moment.

One window gives (M, P) projected states. Their mean and spread over the M decoder steps is what the network expects
of the next moments; mean and spread of that over several trailing spans say what kind of motion goes on. The same
numbers come out one window at a time (`Pooling.push`) and for a whole recording (`pool`).
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def summarise(projected: NDArray[np.floating]) -> Array:
    """(..., M, P) projected states of a window to (..., 2 P): mean and standard deviation over the decoder steps."""
    states = projected.astype(np.float64)
    return np.concatenate([states.mean(axis=-2), states.std(axis=-2)], axis=-1)


class Pooling:
    """Trailing mean and spread over several spans, from running sums."""

    def __init__(self, spans: Sequence[int]) -> None:
        """`spans` are lengths in windows."""
        self._spans = tuple(spans)
        self._recent: deque[Array] = deque(maxlen=max(spans))

    def push(self, projected: NDArray[np.floating]) -> Array:
        """Projected states (M, P) of the newest window to evidence (Q,), Q = 4 P * spans."""
        self._recent.append(summarise(projected))
        recent = np.array(self._recent)
        parts: list[Array] = []
        for span in self._spans:
            parts += [recent[-span:].mean(axis=0), recent[-span:].std(axis=0)]
        return np.concatenate(parts)

    def restart(self) -> None:
        """Forgets the windows before a gap."""
        self._recent.clear()
