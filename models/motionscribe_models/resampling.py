"""Puts frames with times of their own on an even grid, by linear interpolation, as they arrive.

In: times (K,) int64 microseconds, strictly increasing, and values (K, Q). Out: grid times, values on the grid, and
which source frame each grid point follows. Frames that already lie on the grid pass unchanged. It does not
bridge gaps wisely: the session restarts it after one.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EARLY = 0.01
"""Share of a grid period by which a frame may be early and yet count as on the grid. Times are rounded on their way,
and a point that waited for the next frame would make its label late, with blocks of frames by a whole block."""


class Resampler:
    """A grid that begins at the first frame and steps at `rate_hz`."""

    def __init__(self, rate_hz: float) -> None:
        self._period_us = 1e6 / rate_hz
        self._early_us = int(EARLY * self._period_us)
        self._origin_us = 0
        self._next = 0
        self._last: tuple[int, Array] | None = None

    def push(self, times_us: NDArray[np.int64], values: Array) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
        """Grid points up to the newest frame, and one just behind it (EARLY).

        Returns times (g,) in microseconds, values (g, Q), and (g,) the index within this push of the frame that each
        grid point has or, where it lies between two, follows; -1 is the frame before this push.
        """
        if self._last is None:
            self._origin_us = int(times_us[0])
            all_times, all_values, offset = times_us, values, 0
        else:
            all_times = np.concatenate([[self._last[0]], times_us])
            all_values = np.vstack([self._last[1], values])
            offset = 1
        newest = int(times_us[-1])
        self._last = (newest, values[-1].copy())
        last = newest + self._early_us
        end = int((last - self._origin_us) / self._period_us) + 2  # one too many rather than one too few
        grid = self._origin_us + np.rint(np.arange(self._next, end) * self._period_us).astype(np.int64)
        grid = grid[grid <= last]
        self._next += len(grid)
        # of the frames that count as on the grid point the first, since others may not have come yet; or the one before
        first = np.searchsorted(all_times, grid - self._early_us)
        met = all_times[first] <= grid
        left = np.where(met, first, first - 1)
        right = np.minimum(left + 1, len(all_times) - 1)
        span = np.maximum(all_times[right] - all_times[left], 1)
        share = np.where(met, 0.0, (grid - all_times[left]) / span)[:, None]
        points = all_values[left] + share * (all_values[right] - all_values[left])
        return grid, points, left - offset
