"""Times of a live clock: whatever comes, what is kept increases, nothing is lost in silence, and honest times stay."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.errors import TimesError
from motionscribe_models.stamps import FARTHEST, LONGEST_PAUSE_US, Stamps, Timed

HOUR = 3_600_000_000


def kept(stamps: Stamps[int], times: Iterable[int]) -> list[Timed[int]]:
    """What is kept of some times, each with its place among them."""
    timed = [one for place, time in enumerate(times) for one in stamps.take(time, place)]
    return timed + stamps.end()


def even(count: int, hz: float = 30.0, start: int = 10**9) -> list[int]:
    return [start + round(n * 1e6 / hz) for n in range(count)]


def places(timed: Sequence[Timed[int]]) -> list[int]:
    return [one.item for one in timed]


# -- any times

STEP = st.one_of(
    st.integers(1, 100_000),
    st.just(33_333),
    st.just(0),
    st.integers(-500_000, 2_000_000),
    st.sampled_from([-HOUR, HOUR, 200_000 * 10**6, 2 * LONGEST_PAUSE_US, -FARTHEST]),
)
TIMES = st.one_of(
    st.lists(STEP, max_size=900).map(lambda steps: list(accumulate(steps))),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50),
)


@given(times=TIMES, rate_hz=st.sampled_from([0.0, 1.0, 30.0, 120.0]))
def test_any_times(times: list[int], rate_hz: float) -> None:
    """Kept ones increase and keep their order, counts add up, and nobody waits in silence for longer than the bound."""
    stamps: Stamps[int] = Stamps(rate_hz)
    timed: list[Timed[int]] = []
    silent = 0
    try:
        for place, time in enumerate(times):
            new = stamps.take(time, place)
            silent = 0 if new else silent + 1
            assert silent < 2 * max(300, 10 * rate_hz)
            timed += new
        timed += stamps.end()
        assert len(timed) + stamps.dropped == stamps.taken == len(times)
    except TimesError:
        pass
    assert all(one.time_us < two.time_us for one, two in pairwise(timed))
    assert all(one.item < two.item for one, two in pairwise(timed))
    # between two restarts the sender's own steps are kept
    for one, two in pairwise(timed):
        assert two.restart or two.time_us - one.time_us == times[two.item] - times[one.item]


@given(steps=st.lists(st.integers(1, 3 * HOUR), min_size=1, max_size=60), rate_hz=st.sampled_from([0.0, 25.0, 120.0]))
def test_times_that_increase_are_kept_as_they_are(steps: list[int], rate_hz: float) -> None:
    """With pauses of any length, once the unit is known to be right."""
    times = even(130, rate_hz or 30.0)
    times += [times[-1] + step for step in accumulate(steps)]
    timed = kept(Stamps(rate_hz), times)
    assert [(one.time_us, one.restart) for one in timed] == [(time, "") for time in times]


@given(frames=st.lists(st.integers(40, 160), max_size=20, unique=True), ahead=st.booleans())
def test_stragglers_are_left_out(frames: list[int], ahead: bool) -> None:
    """Duplicates, late ones and single ones far ahead cost themselves, no other and no restart."""
    times = even(200)
    bad = {k for k in frames if k - 1 not in frames and k + 1 not in frames}
    for k in bad:
        times[k] = times[k] + 200_000 * 10**6 if ahead else times[k - 1] - (k % 3) * 40_000
    stamps: Stamps[int] = Stamps(30.0)
    timed = kept(stamps, times)
    assert places(timed) == [k for k in range(200) if k not in bad]
    assert stamps.dropped == len(bad)
    assert not any(one.restart for one in timed)


# -- a clock that moves


@pytest.mark.parametrize("rate_hz", [0.0, 30.0])
@pytest.mark.parametrize("back_us", [700_000, HOUR, 50 * 365 * 24 * HOUR])
def test_a_clock_that_was_set_back_loses_nothing(rate_hz: float, back_us: int) -> None:
    times = [*even(150), *(time - back_us for time in even(300)[150:])]
    stamps: Stamps[int] = Stamps(rate_hz)
    timed = kept(stamps, times)
    assert places(timed) == list(range(300))
    assert stamps.dropped == 0
    (restart,) = (one for one in timed if one.restart)
    assert restart.item == 150
    step_us = restart.time_us - timed[149].time_us
    assert step_us == 1_000_000
    moved = restart.time_us - times[150]
    assert f"clock went back by {(back_us - 33_333) / 1e6:.3f} s" in restart.restart
    assert f"{moved / 1e6:+.6f} s from here on" in restart.restart


def test_a_moment_is_enough_to_know() -> None:
    stamps: Stamps[int] = Stamps(30.0)
    list(map(stamps.take, even(100), range(100)))
    back = [time - HOUR for time in even(120)]
    answers = [len(stamps.take(time, place)) for place, time in enumerate(back)]
    assert answers[:15] == [0] * 15  # half a second
    assert answers[15:] == [16] + [1] * 104


def test_another_clock_far_ahead_is_a_restart_and_a_pause_is_none() -> None:
    epoch = 1_764_350_000 * 10**6
    timed = kept(Stamps(30.0), [*even(50), *even(50, start=epoch)])
    assert places(timed) == list(range(100))
    assert [one.item for one in timed if one.restart] == [50]
    assert "clock went ahead by" in timed[50].restart
    timed = kept(Stamps(30.0), [*even(50), *even(50, start=10**9 + 24 * HOUR)])
    assert [one.restart for one in timed] == [""] * 100


def test_a_time_that_stands_alone_at_the_end_after_a_pause_is_kept() -> None:
    assert places(kept(Stamps(), [0, 33_333, HOUR])) == [0, 1, 2]
    assert places(kept(Stamps(), [5])) == [0]
    assert places(kept(Stamps(), [])) == []


# -- a clock that is of no use


@pytest.mark.parametrize(
    ("per_second", "hz", "unit", "text"),
    [
        (10**3, 30.0, "microseconds", "30 Hz was said, times come every 33.3 us: expected microseconds"),
        (10**9, 30.0, "microseconds", "30 Hz was said, times come every 33.3 s: expected microseconds"),
        (10**7, 30.0, "microseconds", "30 Hz was said, times come every 0.333 s: expected microseconds"),
        (1, 30.0, "microseconds", r"30 Hz was said, times come every 0.* us: expected microseconds"),
        (10**12, 120.0, "seconds", r"120 Hz was said, times come every 8.33e\+03 s: expected seconds"),
        (10**3, 0.0, "microseconds", "^times come every 33.3 us: expected microseconds"),
        (10**9, 0.0, "microseconds", "^times come every 33.3 s: expected microseconds"),
    ],
)
def test_the_wrong_unit_is_an_error(per_second: int, hz: float, unit: str, text: str) -> None:
    stamps: Stamps[int] = Stamps(hz, unit)
    with pytest.raises(TimesError, match=text):
        kept(stamps, [1_764_350_000 * per_second + round(k * per_second / (hz or 30.0)) for k in range(300)])
    assert stamps.taken <= 120


@pytest.mark.parametrize("hz", [10.0, 12.0, 15.0, 25.0, 30.0, 60.0, 120.0, 240.0, 800.0])
def test_another_rate_than_the_one_that_was_said_is_no_wrong_unit(hz: float) -> None:
    for said in (0.0, 30.0, 120.0):
        stamps: Stamps[int] = Stamps(said)
        assert len(kept(stamps, even(400, hz))) == 400


@pytest.mark.parametrize("ahead", [False, True])
def test_bursts_jitter_and_steps_of_a_clock_are_no_wrong_unit(ahead: bool) -> None:
    """Frames that are stamped when a network hands them over, 15 at once; and a clock of 50 ms steps."""
    bursts = [start + 7 * n for start in range(0, 10_000_000, 500_000) for n in range(15)]
    if ahead:
        bursts[3] += HOUR
    stamps: Stamps[int] = Stamps(30.0)
    assert len(kept(stamps, bursts)) == 300 - ahead
    steps = [time // 50_000 * 50_000 for time in even(300)]
    stamps = Stamps(30.0)
    timed = kept(stamps, steps)
    assert len(timed) == len(set(steps)) == 300 - stamps.dropped


def test_a_clock_that_stands_still_or_runs_backwards_is_an_error_in_the_end() -> None:
    stopped, backwards = [10**9] * 1000, [10**9 - 1000 * n for n in range(1000)]
    whole_seconds = [time // 10**6 * 10**6 for time in even(1000, start=10**9 + 500_000)]
    for times in (stopped, backwards, whole_seconds):
        stamps: Stamps[int] = Stamps(30.0)
        assert len(kept(stamps, even(30))) == 30
        with pytest.raises(TimesError, match=r"expected times that increase, got 2\d\d of 300 that do not"):
            kept(stamps, [time + 10**9 for time in times])
