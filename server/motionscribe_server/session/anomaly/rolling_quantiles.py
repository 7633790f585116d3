"""Several quantiles of the newest values of one stream, by river.

In: values. Out: quantiles. What it holds can be had back as arguments, since river's own state cannot be kept.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from river.stats import RollingQuantile

from motionscribe_models.state import State


class RollingQuantiles:
    """Of the last `size` values; `shares` are in 0..1. Begins with `values`."""

    def __init__(self, shares: Sequence[float], size: int, values: Iterable[float] = ()) -> None:
        self._shares = tuple(shares)
        self._size = size
        self._values = deque[float](maxlen=size)
        self._quantiles = [RollingQuantile(share, size) for share in shares]
        for value in values:
            self.learn(float(value))

    def learn(self, value: float) -> None:
        """One more."""
        self._values.append(value)
        for quantile in self._quantiles:
            quantile.update(value)

    def get(self) -> list[float]:
        """One for each share, after the first value."""
        return [float(quantile.get()) for quantile in self._quantiles]

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"values": np.array(self._values, np.float64)}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self.__init__(self._shares, self._size, state["values"].tolist())  # type: ignore[misc]  # begins anew
