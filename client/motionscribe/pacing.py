"""Holds back recorded frames so that they leave at the pace at which they were taken, or a multiple of it."""

import time
from collections.abc import Callable


class Pacer:
    """Frames of source time t may leave (t - t_first) / speed seconds after the first call of `wait_s`."""

    def __init__(self, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not speed > 0:
            raise ValueError(f"expected a speed above 0, got {speed}")
        self._speed = speed
        self._clock = clock
        self._start: tuple[float, int] | None = None

    def wait_s(self, first_us: int, last_us: int) -> float:
        """Seconds until frames from `first_us` to `last_us` may leave; a block is complete with its last frame."""
        if self._start is None:
            self._start = self._clock(), first_us
        started, origin_us = self._start
        return max(0.0, started + (last_us - origin_us) / 1e6 / self._speed - self._clock())
