"""Labels and segments of a session on motion whose labels are known by construction."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.support.made_up_session import (
    LATENCY,
    MOMENT_US,
    RATE,
    STRIDE,
    D,
    Means,
    check_story,
    finals,
    motion,
    recording,
)
from tests.support.session_stories import MODEL, SCRIPT, WARM, events_of, options_of, runs_of, stories

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import (
    ClusterCreated,
    Gap,
    Label,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.session.session import Session


@pytest.mark.parametrize("lag", LATENCY)
def test_a_known_story_is_told(lag: Any) -> None:
    """Warm clusters keep their ids, others get new ones, what returns returns under its id."""
    events = events_of(motion(SCRIPT), options=SessionOptions(lag=lag))
    ids = {0: 1, 1: 2, 2: 3, 3: 4}
    ends = np.cumsum([moments * STRIDE for _, moments in SCRIPT]).tolist()
    expected = [
        (ids[place], start + 1, end + 1) for (place, _), start, end in zip(SCRIPT, [0, *ends], ends, strict=False)
    ]
    got = runs_of(events)
    assert [cluster for cluster, _, _ in got] == [cluster for cluster, _, _ in expected]
    # the wait of "fast" is shorter than a segment needs to be seen: what is final by then stays with the one before
    late = 8 * STRIDE if lag == "fast" else 0
    for (_, start, end), (_, known_start, known_end) in zip(got, expected, strict=True):
        assert 0 <= start - known_start <= late
        assert 0 <= end - known_end <= late
    assert [e.cluster for e in events if isinstance(e, ClusterCreated)] == [3, 4]
    check_story(events, WARM)


@settings(deadline=None, max_examples=60)
@given(stories(), options_of)
def test_every_story_is_told_well(story: tuple[np.ndarray, np.ndarray], options: SessionOptions) -> None:
    frames, times = story
    events = events_of(frames, times, options)
    check_story(events, WARM, options.provisional)
    told = [e for e in events if isinstance(e, Label | Gap) and (isinstance(e, Gap) or e.final)]
    assert (told[0].start_seq, told[0].start_us) == (1, times[0])
    assert (told[-1].end_seq, told[-1].end_us) == (len(frames) + 1, times[-1] + round(1e6 / RATE))


@pytest.mark.parametrize("lag", LATENCY)
def test_a_label_is_final_after_the_latency_of_its_preset(lag: Any) -> None:
    frames = motion(SCRIPT)
    emitted = replay(MODEL, Means(), recording(frames), SessionOptions(lag=lag))
    labels = [(e.time_us, e.event) for e in emitted if isinstance(e.event, Label) and e.event.final]
    last_us = int(even_times(len(frames), RATE)[-1])
    waits = {round((time_us - label.start_us) / MOMENT_US, 1) for time_us, label in labels if time_us < last_us}
    # its moment's own length less the last frame's, and then `latency` moments
    assert waits == {LATENCY[lag] + 0.7}


def test_a_moment_is_told_provisionally_at_once_and_again_only_where_it_changes() -> None:
    frames = motion([(0, 30), (1, 40)])
    emitted = replay(MODEL, Means(), recording(frames))
    told: dict[int, int] = {}
    for e in emitted:
        label = e.event
        if isinstance(label, Label) and not label.final:
            newest = label.end_seq - 1 == e.time_us // 33_333 + 1
            for moment in range(label.start_seq, label.end_seq, STRIDE):
                assert told.get(moment) != label.cluster or newest
                told[moment] = label.cluster
    assert sorted(told) == list(range(1, len(frames) + 1, STRIDE))
    assert {told[m] for m in range(1, 91, STRIDE)} == {1}
    assert {told[m] for m in range(91, 211, STRIDE)} == {2}


def test_stability_grows_with_what_was_seen() -> None:
    emitted = replay(MODEL, Means(), recording(motion([(0, 40)])))
    chances = [e.event.stability for e in emitted if isinstance(e.event, Label) and not e.event.final]
    assert chances == sorted(chances)
    assert chances[0] < chances[-1]


def test_without_provisional_labels_all_else_is_the_same() -> None:
    frames = motion(SCRIPT)
    with_them, without = events_of(frames), events_of(frames, options=SessionOptions(provisional=False))
    assert any(isinstance(e, Label) and not e.final for e in with_them)
    assert without == [e for e in with_them if not isinstance(e, Label) or e.final]


def test_unlike_motions_are_told_apart() -> None:
    script = [(place, 20) for place in (0, 1, 2, 0, 1, 2, 0, 1, 2)]
    events = events_of(motion(script))
    clusters = [cluster for cluster, _, _ in runs_of(events)]
    assert clusters == [1, 2, 3] * 3


def test_a_stutter_does_not_end_a_segment() -> None:
    """Motion of less than the hold is not worth a segment of its own."""
    events = events_of(motion([(0, 30), (1, 4), (0, 30)]), options=SessionOptions(lag="stable"))
    assert [cluster for cluster, _, _ in runs_of(events)] == [1]


# -- short streams and tails


@pytest.mark.parametrize("count", range(1, STRIDE))
def test_a_stream_shorter_than_a_moment_is_one_segment_of_no_cluster(count: int) -> None:
    events = events_of(np.zeros((count, D), np.float32), 50 + even_times(count, RATE))
    end_us = 50 + round((count - 1) * 1e6 / RATE) + 33_333
    assert events == [
        SegmentStarted(1, 0, "", 1, 50),
        Label(1, count + 1, 50, end_us, 0, 1.0, True),
        SegmentEnded(1, 0, "", 1, count + 1, 50, end_us),
    ]


@pytest.mark.parametrize("rest", range(STRIDE))
def test_the_last_moment_takes_the_tail(rest: int) -> None:
    frames = motion([(0, 21)])[: 20 * STRIDE + rest]
    events = events_of(frames)
    assert runs_of(events) == [(1, 1, 20 * STRIDE + rest + 1)]
    assert finals(events)[-1].start_seq == 19 * STRIDE + 1


def test_without_frames_there_is_nothing_to_say() -> None:
    session = Session(MODEL)
    assert session.close() == []
    assert [state.id for state in session.clusters()] == [1, 2]
    assert (session.next_seq, session.next_cluster) == (1, 3)
