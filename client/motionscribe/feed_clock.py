"""A sender's clock beside this machine's: how far apart they are, and how fast they drift apart.

In: the sender's time of a frame and the time here when the frame came, both in microseconds. Out: what an hour of the
sender takes here, and any of the sender's times as a time here. A frame is never early, so the fastest of each second
tell; what comes late in between changes nothing. Pure: whoever reads the frames says what time it is.
"""

import time
from collections import deque
from itertools import combinations
from statistics import median

SECOND_US = 1_000_000
SECONDS = 600
"""So many seconds of the past count, thinned to THINNED of them."""
THINNED = 60
FEWEST = 5
"""Seconds from which on a drift is told."""
JUMP_US = 250_000
"""A frame that is so much earlier or later than the fastest of late is one of a clock that was set."""
JUMP_FRAMES = 8
"""So many of them in a row, since a network may hold frames up."""


def now_us() -> int:
    """Microseconds since 1970 by a clock that nobody sets while the program runs."""
    return _STARTED_US + time.monotonic_ns() // 1000


_STARTED_US = time.time_ns() // 1000 - time.monotonic_ns() // 1000


class FeedClock:
    """The relation of two clocks, from the newest frames back for ten minutes."""

    def __init__(self) -> None:
        self.jumps = 0
        """How often the sender's clock was set."""
        self._fastest: deque[tuple[int, int]] = deque()
        """Of each second: the sender's time and the smallest difference, here less sender."""
        self._off: list[tuple[int, int]] = []
        """Frames in a row that no drift explains."""

    def take(self, time_us: int, here_us: int) -> None:
        """A frame of `time_us` has come at `here_us`."""
        difference = here_us - time_us
        if self._fastest and abs(difference - self._fastest[-1][1]) > JUMP_US:
            self._off.append((time_us, difference))
            if len(self._off) == JUMP_FRAMES:
                # frames of a network that was held up come in one burst: the first one was on its way the longest
                (first_us, first), (last_us, last) = self._off[0], self._off[-1]
                is_burst = first - last > (last_us - first_us) / 2
                if not is_burst and max(d for _, d in self._off) - min(d for _, d in self._off) < JUMP_US:
                    self._fastest.clear()
                    self.jumps += 1
                off, self._off = self._off, []
                for one in off if not self._fastest else ():
                    self._keep(*one)
            return
        self._off = []
        self._keep(time_us, difference)

    def _keep(self, time_us: int, difference: int) -> None:
        if self._fastest and 0 <= time_us - self._fastest[-1][0] < SECOND_US:
            if difference < self._fastest[-1][1]:
                self._fastest[-1] = self._fastest[-1][0], difference
            return
        self._fastest.append((time_us, difference))
        if len(self._fastest) > SECONDS:
            self._fastest.popleft()

    @property
    def drift_ppm(self) -> float | None:
        """Microseconds that the sender's clock gains on this machine's in a second; None until it is known."""
        if len(self._fastest) < FEWEST:
            return None
        step = -(-len(self._fastest) // THINNED)
        kept = list(self._fastest)[::step]
        # Theil and Sen's slope: a second in which every frame was late moves no median
        return -median((after - before) / (b - a) * 1e6 for (a, before), (b, after) in combinations(kept, 2) if b != a)

    def here_us(self, time_us: int) -> int:
        """When a frame of the sender's time would have come here at the fastest. Before any frame it is `time_us`."""
        if not self._fastest:
            return time_us
        return time_us + min(difference for _, difference in list(self._fastest)[-THINNED:])
