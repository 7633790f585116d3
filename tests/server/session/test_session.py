"""A session on motion whose labels are known by construction, and on what can happen to a stream."""

import itertools
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_session import (
    LATENCY,
    MOMENT_US,
    PLACES,
    RATE,
    STRIDE,
    D,
    Means,
    check_story,
    feed,
    finals,
    made_up_model,
    motion,
    recording,
)

from motionscribe_models.errors import LayoutError
from motionscribe_models.recordings import even_times
from motionscribe_proto.events import (
    Anomaly,
    ClusterCreated,
    ClusterMerged,
    Event,
    Gap,
    Label,
    Restarted,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.batching import take
from motionscribe_server.session.clustering import ClusterError, OnlineClusterer, UnknownClusterError
from motionscribe_server.session.clustering.base import FAINT
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.session.session import Session

MODEL = made_up_model()  # knows places 0 and 1 as clusters 1 and 2
WARM = (1, 2)
SCRIPT = [(0, 25), (1, 30), (2, 25), (0, 30), (3, 20), (2, 25), (1, 12)]


def events_of(
    frames: np.ndarray, times: np.ndarray | None = None, options: SessionOptions | None = None
) -> list[Event]:
    return [emitted.event for emitted in replay(MODEL, Means(), recording(frames, times), options)]  # type: ignore[arg-type]  # a stand-in


def runs_of(events: Sequence[Event]) -> list[tuple[int, int, int]]:
    """(cluster, start_seq, end_seq) of ended segments."""
    return [(e.cluster, e.start_seq, e.end_seq) for e in events if isinstance(e, SegmentEnded)]


def send_all(stream: Driver, frames: np.ndarray, seq: int = 1, start_us: int = 0) -> list[Event]:
    return stream.send(FrameBlock(seq, frames, start_us + even_times(len(frames), RATE)))


# -- labels and segments


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


@st.composite
def stories(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Frames and times: motions long and short, noisy, at jittering times, with gaps."""
    script = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 25)), min_size=1, max_size=8))
    frames = motion(script, draw(st.integers(0, 99)), draw(st.sampled_from([0.01, 0.2, 0.6])))
    frames = frames[: len(frames) - draw(st.integers(0, 2))]
    steps = np.random.default_rng(draw(st.integers(0, 99))).integers(20_000, 46_000, len(frames))
    for at, wait in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(200_000, 9_000_000)), max_size=3)):
        steps[at % len(frames)] = wait
    return frames, np.cumsum(steps)


options_of = st.builds(
    SessionOptions,
    lag=st.sampled_from(["fast", "balanced", "stable"]),
    provisional=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(stories(), options_of)
def test_every_story_is_told_well(story: tuple[np.ndarray, np.ndarray], options: SessionOptions) -> None:
    frames, times = story
    events = events_of(frames, times, options)
    check_story(events, WARM, options.provisional)
    told = [e for e in events if isinstance(e, Label | Gap) and (isinstance(e, Gap) or e.final)]
    assert (told[0].start_seq, told[0].start_us) == (1, times[0])
    assert (told[-1].end_seq, told[-1].end_us) == (len(frames) + 1, times[-1] + round(1e6 / RATE))


@settings(deadline=None, max_examples=30)
@given(stories(), options_of, st.lists(st.integers(0, 600), max_size=20))
def test_cutting_a_stream_into_blocks_changes_no_event(
    story: tuple[np.ndarray, np.ndarray], options: SessionOptions, cuts: list[int]
) -> None:
    frames, times = story
    expected = events_of(frames, times, options)
    for bounds in (sorted({0, len(frames), *(cut % len(frames) for cut in cuts)}), [0, len(frames)]):
        stream = feed(MODEL, options)
        got = [
            e for a, b in itertools.pairwise(bounds) for e in stream.send(FrameBlock(a + 1, frames[a:b], times[a:b]))
        ]
        assert got + stream.close() == expected


@settings(deadline=None, max_examples=15)
@given(stories(), options_of)
def test_a_replay_is_a_pure_function(story: tuple[np.ndarray, np.ndarray], options: SessionOptions) -> None:
    assert events_of(*story, options) == events_of(*story, options)


def test_two_sessions_of_a_model_share_nothing() -> None:
    frames = motion(SCRIPT)
    alone = events_of(frames)
    one, other = feed(MODEL), feed(MODEL)
    times, got = even_times(len(frames), RATE), []
    for k in range(0, len(frames) - 5, 5):
        got += one.send(FrameBlock(k + 1, frames[k : k + 5], times[k : k + 5]))
        other.send(FrameBlock(k + 1, frames[::-1][k : k + 5], times[k : k + 5]))
    got += one.send(FrameBlock(k + 6, frames[k + 5 :], times[k + 5 :]))
    assert got + one.close() == alone


@pytest.mark.parametrize("lag", LATENCY)
def test_a_label_is_final_after_the_latency_of_its_preset(lag: Any) -> None:
    frames = motion(SCRIPT)
    emitted = replay(MODEL, Means(), recording(frames), SessionOptions(lag=lag))  # type: ignore[arg-type]  # a stand-in
    labels = [(e.time_us, e.event) for e in emitted if isinstance(e.event, Label) and e.event.final]
    last_us = int(even_times(len(frames), RATE)[-1])
    waits = {round((time_us - label.start_us) / MOMENT_US, 1) for time_us, label in labels if time_us < last_us}
    # its moment's own length less the last frame's, and then `latency` moments
    assert waits == {LATENCY[lag] + 0.7}


def test_a_moment_is_told_provisionally_at_once_and_again_only_where_it_changes() -> None:
    frames = motion([(0, 30), (1, 40)])
    emitted = replay(MODEL, Means(), recording(frames))  # type: ignore[arg-type]  # a stand-in
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
    emitted = replay(MODEL, Means(), recording(motion([(0, 40)])))  # type: ignore[arg-type]  # a stand-in
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


def test_ids_are_never_reused() -> None:
    """Motion that comes once and never again, in session after session: each has an id of its own."""
    seen: list[int] = []
    stored, beyond = (), 1
    for day in range(4):
        stream = feed(made_up_model(()), clusters=stored, next_cluster=beyond)
        places = np.repeat([[40.0 * day + 4 * k, 7.0] for k in range(5)], 20 * STRIDE, axis=0)
        events = send_all(stream, places.astype(np.float32)) + stream.close()
        seen += [e.cluster for e in events if isinstance(e, ClusterCreated)]
        beyond = stream.session.next_cluster
        # each day all is forgotten but the last cluster
        stored = tuple(stream.session.clusters()[-1:])
    assert seen == list(range(1, 21))
    assert beyond == 21


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


# -- gaps


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


# -- what is refused


def bad_blocks() -> dict[str, FrameBlock]:
    times = 2_000_000 + even_times(2, RATE)
    nan, inf = np.full((2, D), np.nan, np.float32), np.full((2, D), np.inf, np.float32)
    return {
        "NaN": FrameBlock(61, nan, times),
        "infinity": FrameBlock(61, inf, times),
        "width": FrameBlock(61, np.zeros((2, D + 1), np.float32), times),
        "seq": FrameBlock(60, np.zeros((2, D), np.float32), times),
        "time": FrameBlock(61, np.zeros((2, D), np.float32), times[::-1].copy()),
        "same time": FrameBlock(61, np.zeros((2, D), np.float32), np.repeat(even_times(60, RATE)[-1:], 2)),
        "time beyond int64": FrameBlock(61, np.zeros((2, D), np.float32), np.array([2**63 - 2, 2**63 - 1])),
    }


@pytest.mark.parametrize("name", bad_blocks())
def test_after_a_refused_block_the_session_goes_on_as_if_it_had_never_come(name: str) -> None:
    frames, times = motion(SCRIPT), even_times(501, RATE)
    undisturbed, disturbed = feed(MODEL), feed(MODEL)
    told = [stream.send(FrameBlock(1, frames[:60], times[:60])) for stream in (undisturbed, disturbed)]
    with pytest.raises(LayoutError, match=r"expected .*, got "):
        disturbed.session.receive_frames(bad_blocks()[name])
    assert disturbed.session.next_seq == 61
    for stream, events in zip((undisturbed, disturbed), told, strict=True):
        events += stream.send(FrameBlock(61, frames[60:], times[60:])) + stream.close()
    assert told[1] == told[0]


def test_answers_come_in_the_order_of_the_steps() -> None:
    two = FrameBlock(1, np.zeros((2, D), np.float32), even_times(2, RATE))
    hasty, patient = Session(MODEL), Session(MODEL)
    assert hasty.receive_frames(two) == patient.receive_frames(two) == (2, 0)
    (_, second), steps = Session.take_steps_many([hasty, patient])
    with pytest.raises(ValueError, match="expected the oldest step that waits, got step 1"):
        hasty.receive_states([second], None)
    with pytest.raises(ValueError, match="expected answers to 2 steps before the end"):
        patient.close()
    for step in steps:
        assert patient.receive_states([step], None) == []
    with pytest.raises(ValueError, match="expected the oldest step that waits, got step 1"):
        patient.receive_states(steps[1:], None)


def test_whoever_wants_to_see_moments_is_shown_each_once_before_its_label() -> None:
    moments, frames = list[Moment](), motion(SCRIPT)
    stream = feed(MODEL, on_moment=moments.append)
    events = send_all(stream, frames) + stream.close()
    assert events == events_of(frames)
    spans = [moment.span for moment in moments]
    assert [(s.start_seq, s.end_seq) for s in spans] == [(k + 1, k + 1 + STRIDE) for k in range(0, 501, STRIDE)]
    for k, moment in enumerate(moments):
        own = frames[STRIDE * max(k - 2, 0) : STRIDE * (k + 1)].reshape(-1, STRIDE, D).mean(axis=1)
        np.testing.assert_allclose(moment.estimates, own, atol=1e-5)
        assert (moment.error is None) == (k == 0)


def test_sessions_worked_on_together_say_what_each_says_alone() -> None:
    """Streams that began at different times, with blocks of their own sizes, and one with a gap."""
    sizes, frames = (1, 3, 7, 15, 16), [motion(SCRIPT, seed=seed) for seed in range(5)]
    times = [even_times(len(rows), RATE) for rows in frames]
    times[3][200:] += 10**6
    alone = [events_of(rows, when) for rows, when in zip(frames, times, strict=True)]
    engine, sessions = Means(), [Session(MODEL) for _ in frames]
    states, told = [engine.new_state() for _ in frames], [list[Event]() for _ in frames]
    for start in range(0, len(frames[0]) + 400, 16):
        for i, session in enumerate(sessions):
            first, beyond = start - 80 * i, min(start - 80 * i + 16, len(frames[i]))
            for at in range(max(first, 0), beyond, sizes[i]):
                rows = slice(at, min(at + sizes[i], beyond))
                session.receive_frames(FrameBlock(at + 1, frames[i][rows], times[i][rows]))
        waiting = [deque(steps) for steps in Session.take_steps_many(sessions)]
        while any(waiting):
            due = [i for i, steps in enumerate(waiting) if steps]
            runs = [take(waiting[i]) for i in due]
            answers = engine.advance([states[i] for i in due], runs)
            for i, events in zip(
                due, Session.receive_states_many([sessions[i] for i in due], runs, answers), strict=True
            ):
                assert not isinstance(events, Exception)
                told[i] += events
    for own, session, expected in zip(told, sessions, alone, strict=True):
        assert own + session.close() == expected


def test_a_session_that_fails_does_no_harm_to_others() -> None:
    block, sessions = FrameBlock(1, motion(SCRIPT)[:STRIDE], even_times(STRIDE, RATE)), [Session(MODEL) for _ in "123"]
    for session in sessions:
        session.receive_frames(block)
    runs = Session.take_steps_many(sessions)
    runs[1] = runs[1][1:]
    answers = Means().advance([Means().new_state() for _ in sessions], runs)
    first, second, third = Session.receive_states_many(sessions, runs, answers)
    assert isinstance(second, ValueError)
    assert first == third != []


# -- clusters


def test_clusters_lists_what_a_stream_has_shown_at_once() -> None:
    stream = feed(MODEL)
    events = send_all(stream, motion([(0, 25), (2, 25)]))
    assert [e.cluster for e in events if isinstance(e, ClusterCreated)] == [3]
    states = stream.session.clusters()
    assert [state.id for state in states] == [1, 2, 3]
    young = states[-1]
    np.testing.assert_allclose(young.centre, PLACES[2], atol=0.1)
    assert young.weight == pytest.approx(2.5)  # what is not final counts too
    assert (young.warm, young.name, young.merged_into) == (False, "", 0)


def ended_segments(events: Sequence[Event]) -> list[tuple[int, float]]:
    """Cluster and seconds of each final segment, what was merged as its target."""
    target_of = {e.source: e.target for e in events if isinstance(e, ClusterMerged)}
    segments: list[tuple[int, float]] = []
    for e in events:
        if isinstance(e, SegmentEnded):
            id = e.cluster
            while id in target_of:
                id = target_of[id]
            segments.append((id, (e.end_us - e.start_us) / 1e6))
    return segments


@settings(deadline=None, max_examples=30)
@given(stories(), options_of)
def test_clusters_count_the_final_segments(story: tuple[np.ndarray, np.ndarray], options: SessionOptions) -> None:
    frames, times = story
    stream = feed(MODEL, options)
    learnt: dict[int, float] = defaultdict(float)  # most at once
    learn = OnlineClusterer.learn

    def remember(clusterer: OnlineClusterer, x: np.ndarray, weight: float, id: int, time_us: int = 0) -> int:
        learnt[id] = max(learnt[id], weight)
        return learn(clusterer, x, weight, id, time_us)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnlineClusterer, "learn", remember)
        events = stream.send(FrameBlock(1, frames, times)) + stream.close()
    ended = ended_segments(events)
    states = {state.id: state for state in stream.session.clusters()}
    # shown for a while, but by the time that its motion was learnt it was seen otherwise
    lost = [learnt[id] for id, _ in ended if id and id not in states]
    assert all(seconds < 1.1 * FAINT for seconds in lost), "only what is too short to remember may be forgotten"
    for id, state in states.items():
        shown = [seconds for cluster, seconds in ended if cluster == id]
        assert (state.segments, state.seconds) == (len(shown), pytest.approx(sum(shown)))


def test_a_name_is_told_from_then_on() -> None:
    stream = feed(MODEL)
    events = send_all(stream, motion([(0, 25), (2, 25)]))
    stream.session.rename(1, "walk")
    stream.session.rename(3, "wave")  # young: seen by the user, not learnt yet
    assert {s.id: s.name for s in stream.session.clusters()} == {1: "walk", 2: "", 3: "wave"}
    assert len(stream.session.clusters()) == 3
    events = send_all(stream, motion([(0, 25), (2, 25)]), 151, 5_000_000) + stream.close()
    names = [(e.cluster, e.name) for e in events if isinstance(e, SegmentStarted | SegmentEnded)]
    assert names == [(3, "wave"), (1, "walk"), (1, "walk"), (3, "wave"), (3, "wave")]


def test_a_name_can_be_taken_back_and_a_stranger_has_none() -> None:
    stream = feed(MODEL)
    stream.session.rename(2, "run")
    stream.session.rename(2, "")
    assert stream.session.clusters()[1].name == ""
    with pytest.raises(UnknownClusterError, match=r"expected one of clusters \[1, 2\], got 9"):
        stream.session.rename(9, "x")


@pytest.mark.parametrize(("sources", "target"), [([1], 3), ([3], 1), ([2], 1), ([1, 2], 3), ([2, 3], 1)])
def test_after_a_merge_labels_bear_the_target(sources: list[int], target: int) -> None:
    script = [(0, 20), (1, 20), (2, 20)]
    stream = feed(MODEL)
    events = send_all(stream, motion(script))
    merged = stream.session.merge(sources, target)
    assert merged == [ClusterMerged(source, target, 6_000_000) for source in sources]
    again = send_all(stream, motion(script, seed=1), 181, 6_000_000)
    closing = again + stream.close()
    check_story(events + merged + closing, WARM)
    ids = [target if id in sources else id for id in (1, 2, 3)]
    expected = [cluster for cluster, _ in itertools.groupby([ids[2], *ids])]
    shown = [cluster for cluster, _ in itertools.groupby(label.cluster for label in finals(closing))]
    assert shown == expected
    provisional = {label.cluster for label in closing if isinstance(label, Label) and not label.final}
    assert provisional.isdisjoint(sources)
    assert {s.id: s.merged_into for s in stream.session.clusters()} == {
        id: target if id in sources else 0 for id in (1, 2, 3)
    }


@settings(deadline=None, max_examples=40)
@given(stories(), options_of, st.lists(st.tuples(st.integers(0, 600), st.randoms(use_true_random=False)), max_size=6))
def test_a_user_may_name_and_merge_at_any_time(
    story: tuple[np.ndarray, np.ndarray], options: SessionOptions, acts: list[tuple[int, Any]]
) -> None:
    frames, times = story
    stream, events = feed(MODEL, options), list[Event]()
    gone, names = set[int](), dict[int, str]()
    acting = {cut % len(frames): random for cut, random in acts}
    for a, b in itertools.pairwise(sorted({0, len(frames), *acting})):
        alive = [s.id for s in stream.session.clusters() if not s.merged_into and s.weight > 0]
        if a in acting and len(alive) > 1:
            source, target = acting[a].sample(alive, 2)
            events += stream.session.merge([source], target)
            stream.session.rename(target, f"named at {a}")
            gone.add(source)
            names.pop(source, None)
            names[target] = f"named at {a}"
        events += stream.send(FrameBlock(a + 1, frames[a:b], times[a:b]))
        assert names.items() <= {s.id: s.name for s in stream.session.clusters()}.items()
    events += stream.close()
    check_story(events, WARM, options.provisional)
    assert gone <= {e.source for e in events if isinstance(e, ClusterMerged)}


def test_merges_of_strangers_and_of_a_cluster_with_itself_are_refused() -> None:
    stream = feed(MODEL)
    send_all(stream, motion([(0, 20)]))
    before = stream.session.clusters()
    with pytest.raises(UnknownClusterError, match="got 77"):
        stream.session.merge([1], 77)
    with pytest.raises(ClusterError, match="expected clusters that differ"):
        stream.session.merge([1], 1)
    assert stream.session.clusters() == before


def test_motion_of_an_earlier_session_bears_its_ids_again() -> None:
    frames = motion(SCRIPT)
    first = feed(MODEL)
    one = send_all(first, frames) + first.close()
    first.session.rename(4, "jump")
    kept, beyond = first.session.clusters(), first.session.next_cluster
    second = feed(MODEL, clusters=kept, next_cluster=beyond)
    other = send_all(second, motion(SCRIPT[::-1], seed=8)) + second.close()
    check_story(other, [state.id for state in kept])
    assert not any(isinstance(e, ClusterCreated) for e in other)
    assert [c for c, _, _ in runs_of(other)] == [c for c, _, _ in runs_of(one)][::-1]
    assert {e.name for e in other if isinstance(e, SegmentEnded) and e.cluster == 4} == {"jump"}


def test_the_model_is_not_changed_by_its_sessions() -> None:
    centres = MODEL.centres.copy()
    events_of(motion(SCRIPT))
    assert (MODEL.centres == centres).all()


def test_memory_does_not_grow_with_a_stream() -> None:
    stream = feed(MODEL)
    values = motion([(k % 4, 20) for k in range(60)])
    send_all(stream, values)
    state = stream.session.state()
    labelling = state["labelling"]
    assert len(labelling["spans"]) == len(labelling["provisionals"]["sent"]) == LATENCY["balanced"]
    assert not state["intake"]["waiting"]
    assert len(labelling["labeller"]["labels"]) < 400
    assert len(labelling["labeller"]["segments"]) < 30
    assert repr(stream.session) == "<Session of made-up, next seq 3601, 1200 moments>"


# -- anomalies


def test_what_the_network_did_not_foresee_is_an_anomaly_with_its_columns() -> None:
    frames = motion([(0, 260)])
    frames[600:690, 1] += np.tile([8.0, -8.0, 0.0], 30).astype(np.float32)  # its mean of a moment is 0
    events = events_of(frames)
    check_story(events, WARM)
    begin, end = [e for e in events if isinstance(e, Anomaly)]
    assert begin.ongoing
    assert not end.ongoing
    assert (begin.anomaly, end.anomaly) == (1, 1)
    assert begin.joints[0] == end.joints[0] == "y"
    assert 600 <= begin.start_seq <= 640
    assert 660 <= end.end_seq <= 730
    assert end.score >= begin.score >= 1.0
