"""A session as a function of its frames: however they are cut, computed with others or refused, it says the same."""

import itertools
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.anomaly_arrays import TENFOLD
from tests.support.made_up_session import (
    LATENCY,
    PLACES,
    RATE,
    STRIDE,
    D,
    Means,
    check_story,
    feed,
    made_up_bundle,
    motion,
)
from tests.support.session_stories import MODEL, SCRIPT, WARM, events_of, options_of, send_all, stories

from motionscribe_models.errors import LayoutError
from motionscribe_models.recordings import even_times
from motionscribe_proto.events import (
    Anomaly,
    Event,
)
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.batching import take
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.session import Session


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


def test_a_sensor_that_jumps_is_an_anomaly_with_its_column() -> None:
    frames = motion([(0, 260)], noise=0.0) + np.linspace(0, 1, 780, dtype=np.float32)[:, None]
    frames[600:690, 1] += 5.0
    model = ServedModel(made_up_bundle(PLACES[:2], knots={"jump": TENFOLD}))
    driver = feed(model, SessionOptions(sensor_false_alarms=1.0))
    events = [*send_all(driver, frames), *driver.close()]
    check_story(events, WARM)
    anomalies = [e for e in events if isinstance(e, Anomaly)]
    first, second = [[e for e in anomalies if e.anomaly == number] for number in (1, 2)]
    assert len(first) + len(second) == len(anomalies)
    for phases in (first, second):
        assert (phases[0].phase, phases[0].ongoing) == ("begun", True)
        assert (phases[-1].phase, phases[-1].ongoing) == ("ended", False)
        assert (phases[0].kind, phases[0].detector, phases[0].joints[0]) == ("sensor fault", "jump", "y")
    assert first[0].start_seq <= 601 < first[0].end_seq
    assert second[0].start_seq <= 691 < second[0].end_seq
