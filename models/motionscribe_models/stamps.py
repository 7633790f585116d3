"""Times of a live clock, one after the other: which are believed, which are stragglers, and where the clock has moved.

In: the sender's times, microseconds, each with an item. Out: items with times that strictly increase. Times that
increase stay as they are. One that is not later than the last kept is left out, unless those after it go on from there:
then the clock was set back. One far ahead is left out where the next is earlier. Pure: no clock and no waiting here, so
that an item may be held until the times after it came.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Generic, TypeVar

from motionscribe_models.errors import TimesError

T = TypeVar("T")

STEP_S, STEP_PERIODS = 1.0, 3
"""A longer step ahead waits for the next time; after a restart times go on one step later. The larger counts."""
MOMENT_US, MOMENT_TIMES = 500_000, 5
"""A clock that has gone on from an earlier time for so long, with so many times, was set back."""
LONGEST_PAUSE_US = 30 * 86_400_000_000
"""A longer step ahead is another clock."""
FARTHEST = 2**62
"""Times that a server accepts stay below it."""
PATIENCE_S, PATIENCE_TIMES = 10.0, 300
"""So often it is asked whether times are of use. The larger counts."""
FEWEST = 16
"""Of so many times one must be."""
WRONG_UNIT = 30.0
"""Times this many times too often or too seldom are in another unit: most units differ by 1000."""
TICKS, TICK_SPACING_US = 9.0, 250_000.0
"""This many times too seldom, and too seldom for any label: units of 100 ns, as some cameras count in."""
SHORTEST_US, LONGEST_US = 100.0, 2_000_000.0
"""Between two frames where no rate is known: 10,000 a second, and too few for any motion."""
FEW = 10
"""Times after which it is known that they come too seldom."""
MANY_S, MANY = 1.0, 30
"""Times after which it is known that they come too often, since they may come in bursts. The larger counts."""


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """An item at a time that is later than all before it."""

    time_us: int
    item: T
    restart: str = ""
    """Why the clock goes on anew with this one; empty where it just goes on."""


class Stamps(Generic[T]):
    """The clock of one sender, who claims to send at `rate_hz` (0: unknown) and counts in `unit`."""

    def __init__(self, rate_hz: float = 0.0, unit: str = "microseconds") -> None:
        self.taken = 0
        """Times that came."""
        self.dropped = 0
        """Those that were left out."""
        self._kept = 0
        self._unit = unit
        self._rate_hz = rate_hz if 0 < rate_hz < math.inf else 0.0  # the server says what is wrong with another
        self._step_us = round(1e6 * max(STEP_S, STEP_PERIODS / self._rate_hz if self._rate_hz else 0.0))
        self._patience = max(PATIENCE_TIMES, round(PATIENCE_S * self._rate_hz))
        self._kept_before = 0  # when it was asked last whether times are of use
        self._beginning: list[int] | None = []  # None when the unit is known to be right
        self._last: int | None = None  # the sender's time that was kept last
        self._offset = 0  # what is added to the sender's times
        self._held: list[tuple[int, T]] = []  # one later time, or increasing times that are all earlier than the last

    def take(self, time_us: int, item: T) -> list[Timed[T]]:
        """What may go on now. Raises TimesError for times that are of no use."""
        self._check_unit(time_us)
        if self.taken and self.taken % self._patience == 0:
            self._check_use(time_us)
        self.taken += 1
        return self._place(time_us, item)

    def end(self) -> list[Timed[T]]:
        """What is held and was not contradicted, when no more times come."""
        placed = self._release() if self._held_later else []
        self._drop_held()
        return placed

    @property
    def _held_later(self) -> bool:
        """What is held is one time far ahead."""
        return self._last is not None and bool(self._held) and self._held[0][0] > self._last

    def _place(self, time_us: int, item: T) -> list[Timed[T]]:
        newest = self._held[-1][0] if self._held else None
        if not -FARTHEST < time_us < FARTHEST or time_us in (self._last, newest):
            self.dropped += 1
            return []
        placed: list[Timed[T]] = []
        if self._held_later and newest is not None and time_us > newest:
            placed += self._release()
        if self._last is None or self._last < time_us <= self._last + self._step_us:
            self._drop_held()
            return [*placed, self._keep(time_us, item)]
        is_later = time_us > self._last
        if is_later or self._held_later or (newest is not None and time_us < newest):
            self._drop_held()  # it contradicts them
        self._held.append((time_us, item))
        if not is_later and self._is_set_back():
            placed += self._release()
        return placed

    def _is_set_back(self) -> bool:
        span_us, count = self._held[-1][0] - self._held[0][0], len(self._held)
        return (span_us >= MOMENT_US and count >= MOMENT_TIMES) or count >= self._patience // 2

    def _release(self) -> list[Timed[T]]:
        """What is held goes on: as it is after a pause, in new times where the clock has moved."""
        held, self._held = self._held, []
        moved_us = held[0][0] - (self._last or 0)
        restart = ""
        if not 0 < moved_us <= LONGEST_PAUSE_US:
            self._offset += self._step_us - moved_us
            restart = (
                f"the sender's clock went {'ahead' if moved_us > 0 else 'back'} by {abs(moved_us) / 1e6:.3f} s: "
                f"times are the sender's {self._offset / 1e6:+.6f} s from here on"
            )
        (first_us, first), *others = held
        return [self._keep(first_us, first, restart), *(self._keep(time_us, item) for time_us, item in others)]

    def _keep(self, time_us: int, item: T, restart: str = "") -> Timed[T]:
        self._last = time_us
        self._kept += 1
        return Timed(time_us + self._offset, item, restart)

    def _drop_held(self) -> None:
        self.dropped += len(self._held)
        self._held = []

    def _check_use(self, time_us: int) -> None:
        """Raises TimesError where hardly any time of late was later than those before it."""
        kept = self._kept + len(self._held) - self._kept_before
        self._kept_before = self._kept
        if kept * FEWEST < self._patience:
            raise TimesError(
                f"expected times that increase, got {self._patience - kept} of {self._patience} that do not, "
                f"before {time_us} us"
            )

    def _check_unit(self, time_us: int) -> None:
        """Raises TimesError where the first times are not in the unit that they should be in."""
        if self._beginning is None:
            return
        self._beginning.append(time_us)
        if len(self._beginning) == FEW:
            self._check_spacing(median(abs(b - a) for a, b in pairwise(self._beginning)), is_mean=False)
        elif len(self._beginning) == max(MANY, round(MANY_S * self._rate_hz)):
            # of times in bursts, or of a coarse clock, many are equal: only their mean tells
            self._check_spacing(
                (max(self._beginning) - min(self._beginning)) / (len(self._beginning) - 1), is_mean=True
            )
            self._beginning = None

    def _check_spacing(self, spacing_us: float, is_mean: bool) -> None:
        ratio = spacing_us * self._rate_hz / 1e6
        if is_mean:
            is_wrong = ratio * WRONG_UNIT <= 1 if self._rate_hz else spacing_us < SHORTEST_US
        elif self._rate_hz:
            is_wrong = ratio >= WRONG_UNIT or (ratio >= TICKS and spacing_us > TICK_SPACING_US)
        else:
            is_wrong = spacing_us > LONGEST_US
        if is_wrong:
            claim = f"{self._rate_hz:g} Hz was said, " if self._rate_hz else ""
            every = f"{spacing_us / 1e6:.3g} s" if spacing_us >= 1e5 else f"{spacing_us:.3g} us"
            raise TimesError(f"{claim}times come every {every}: expected {self._unit}")
