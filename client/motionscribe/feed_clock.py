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
"""Seconds that tell a drift; a time here is that of the newest of them."""
JUMP_US = 250_000
"""A frame that is so much earlier or later than the fastest of late is held up, or one of a clock that was set."""
HELD_UP_US = 1_000_000
"""A network that holds frames up gives them all at once before that."""


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
        self._second_us = 0
        """The sender's time from which the newest second counts."""
        self._off_since_us: int | None = None
        """When the first frame came that no drift explains, of those in a row."""

    def take(self, time_us: int, here_us: int) -> None:
        """A frame of `time_us` has come at `here_us`."""
        difference = here_us - time_us
        if self._fastest and abs(difference - self._fastest[-1][1]) > JUMP_US:
            if self._off_since_us is None:
                self._off_since_us = here_us
            if here_us - self._off_since_us < HELD_UP_US:
                return
            self._fastest.clear()
            self.jumps += 1
        self._off_since_us = None
        self._keep(time_us, difference)

    def _keep(self, time_us: int, difference: int) -> None:
        if not self._fastest or time_us - self._second_us >= SECOND_US:
            self._second_us = time_us
            self._fastest.append((time_us, difference))
            if len(self._fastest) > SECONDS:
                self._fastest.popleft()
        elif time_us >= self._second_us and difference < self._fastest[-1][1]:
            self._fastest[-1] = time_us, difference

    @property
    def drift_ppm(self) -> float | None:
        """Microseconds that the sender's clock gains on this machine's in a second; None until it is known."""
        if len(self._fastest) < FEWEST:
            return None
        step = -(-len(self._fastest) // THINNED)
        kept = list(self._fastest)[::step]
        # Theil and Sen's slope: a second in which every frame was late moves no median
        slopes = [(after - before) / (b - a) for (a, before), (b, after) in combinations(kept, 2)]
        here_per_second = 1 + median(slopes)
        return (1 / here_per_second - 1) * 1e6 if here_per_second > 0 else None

    def here_us(self, time_us: int) -> int:
        """When a frame of the sender's time would have come here at the fastest. Before any frame it is `time_us`."""
        if not self._fastest:
            return time_us
        return time_us + min(difference for _, difference in list(self._fastest)[-FEWEST:])
