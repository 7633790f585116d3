"""What a session owes after each order: a table, and the session that follows it."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_session import RATE, STRIDE, Means, made_up_model, motion

from motionscribe_models.recordings import even_times
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer
from motionscribe_server.engine.scheduled_session import TRANSITIONS, Change, Phase, ScheduledSession, Wait
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.session import Session

MODEL, ENGINE = made_up_model(), Means()
ROWS = motion([(0, 25), (1, 30)])
TIMES = even_times(len(ROWS), RATE)


class Made:
    """A session of made-up motion, and the engine that computes it at once."""

    def __init__(self) -> None:
        self.scheduled = ScheduledSession(7, "m/1", Session(MODEL), ENGINE.new_state())
        self.sent = 0

    def send(self, frames: int) -> None:
        """The next frames."""
        rows = slice(self.sent, self.sent + frames)
        self.scheduled.receive_frames(CheckedBlock(FrameBlock(self.sent + 1, ROWS[rows], TIMES[rows])))
        self.sent += frames

    def waits_for(self) -> Wait:
        """What it waits for now."""
        return self.scheduled.waits_for

    def compute(self) -> Answer | None:
        """A batch of this session alone."""
        session = self.scheduled.session
        steps = session.take_steps()
        run = self.scheduled.take_run(steps, 1)
        (window,) = ENGINE.advance([self.scheduled.states], [run])
        events = session.receive_states(run, window)
        self.scheduled.note_computed(run)
        return self.scheduled.answer(int(window is not None), events)


def test_every_change_that_can_happen_has_a_row() -> None:
    orders = {Change.ASK_SNAPSHOT, Change.CLOSE, Change.END}
    going_on = set(Phase) - {Phase.ENDED}
    assert TRANSITIONS.keys() == {
        *product(going_on, orders),
        (Phase.SNAPSHOT_ASKED, Change.GIVE_SNAPSHOT),
        (Phase.ENDED, Change.END),
    }
    assert all(after is Phase.ENDED for (_, change), after in TRANSITIONS.items() if change is Change.END)
    # closing is for good
    assert all(TRANSITIONS[Phase.CLOSING, order] in (Phase.CLOSING, Phase.ENDED) for order in orders)


def test_it_waits_for_its_window_and_for_a_batch_when_the_window_is_complete_or_it_owes_something() -> None:
    made = Made()
    scheduled = made.scheduled
    assert made.waits_for() is Wait.NOTHING
    made.send(1)
    assert made.waits_for() is Wait.WINDOW
    made.send(STRIDE - 1)
    assert made.waits_for() is Wait.BATCH
    made.compute()
    assert made.waits_for() is Wait.NOTHING
    made.send(1)
    scheduled.ask_snapshot()
    assert made.waits_for() is Wait.BATCH
    answer = made.compute()
    assert answer is not None
    assert answer.snapshot
    assert scheduled.phase is Phase.OPEN
    assert made.waits_for() is Wait.NOTHING


@pytest.mark.parametrize("asked", [False, True])
def test_the_last_answer_says_so_and_brings_no_snapshot(asked: bool) -> None:
    made = Made()
    made.send(STRIDE + 1)
    if asked:
        made.scheduled.ask_snapshot()
    made.scheduled.close()
    made.scheduled.ask_snapshot()
    first, last = made.compute(), made.compute()
    assert first is not None
    assert last is not None
    assert [(a.blocks, a.windows, a.closed, a.snapshot) for a in (first, last)] == [
        (0, 1, False, None),
        (1, 0, True, None),
    ]
    assert last.events
    assert made.scheduled.ended
    assert made.scheduled.answer() is None


def test_a_session_that_owes_nothing_says_nothing() -> None:
    scheduled = Made().scheduled
    assert scheduled.answer() is None
    scheduled.ask_snapshot()
    answer = scheduled.answer()
    assert answer is not None
    assert (answer.blocks, answer.closed, bool(answer.snapshot)) == (0, False, True)
    assert scheduled.answer() is None
    scheduled.end()
    scheduled.end()
    assert repr(scheduled) == "<ScheduledSession 7 ENDED, 0 of 0 steps computed>"


@given(st.lists(st.integers(1, 9), max_size=6), st.data())
@settings(max_examples=30, deadline=None)
def test_every_block_is_answered_once(blocks: Sequence[int], data: st.DataObject) -> None:
    made, answers = Made(), list[Answer | None]()
    for frames in blocks:
        made.send(frames)
        while made.waits_for() is Wait.BATCH and data.draw(st.booleans()):
            answers.append(made.compute())
    made.scheduled.close()
    while made.waits_for() is Wait.BATCH:
        answers.append(made.compute())
    answers.append(made.scheduled.answer())
    said = [answer for answer in answers if answer]
    assert sum(answer.blocks for answer in said) == len(blocks)
    assert sum(answer.windows for answer in said) == sum(blocks) // STRIDE
    assert [answer.closed for answer in said] == [False] * (len(said) - 1) + [True]
    assert np.isfinite(made.scheduled.states).all()
