"""Times in a table, as programs write them, to microseconds. Cells and the column's name go in.

Numbers are seconds, milliseconds, microseconds or nanoseconds, since 1970 or since any moment. The column's name says
which; where it does not, size and step do. What is no number is a date (ISO 8601, UTC where it says nothing), a time of
day, or a time that passed as `HH:MM:SS`. What cannot be decided is an error: nobody is asked to believe a guess.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError


@dataclass(frozen=True)
class Unit:
    """A unit of time."""

    name: str
    us: Decimal
    """Microseconds in one."""
    words: frozenset[str]
    """What column names call it, in lower case."""


UNITS = (
    Unit("seconds", Decimal(10**6), frozenset({"s", "sec", "secs", "second", "seconds"})),
    Unit("milliseconds", Decimal(1000), frozenset({"ms", "msec", "msecs", "millis", "millisecond", "milliseconds"})),
    Unit(
        "microseconds",
        Decimal(1),
        frozenset({"us", "µs", "μs", "usec", "usecs", "micros", "microsecond", "microseconds"}),
    ),
    Unit("nanoseconds", Decimal("0.001"), frozenset({"ns", "nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"})),
)
"""Those that size and step tell apart; the larger ones must be named."""
_NAMED = (
    *UNITS,
    Unit("minutes", Decimal(60 * 10**6), frozenset({"min", "mins", "minute", "minutes"})),
    Unit("hours", Decimal(3600 * 10**6), frozenset({"h", "hr", "hrs", "hour", "hours"})),
)
_UNIT_WORDS = frozenset().union(*(unit.words for unit in _NAMED))
_TIME_WORDS = {"time", "times", "timestamp", "timestamps", "stamp", "datetime", "date", "elapsed", "epoch", "t", "ts"}
_TIME_WORDS |= {"utc", "unix", "clock", *(word for unit in UNITS for word in unit.words if len(word) > 1)}
_BESIDE = {"gmt", "local", "system", "since", "start", "relative", "recording", "frame", "sample"}
_BESIDE |= {"sensor", "device", "lsl", "ros", "capture", "video", "camera", "host", "of", "from", "day", "in", "the"}
"""Words that stand beside those of time."""

SHORTEST_US = 100
"""From row to row: what seems faster is in another unit."""
DECADES = (946_684_800 * 10**6, 4_102_444_800 * 10**6)
"""The years 2000 to 2100. There the units differ in size."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"(?:(\d{1,5}) days? )?(\d{1,7}):([0-5]\d):([0-5]\d(?:[.,]\d+)?)")
_DAY_US = 86_400 * 10**6
_WORD = re.compile(r"[A-Z]?[a-zµμ]+|[A-Z]+(?![a-z])|\d+")
_GLUED = re.compile(r"(time|timestamp|elapsed)([mun]s|[mun]?sec)")


def words_of(name: str) -> list[str]:
    """The words in a column's name, in lower case: `Time (ms)`, `time_ms`, `TimeMs` and `timems` have the same."""
    parts: list[str] = []
    for word in _WORD.findall(name):
        glued = _GLUED.fullmatch(word.lower())
        parts += glued.groups() if glued else (word.lower(),)
    return parts


def is_time(name: str) -> bool:
    """Whether a column of this name holds times."""
    words = set(words_of(name)) - _BESIDE
    return bool(words & _TIME_WORDS) and words <= _TIME_WORDS | _UNIT_WORDS


def unit_of(name: str) -> Unit | None:
    """The unit that a column's name speaks of, None where it speaks of none."""
    words = set(words_of(name))
    return next((unit for unit in _NAMED if unit.words & words), None)


def is_moment(cell: str) -> bool:
    """Whether a cell is a date or a time that is no plain number."""
    return _plain(cell) is None and (_clock_us(cell) is not None or _date_us(cell) is not None)


