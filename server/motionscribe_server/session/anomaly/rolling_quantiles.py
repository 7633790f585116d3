"""Several quantiles of the newest values of one stream, by river.

In: values. Out: quantiles. river's own state cannot be kept, so a restored object learns the remembered values again.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from river.stats import RollingQuantile

from motionscribe_models.state import State


class RollingQuantiles:
    """Quantiles at `shares`, each in 0..1, of the last `size` values."""

    def __init__(self, shares: Sequence[float], size: int) -> None:
        self.shares = tuple(shares)
        self.size = size
        self._forget()

    def learn(self, value: float) -> None:
        """Takes one value more."""
        self._values.append(value)
        for quantile in self._quantiles:
            quantile.update(value)

    def get(self) -> list[float]:
        """One quantile for each share, after the first value."""
        return [float(quantile.get()) for quantile in self._quantiles]

    def state(self) -> State:
        """The remembered values (n,), n <= size."""
        return {"values": np.array(self._values, np.float64)}

    def restore(self, state: State) -> None:
        """Goes on as the object that gave `state`, to the bit."""
        self._forget()
        for value in state["values"].tolist():
            self.learn(value)

    def _forget(self) -> None:
        self._values = deque[float](maxlen=self.size)
        self._quantiles = [RollingQuantile(share, self.size) for share in self.shares]
