"""What is kept of a stream: ten minutes, within its bounds, and nothing of a session that is over."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from motionscribe.events import ClusterCreated, Event, Gap, Label
from motionscribe.page.history import BLOCK_FRAMES, BLOCK_NUMBERS, KEPT_US, POSE_BYTES, History
from motionscribe.page.messages import past_poses_message, to_json
from motionscribe.poses import Poses

SECOND = 1_000_000


def label(start_us: int, end_us: int, final: bool, cluster: int = 1) -> Label:
    return Label(start_us // 1000, end_us // 1000, start_us, end_us, cluster, 1.0 if final else 0.5, final)


def poses_at(*times_us: int, width: int = 4) -> Poses:
    frames = np.repeat(np.array(times_us)[:, None] / SECOND, width, axis=1)
    return Poses(1, np.array(times_us, np.int64), frames.astype(np.float32))


def kept_times(history: History) -> list[int]:
    return [time_us for times_us, _ in history.poses() for time_us in times_us.tolist()]


def test_provisional_labels_are_forgotten_when_final_ones_have_overtaken_them() -> None:
    history = History()
    soft = [label(start, start + 10, False) for start in (0, 10, 20)]
    events: list[Event] = [*soft[:2], ClusterCreated(7, 15), soft[2], label(0, 20, True)]
    for n, event in enumerate(events):
        history.add(event, str(n))
    assert list(history.events()) == ["2", "3", "4"]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 20), st.booleans())))
def test_what_is_kept_is_all_but_the_overtaken(spans: list[tuple[int, int, bool]]) -> None:
    history = History()
    told: list[tuple[Label, str]] = []
    for n, (start, length, final) in enumerate(spans):
        event = label(start, start + length, final)
        history.add(event, str(n))
        told.append((event, str(n)))
    overtaken = {
        text
        for n, (event, text) in enumerate(told)
        if not event.final and any(later.final and later.end_us >= event.end_us for later, _ in told[n:])
    }
    assert list(history.events()) == [text for _, text in told if text not in overtaken]


def test_ten_minutes_are_kept_of_events_and_poses() -> None:
    history = History()
    for second in range(1500):
        history.add(label(second * SECOND, (second + 1) * SECOND, True), str(second))
        history.add_poses(poses_at(*range(second * SECOND, (second + 1) * SECOND, SECOND // 30)))
    events = list(history.events())
    assert (events[0], events[-1]) == (str(1500 - 601), "1499")
    times = kept_times(history)
    assert 590 * SECOND < times[-1] - times[0] <= KEPT_US + 10 * SECOND
    steps = np.diff(times)
    assert steps.min() >= 60_000
    assert 14.5 <= SECOND / steps.mean() <= 15.5


def test_the_bounds_in_bytes_hold_and_the_newest_stays() -> None:
    history = History(event_bytes=2000, pose_bytes=20_000)
    for n in range(1000):
        history.add(Gap(n, n, n * SECOND, n * SECOND), f"{n:04}" * 10)
        history.add_poses(poses_at(n * SECOND))
    events = list(history.events())
    assert sum(map(len, events)) <= 2000
    assert events[-1] == "0999" * 10
    assert len(events) > 10
    times = kept_times(history)
    assert times[-1] == 999 * SECOND
    assert BLOCK_FRAMES < len(times) * (8 + 4 * 4) <= 20_000


@given(st.lists(st.integers(0, 1_000_000), min_size=1), st.integers(1, 5000))
def test_poses_are_in_order_thinned_and_in_pieces_below_a_megabyte(steps_us: list[int], width: int) -> None:
    history = History()
    times = (1 + np.cumsum(steps_us)).tolist()
    for time_us in times:
        history.add_poses(poses_at(time_us, width=width))
    kept = kept_times(history)
    assert kept[0] == times[0] or width > 1000
    assert all(after - before >= 60_000 for before, after in itertools.pairwise(kept))
    for times_us, frames in history.poses():
        assert frames.shape == (len(times_us), width)
        assert np.array_equal(frames[:, 0], (times_us / SECOND).astype(np.float32))
        assert len(times_us) * (width + 1) <= max(BLOCK_NUMBERS, width + 1)
    assert sum(times_us.nbytes + frames.nbytes for times_us, frames in history.poses()) <= POSE_BYTES


def test_the_longest_piece_is_below_a_megabyte_as_json() -> None:
    frames = np.full((BLOCK_FRAMES, BLOCK_NUMBERS // BLOCK_FRAMES - 1), -np.finfo(np.float32).max)
    times_us = np.full(BLOCK_FRAMES, -(2**62))
    assert len(to_json(past_poses_message("x" * 128, times_us, frames))) < 1_000_000


def test_a_session_whose_clock_is_another_begins_anew() -> None:
    def history_of(start_us: int | None) -> History:
        history = History()
        history.open(start_us)
        history.add(label(100 * SECOND, 101 * SECOND, True), "old")
        history.add_poses(poses_at(102 * SECOND))
        return history

    for start_us, later_us, goes_on in [(100, 100, True), (100, 200, True), (100, 50, False), (100, None, False)]:
        history = history_of(start_us * SECOND)
        history.open(None if later_us is None else later_us * SECOND)
        assert list(history.events()) == (["old"] if goes_on else [])
        assert kept_times(history) == ([102 * SECOND] if goes_on else [])
    back = history_of(None)
    assert back.origin_us == 100 * SECOND
    back.add_poses(poses_at(98 * SECOND))
    assert list(back.events()) == ["old"]
    back.add_poses(poses_at(50 * SECOND))
    assert list(back.events()) == []
    assert kept_times(back) == [50 * SECOND]
    assert back.origin_us == 50 * SECOND


def test_poses_of_another_layout_replace_the_older_ones() -> None:
    history = History()
    history.add_poses(poses_at(SECOND))
    history.add_poses(poses_at(2 * SECOND, width=6))
    assert [frames.shape for _, frames in history.poses()] == [(1, 6)]


def test_what_was_taken_stays_as_it_is_while_more_comes() -> None:
    history = History()
    history.add_poses(poses_at(SECOND))
    ((times_us, frames),) = history.poses()
    before = times_us.tolist(), frames.tolist()
    for second in range(2, 500):
        history.add_poses(poses_at(second * SECOND))
    assert (times_us.tolist(), frames.tolist()) == before