def read_times(
    name: str, cells: Sequence[str], place: Callable[[int], str], decimal_comma: bool = False
) -> tuple[NDArray[np.int64], str]:
    """Cells of two rows or more to (n,) int64 microseconds, and as what they were read, in a few words.

    `place` gives the `file:line` of a row, for the RecordingError: a cell is no time, times do not rise, or the unit
    cannot be told.
    """
    plain = [_plain(cell, decimal_comma) for cell in cells]
    numbers = [number for number in plain if number is not None]
    if not numbers:
        times, kind = _written_out(name, cells, place)
    elif len(numbers) < len(cells):
        row = plain.index(None)
        raise RecordingError(f"{place(row)}: expected a number, got {cells[row][:40]!r} in column {name}")
    else:
        _check_rising(numbers, place)
        unit = unit_of(name) or _unit_by_size_and_step(name, numbers, place)
        for row in (0, len(numbers) - 1):
            if abs(numbers[row] * unit.us) >= DECADES[1]:
                raise RecordingError(
                    f"{place(row)}: expected {unit.name} before the year 2100, got {cells[row][:40]} in column {name}"
                )
        times = [int((number * unit.us).to_integral_value()) for number in numbers]
        kind = unit.name + (" since 1970" if times[0] >= DECADES[0] else "")
    _check_rising(times, place)
    step_us = float(np.median(np.diff(times)))
    if step_us < SHORTEST_US:
        raise RecordingError(
            f"{place(0)}: expected at most {1e6 / SHORTEST_US:g} rows a second, got {1e6 / step_us:.3g} "
            f"in column {name}, read as {kind}: say the unit in its name, or give the rate of the frames"
        )
    return np.array(times, np.int64), kind


def _plain(cell: str, decimal_comma: bool = False) -> Decimal | None:
    try:
        number = Decimal(cell.replace(",", ".") if decimal_comma else cell)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def _unit_by_size_and_step(name: str, numbers: Sequence[Decimal], place: Callable[[int], str]) -> Unit:
    """By size a moment of these decades, at any usual step. By step seconds, or else a rate of 1 to 1000 Hz."""
    step = float(np.median([float(after - before) for before, after in pairwise(numbers)]))
    for unit in UNITS:
        seconds = step * float(unit.us) / 1e6
        if DECADES[0] <= numbers[0] * unit.us < DECADES[1] and (seconds < 2 or _is_interval(seconds)):
            return unit
    if step < 2:
        return UNITS[0]
    for larger, smaller in pairwise(UNITS):
        seconds = step * float(larger.us) / 1e6
        # whole seconds are the interval of a logger; a second may be one in other units as well
        doubtful = _is_interval(seconds) if larger is UNITS[0] else abs(seconds - 1) < 0.01
        if 1 <= seconds < 1000 and not doubtful:
            return smaller
    raise RecordingError(
        f"{place(0)}: expected times whose unit is plain, got steps of {step:g} in column {name}: say the unit in its "
        f"name, {name}_s or {name}_ms, or give the rate of the frames (--rate of motionscribe stream)"
    )


def _is_interval(seconds: float) -> bool:
    """Whether loggers write at such an interval: a part of a minute, or minutes, up to a day."""
    nearest = round(seconds)
    whole = 1 <= nearest <= 86_400 and abs(seconds - nearest) < 0.01 * nearest
    return whole and (60 % nearest == 0 or nearest % 60 == 0)


def _written_out(name: str, cells: Sequence[str], place: Callable[[int], str]) -> tuple[list[int], str]:
    """Dates, or hours, minutes and seconds: of a day that may end, or since any moment."""
    clock = _CLOCK.fullmatch(cells[0]) is not None
    times: list[int] = []
    days = 0
    for row, cell in enumerate(cells):
        time = (_clock_us if clock else _date_us)(cell)
        if time is None:
            wanted = "HH:MM:SS" if clock else "a number, a date (ISO 8601) or HH:MM:SS"
            raise RecordingError(f"{place(row)}: expected {wanted}, got {cell[:40]!r} in column {name}")
        if clock and times and time + days * _DAY_US < times[-1] - _DAY_US // 2:
            days += 1  # past midnight
        times.append(time + days * _DAY_US)
    return times, "hours, minutes and seconds" if clock else "dates"


def _clock_us(cell: str) -> int | None:
    if (clock := _CLOCK.fullmatch(cell)) is None:
        return None
    seconds = Decimal(clock[4].replace(",", ".")) + 60 * int(clock[3]) + 3600 * int(clock[2])
    return int((seconds * 10**6).to_integral_value()) + int(clock[1] or 0) * _DAY_US


def _date_us(cell: str) -> int | None:
    try:
        moment = datetime.fromisoformat(cell.replace("/", "-"))
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


def _check_rising(times: Sequence[Decimal | int], place: Callable[[int], str]) -> None:
    for row, (before, after) in enumerate(pairwise(times), 1):
        if after <= before:
            got = "the same time twice" if after == before else "a step backwards"
            raise RecordingError(f"{place(row)}: expected times to increase, got {got}")
