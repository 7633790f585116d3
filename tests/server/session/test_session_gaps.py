"""Gaps in what a session is sent: they are told, tiled around, and cost nothing that was learnt."""

import numpy as np
import pytest
from tests.support.made_up_session import (
    RATE,
    check_story,
    feed,
    motion,
)
from tests.support.session_stories import MODEL, WARM, events_of, runs_of, send_all

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import (
    ClusterCreated,
    Event,
    Gap,
    Restarted,
    SegmentEnded,
)
from motionscribe_proto.frames import FrameBlock


def gap_events(at: int, wait_us: int) -> tuple[list[Event], np.ndarray]:
    frames = motion([(0, 30), (1, 30)])
    times = even_times(len(frames), RATE)
    times[at:] += wait_us
    return events_of(frames, times), times


@pytest.mark.parametrize("at", [1, 2, 3, 4, 50, 51, 52, 179])
@pytest.mark.parametrize("wait_us", [300_000, 10**13])
def test_a_gap_is_told_and_tiled_around(at: int, wait_us: int) -> None:
    events, times = gap_events(at, wait_us)
    check_story(events, WARM)
    (gap,) = [e for e in events if isinstance(e, Gap)]
    assert gap == Gap(at + 1, at + 1, int(times[at - 1]) + 33_333, int(times[at]))
    assert events[events.index(gap) + 1] == Restarted(at + 1, int(times[at]), "gap")
    assert [e.end_seq for e in events if isinstance(e, SegmentEnded)].count(at + 1) == 1


def test_what_was_learnt_survives_a_gap() -> None:
    frames = motion([(2, 30), (3, 30)])
    stream = feed(MODEL)
    first = send_all(stream, frames)
    second = send_all(stream, frames, seq=1001, start_us=60_000_000)
    events = first + second + stream.close()
    check_story(events, WARM)
    assert [cluster for cluster, _, _ in runs_of(events)] == [3, 4, 3, 4]
    assert [e.cluster for e in events if isinstance(e, ClusterCreated)] == [3, 4]


def test_a_lone_frame_between_gaps_is_a_segment_of_no_cluster() -> None:
    times = even_times(61, RATE)
    times[30:] += 1_000_000
    times[31:] += 1_000_000
    events = events_of(motion([(0, 21)])[:61], times)
    check_story(events, WARM)
    assert runs_of(events) == [(1, 1, 31), (0, 31, 32), (1, 32, 62)]


@pytest.mark.parametrize("lost", [1, 3, 6])
@pytest.mark.parametrize("at", [49, 50, 51])
def test_a_few_lost_frames_are_no_gap(lost: int, at: int) -> None:
    frames, times = motion([(0, 40)]), even_times(120, RATE)
    stream = feed(MODEL)
    events = stream.send(FrameBlock(1, frames[:at], times[:at]))
    events += stream.send(FrameBlock(at + lost + 1, frames[at + lost :], times[at + lost :])) + stream.close()
    check_story(events, WARM)
    assert not any(isinstance(e, Gap) for e in events)
    assert runs_of(events) == [(1, 1, 121)]
