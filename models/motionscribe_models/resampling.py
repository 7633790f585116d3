"""Puts frames with times of their own on an even grid, by linear interpolation, as they arrive.

In: times (K,) int64 microseconds, strictly increasing, and values (K, Q). Out: grid times, values on the grid, and
which source frame each grid point follows. Frames that already lie on the grid pass unchanged. It does not
bridge gaps wisely: the session restarts it after one.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Resampler:
    """A grid that begins at the first frame and steps at `rate_hz`."""

    def __init__(self, rate_hz: float) -> None:
        self._period_us = 1e6 / rate_hz
        self._origin_us = 0
        self._next = 0
        self._last: tuple[int, Array] | None = None

    def push(self, times_us: NDArray[np.int64], values: Array) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
        """Grid points up to the newest frame.

        Returns times (g,) in microseconds, values (g, Q), and (g,) the index within this push of the last frame at or
        before each grid point; -1 is the frame before this push.
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
        end = int((newest - self._origin_us) / self._period_us) + 2  # one too many rather than one too few
        grid = self._origin_us + np.rint(np.arange(self._next, end) * self._period_us).astype(np.int64)
        grid = grid[grid <= newest]
        self._next += len(grid)
        left = np.searchsorted(all_times, grid, side="right") - 1
        right = np.minimum(left + 1, len(all_times) - 1)
        span = np.maximum(all_times[right] - all_times[left], 1)
        share = np.where(right > left, (grid - all_times[left]) / span, 0.0)[:, None]
        points = all_values[left] + share * (all_values[right] - all_values[left])
        return grid, points, left - offset
