"""Quantiles of what streams showed so far, for many streams at once: a histogram each, which slowly forgets.

In: a value (S,) of each stream and whether it counts. Out: quantiles (S,). The first value that counts is the middle of
a stream's histogram; what is beyond its ends counts as at the end. Where too much lies there, the histogram begins anew
around the newest value: the first one was a fault, or the stream moved on for good.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array

BINS = 64
MOST_BEYOND = 0.25
"""Share of the weight."""
WIDTH = 1 + BINS
"""Numbers of a stream: the lower edge of its histogram, then the counts."""


@dataclass(frozen=True)
class RunningQuantile:
    """How wide a bin is, in the unit of the values."""

    bin: float

    def add(self, kept: Array, values: Array, counts: NDArray[np.bool_], keep: float) -> None:
        """Changes `kept` (S, WIDTH), zeros at first; older values weigh `keep` times what they did."""
        edges, histograms = kept[:, 0], kept[:, 1:]
        first = counts & ~histograms.any(axis=1)
        edges[first] = values[first] - self.bin * (BINS // 2 + 0.5)
        streams = np.flatnonzero(counts)
        places = ((values[streams] - edges[streams]) / self.bin).astype(int).clip(0, BINS - 1)
        histograms[streams] *= keep
        histograms[streams, places] += 1
        beyond = histograms[streams, 0] + histograms[streams, -1]
        anew = streams[beyond > MOST_BEYOND * histograms[streams].sum(axis=1)]
        edges[anew] = values[anew] - self.bin * (BINS // 2 + 0.5)
        histograms[anew] = 0
        histograms[anew, BINS // 2] = 1

    def at(self, kept: Array, share: float, default: Array) -> Array:
        """The value (S,) below which a `share` of what counted lies; `default` (S,) where nothing counted yet."""
        below = kept[:, 1:].cumsum(axis=1)
        wanted = share * below[:, -1]
        places = (below < wanted[:, None]).sum(axis=1)  # 0 where nothing counted
        streams = np.arange(len(kept))
        own = kept[streams, 1 + places]
        within = (wanted - below[streams, places] + own) / np.where(own > 0, own, 1)
        return np.where(below[:, -1] > 0, kept[:, 0] + self.bin * (places + within), default)
