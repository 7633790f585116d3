"""What a scheduler answers to orders, turn by turn, on a clock that the test turns."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_session import (
    MOMENT_US,
    PLACES,
    STRIDE,
    check_story,
    finals,
    motion,
)
from tests.support.scheduler_desk import SCRIPT, Desk, alone

from motionscribe_proto.events import ClusterMerged, ClusterNamed, Label
from motionscribe_server.engine.messages import (
    CloseSession,
    EditClusters,
    ForgetSession,
    ListClusters,
    Ping,
    TakeSnapshot,
    Turn,
)
from motionscribe_server.engine.scheduler import LONGEST_REST_S, MOST_ANSWERS
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import EngineError
from motionscribe_server.session.clustering import UnknownClusterError
from motionscribe_server.session.edits import Merge, PlacedEdit, Rename
from motionscribe_server.session.session import Session


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, 3))
def test_streams_get_what_each_gets_alone_however_they_are_cut(cuts: list[int], turns: int) -> None:
    desk, frames = Desk(), [motion(SCRIPT[:2], seed) for seed in range(3)]
    desk.open(0, 1, 2)
    for session, rows in enumerate(frames):
        at = 0
        for cut in [*cuts, len(rows)]:
            beyond = min(at + cut, len(rows))
            if beyond > at:
                desk.send(session, rows, at, beyond)
            at = beyond
            for _ in range(turns):
                desk.turn()
    for session in (0, 1, 2):
        desk.scheduler.receive(CloseSession(session))
    desk.work()
    for session, rows in enumerate(frames):
        assert desk.events(session) == alone(rows)
        own = [answer for answer in desk.answers if answer.session == session]
        assert [answer.closed for answer in own] == [False] * (len(own) - 1) + [True]
        assert sum(answer.windows for answer in own) == len(rows) // STRIDE


def test_streams_with_a_window_take_turns_in_the_order_they_came_and_share_batches() -> None:
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(1, 2, 3)
    desk.send(1, rows, 0, 3 * STRIDE)
    desk.send(2, rows, 0, STRIDE)
    desk.send(3, rows, 0, STRIDE - 1)
    desk.work()
    assert desk.engine.batches == [[STRIDE, STRIDE], [STRIDE], [STRIDE]]


def test_snapshots_of_many_sessions_are_taken_turn_by_turn() -> None:
    desk = Desk()
    desk.open(*range(2 * MOST_ANSWERS + 1))
    for session in range(2 * MOST_ANSWERS + 1):
        desk.scheduler.receive(TakeSnapshot(session))
    desk.work()
    assert [len(turn.answers) for turn in desk.turns] == [MOST_ANSWERS, MOST_ANSWERS, 1]
    assert all(answer.snapshot for answer in desk.answers)


def test_a_ping_is_answered_whatever_there_is_to_do() -> None:
    desk, rows = Desk(), motion(SCRIPT)
    assert desk.scheduler.next_turn_in_s is None
    desk.scheduler.receive(Ping())
    assert desk.scheduler.next_turn_in_s == 0.0
    assert desk.turn() == Turn(0, 0.0, Shedding.NOTHING, [])
    assert desk.scheduler.next_turn_in_s is None
    desk.open(*range(20))
    for session in range(20):
        desk.send(session, rows, 0, STRIDE)
    desk.time = 2.0
    assert desk.turn().shedding == Shedding.STREAMS
    for session in range(20):
        desk.scheduler.receive(ForgetSession(session))
    desk.scheduler.receive(Ping())
    assert desk.turn().shedding == Shedding.NOTHING


def test_frames_wait_for_their_window_but_not_for_long() -> None:
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(1)
    assert desk.scheduler.next_turn_in_s is None
    desk.send(1, rows, 0, 1)
    assert desk.scheduler.next_turn_in_s == LONGEST_REST_S
    desk.turn()
    assert desk.engine.batches == []
    desk.time += LONGEST_REST_S
    assert desk.scheduler.next_turn_in_s == 0.0
    desk.work()
    assert desk.engine.batches == [[1]]
    assert [answer.blocks for answer in desk.answers] == [1]
    desk.send(1, rows, 1, STRIDE)
    desk.work()
    assert desk.engine.batches == [[1], [STRIDE - 1]]


def test_a_failing_engine_loses_the_sessions_of_its_batch_and_what_they_learnt_is_still_told() -> None:
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(1, 2)
    desk.engine.fails = True
    desk.send(1, rows, 0, STRIDE)
    desk.work()
    desk.engine.fails = False
    (lost,) = desk.answers
    assert isinstance(lost.error, EngineError)
    assert "inference failed" in str(lost.error)
    desk.send(1, rows, STRIDE, 2 * STRIDE)
    desk.send(2, rows, 0, len(rows))
    desk.scheduler.receive(CloseSession(2))
    desk.work()
    assert desk.events(1) == []
    assert desk.events(2) == alone(rows)
    assert [state.id for state in desk.ask(ListClusters(1)).clusters] == [1, 2]


def test_frames_that_a_session_fails_at_lose_it_only(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "receive_checked", lambda session, block: 1 / 0)
        desk.send(1, rows, 0, STRIDE)
    desk.send(2, rows, 0, STRIDE)
    desk.work()
    assert [(answer.session, type(answer.error)) for answer in desk.answers if answer.error] == [(1, EngineError)]
    assert desk.events(2)


def test_a_forgotten_session_is_passed_over() -> None:
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(1, 2)
    desk.send(1, rows, 0, STRIDE)
    desk.send(2, rows, 0, STRIDE)
    desk.scheduler.receive(ForgetSession(1))
    desk.work()
    assert desk.engine.batches == [[STRIDE]]
    assert {answer.session for answer in desk.answers} == {2}
    assert isinstance(desk.ask(ListClusters(1)), KeyError)


def test_edits_are_told_before_they_are_replied_to() -> None:
    desk = Desk()
    desk.open(1)
    assert [state.name for state in desk.ask(EditClusters(1, Rename(2, "wave"))).clusters] == ["", "wave"]
    (told,) = desk.scheduler.collect().answers
    assert (told.events, told.edits) == ((), [PlacedEdit(0, Rename(2, "wave"))])
    after = desk.ask(EditClusters(1, Merge((1,), 2)))
    assert [state.merged_into for state in after.clusters] == [2, 0]
    (told,) = desk.scheduler.collect().answers
    # the name has waited for a moment
    assert told.events == [ClusterNamed(2, "wave", 0), ClusterMerged(1, 2, 0)]
    assert told.edits == [PlacedEdit(0, Merge((1,), 2))]
    assert isinstance(desk.ask(EditClusters(1, Rename(9, "x"))), UnknownClusterError)


def overloaded(wait_s: float) -> tuple[Desk, Any]:
    """A stream of which everything waits, each turn as long as all the others together."""
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(1)
    desk.send(1, rows, 0, len(rows))
    while desk.scheduler.next_turn_in_s == 0.0:
        desk.time += wait_s
        desk.turn()
    desk.scheduler.receive(CloseSession(1))
    desk.work()
    return desk, rows


def test_at_first_provisional_labels_are_given_up_and_nothing_else() -> None:
    desk, rows = overloaded(0.3)
    expected = [e for e in alone(rows) if not (isinstance(e, Label) and not e.final)]
    assert desk.events(1) == expected


def test_then_every_other_window_and_the_story_is_still_whole() -> None:
    desk, rows = overloaded(0.6)
    assert desk.engine.batches == [[2 * STRIDE]] * (len(rows) // STRIDE // 2) + [[STRIDE]] * (len(rows) // STRIDE % 2)
    events = desk.events(1)
    check_story(events, (1, 2), provisional=False)
    labels = finals(events)
    assert (labels[0].start_seq, labels[-1].end_seq) == (1, len(rows) + 1)
    assert max(label.end_us - label.start_us for label in labels[1:-1]) == 2 * MOMENT_US
    right = sum(
        label.end_seq - label.start_seq
        for label in labels
        if np.allclose(rows[label.start_seq - 1 : label.end_seq - 1].mean(axis=0), PLACES[label.cluster - 1], atol=0.2)
    )
    assert right > 0.8 * len(rows)


def test_the_level_is_of_those_who_still_wait() -> None:
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(*range(20))
    for session in range(20):
        desk.send(session, rows, 0, STRIDE)
    desk.time = 2.0
    assert desk.turn().shedding == Shedding.STREAMS
    assert desk.turn().shedding == Shedding.NOTHING
