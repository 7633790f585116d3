"""What is told of joints that are out of sight, frame by frame, against what hypothesis lets them do."""

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.lost_joints import check_told

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import Degraded
from motionscribe_server.session.unseen import EVERY_US, HOLD_US, UnseenJoints

JOINTS = ("head", "hand", "foot")
RATE = 30.0
PERIOD_US = round(1e6 / RATE)


def watch(watcher: UnseenJoints, unseen: NDArray[np.bool_], first: int = 0) -> list[tuple[int, Degraded]]:
    """Events with the time at which they were told; frame k of the stream is `unseen[k - first]`."""
    times = even_times(first + len(unseen), RATE)[first:].tolist()
    told = watcher.watch(first + 1, times, unseen)
    return [(times[row], event) for row in sorted(told) for event in told[row]]


def lost(frames: int, *spans: tuple[str, int, int]) -> NDArray[np.bool_]:
    """(frames, 3): a joint is not seen from one frame, counted from 1, to another."""
    unseen = np.zeros((frames, len(JOINTS)), bool)
    for joint, start, end in spans:
        unseen[start - 1 : end - 1, JOINTS.index(joint)] = True
    return unseen


def end(watcher: UnseenJoints, frames: int) -> list[Degraded]:
    return watcher.end(frames + 1, int(even_times(frames + 1, RATE)[-1]))


def spans(events: Sequence[Degraded]) -> list[tuple[tuple[str, ...], int, int]]:
    return [(event.joints, event.start_seq, event.end_seq) for event in events]


def test_a_joint_that_is_lost_and_found_is_one_event_exact_to_the_frame() -> None:
    watcher = UnseenJoints(JOINTS)
    (begin_us, began), (end_us, ended) = watch(watcher, lost(300, ("hand", 61, 151)))
    assert began == Degraded(1, True, 61, 77, 2_000_000, 2_500_000, ("hand",))
    assert ended == Degraded(1, False, 61, 151, 2_000_000, 5_000_000, ("hand",))
    assert (begin_us, end_us) == (2_500_000, 5_500_000)
    assert end(watcher, 300) == []


@pytest.mark.parametrize("unseen", [lost(300, *(("hand", k, k + 15) for k in range(1, 280, 16))), lost(300)])
def test_what_flickers_is_not_told(unseen: NDArray[np.bool_]) -> None:
    watcher = UnseenJoints(JOINTS)
    assert watch(watcher, unseen) + end(watcher, 300) == []


def test_a_joint_that_is_seen_for_a_moment_is_not_found() -> None:
    unseen = lost(300, ("hand", 61, 240))
    unseen[100:114] = False
    assert spans([event for _, event in watch(UnseenJoints(JOINTS), unseen)]) == [
        (("hand",), 61, 77),
        (("hand",), 61, 240),
    ]


def test_another_joint_is_another_event_and_no_two_overlap() -> None:
    unseen = lost(400, ("hand", 61, 241), ("foot", 121, 181))
    events = [event for _, event in watch(UnseenJoints(JOINTS), unseen)]
    assert spans(check_told(events)) == [(("hand",), 61, 121), (("hand", "foot"), 121, 181), (("hand",), 181, 241)]


def test_joints_that_go_one_after_the_other_are_told_once_a_second() -> None:
    unseen = lost(400, ("head", 61, 241), ("hand", 67, 241), ("foot", 73, 241))
    events = watch(UnseenJoints(JOINTS), unseen)
    assert spans(check_told([event for _, event in events])) == [(("head",), 61, 67), (JOINTS, 73, 241)]
    assert [time_us for time_us, _ in events] == [2_500_000, 3_500_000, 3_500_000, 8_500_000]


@pytest.mark.parametrize("came_back", [False, True])
def test_an_end_closes_what_is_open_and_forgets_the_rest(came_back: bool) -> None:
    """As a gap and the end of a stream do."""
    watcher = UnseenJoints(JOINTS)
    watch(watcher, lost(150, ("hand", 61, 145 if came_back else 151), ("foot", 140, 151)))
    assert spans(end(watcher, 150)) == [(("hand",), 61, 151)]
    events = [event for _, event in watch(watcher, lost(60, ("foot", 1, 61)), first=200)]
    assert [(event.degraded, event.start_seq) for event in events] == [(2, 201)]


@st.composite
def sights(draw: st.DrawFn) -> NDArray[np.bool_]:
    """Joints that are lost for a while, now and then, and flicker."""
    columns = []
    for _ in JOINTS:
        lengths = draw(st.lists(st.integers(1, 60), min_size=1, max_size=12))
        column = np.repeat(np.arange(len(lengths)) % 2 == draw(st.integers(0, 1)), lengths)
        columns.append(np.resize(column, 300))
    flicker = np.random.default_rng(draw(st.integers(0, 99))).random((300, len(JOINTS)))
    return np.stack(columns, axis=1) ^ (flicker < draw(st.sampled_from([0.0, 0.02])))


@given(sights(), st.lists(st.integers(1, 299), max_size=3, unique=True).map(sorted), st.data())
def test_whatever_happens_what_begins_ends(unseen: NDArray[np.bool_], gaps: list[int], data: st.DataObject) -> None:
    """In blocks of any size, and a snapshot after each: to no effect."""
    whole, watcher = UnseenJoints(JOINTS), UnseenJoints(JOINTS)
    events: list[Degraded] = []
    for start, stop in zip([0, *gaps], [*gaps, 300], strict=True):
        expected = watch(whole, unseen[start:stop], start)
        told = []
        cuts = sorted(data.draw(st.sets(st.integers(start, stop), max_size=3)) | {start, stop})
        for first, last in pairwise(cuts):
            told += watch(watcher, unseen[first:last], first)
            state = json.loads(json.dumps(watcher.state()))
            watcher = UnseenJoints(JOINTS)
            watcher.restore(state)
        assert told == expected
        times = [time_us for time_us, _ in expected]
        assert all(later == time or later - time >= EVERY_US for time, later in pairwise(times))
        check_what_was_told(expected, unseen[start:stop], start)
        closing = end(whole, stop)
        assert end(watcher, stop) == closing
        events += [event for _, event in expected] + closing
    check_told(events)


def check_what_was_told(events: list[tuple[int, Degraded]], unseen: NDArray[np.bool_], first: int) -> None:
    """What is told is true of each joint, and what lasts is told."""
    most, patience = EVERY_US // PERIOD_US, (HOLD_US + EVERY_US) // PERIOD_US + 2  # frames
    known: list[tuple[str, ...]] = [()] * len(unseen)  # to a client, at each frame
    for time_us, event in events:
        row = round(time_us / 1e6 * RATE) - first
        known[row:] = [event.joints if event.ongoing else ()] * (len(unseen) - row)
        within = unseen[event.start_seq - 1 - first : min(row, event.end_seq - 1 - first)]
        for joint in event.joints:
            assert longest(~within[:, JOINTS.index(joint)]) <= most
    for column, joint in enumerate(JOINTS):
        for start, stop in runs(unseen[:, column]):
            for row in range(start + patience, stop):
                assert joint in known[row], f"{joint} is out of sight since frame {start}, told nothing at {row}"


def runs(values: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(values, prepend=False, append=False))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def longest(values: NDArray[np.bool_]) -> int:
    return max((stop - start for start, stop in runs(values)), default=0)
