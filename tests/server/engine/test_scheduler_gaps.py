"""A block of thousands of frames, each after a gap, is computed turn by turn between other streams."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.made_up_session import STRIDE, Means, motion
from tests.support.scheduler_desk import MODEL, SCRIPT, Desk, alone

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import Gap
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.batching import MOST_STEPS
from motionscribe_server.engine.messages import CloseSession, TakeFrames
from motionscribe_server.engine.scheduled_session import PIECE
from motionscribe_server.engine.scheduler import SHORT_REST_S
from motionscribe_server.errors import EngineError
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.session import Session


def gap_after_gap(count: int) -> tuple[Any, FrameBlock]:
    """Frames each of which follows a gap, and one block of them all."""
    rows = np.resize(motion(SCRIPT), (count, 2))
    return rows, FrameBlock(1, rows, even_times(count, 1.0))


def rest(desk: Desk) -> None:
    """Turns until there is nothing to do; the clock does not stand still where sessions rest."""
    desk.work()
    while desk.scheduler.next_turn_in_s is not None:
        desk.time += SHORT_REST_S
        desk.work()


def test_a_message_of_thousands_of_gaps_takes_no_more_of_a_turn_than_other_streams_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, rows = Desk(), motion(SCRIPT)
    received: list[int] = []
    receive = Session.receive_checked

    def note(session: Session, block: CheckedBlock) -> tuple[int, int]:
        received.append(len(block))
        return receive(session, block)

    monkeypatch.setattr(Session, "receive_checked", note)
    desk.open(1, 2)
    many, block = gap_after_gap(4000)
    desk.scheduler.receive(TakeFrames(1, CheckedBlock(block)))
    assert sum(received) == PIECE
    assert desk.scheduler.next_turn_in_s == SHORT_REST_S
    for first in range(0, 5 * STRIDE, STRIDE):
        received.clear()
        desk.time += SHORT_REST_S
        desk.send(2, rows, first, first + STRIDE)
        desk.turn()
        desk.turn()
        assert desk.engine.batches[-2:] == [[MOST_STEPS], [STRIDE]]
        assert sum(received) <= PIECE + STRIDE
        assert desk.scheduler.next_turn_in_s
    assert [answer.blocks for answer in desk.answers if answer.session == 1] == [0] * 5
    desk.scheduler.receive(CloseSession(1))
    rest(desk)
    assert sum(answer.blocks for answer in desk.answers if answer.session == 1) == 1
    whole = Driver(Session(MODEL), Means())
    assert desk.events(1) == whole.send(block) + whole.close()
    assert len([event for event in desk.events(1) if isinstance(event, Gap)]) == len(many) - 1


def test_the_documents_say_how_many_gaps_are_computed() -> None:
    text = (Path(__file__).parents[3] / "SECURITY.md").read_text("utf-8")
    assert f"about {MOST_STEPS / SHORT_REST_S:g} gaps a second" in text


def test_an_order_follows_all_frames_that_came_before_it() -> None:
    desk = Desk()
    desk.open(1)
    _, block = gap_after_gap(200)
    desk.scheduler.receive(TakeFrames(1, CheckedBlock(block)))
    desk.scheduler.receive(CloseSession(1))
    rest(desk)
    assert [answer.closed for answer in desk.answers] == [False] * (len(desk.answers) - 1) + [True]
    assert sum(map(sum, desk.engine.batches)) == 200


def test_frames_that_a_session_fails_at_later_lose_it_only(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, rows = Desk(), motion(SCRIPT)
    desk.open(1, 2)
    desk.scheduler.receive(TakeFrames(1, CheckedBlock(gap_after_gap(200)[1])))
    desk.send(2, rows, 0, STRIDE)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "receive_checked", lambda session, block: 1 / 0)
        rest(desk)
    desk.send(2, rows, STRIDE, len(rows))
    desk.scheduler.receive(CloseSession(2))
    desk.work()
    assert [(answer.session, type(answer.error)) for answer in desk.answers if answer.error] == [(1, EngineError)]
    assert desk.events(2) == alone(rows)
