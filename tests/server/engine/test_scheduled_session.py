"""What a session owes after each order: a table, and the session that follows it."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_session import RATE, STRIDE, Means, made_up_model, motion

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer
from motionscribe_server.engine.scheduled_session import TRANSITIONS, Change, Phase, ScheduledSession, Wait
from motionscribe_server.session.clustering import ClusterError, UnknownClusterError
from motionscribe_server.session.edits import Edit, Merge, PlacedEdit, Rename
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import load

MODEL, ENGINE = made_up_model(), Means()
ROWS = motion([(0, 25), (1, 30)])
TIMES = even_times(len(ROWS), RATE)


class Made:
    """A session of made-up motion, and the engine that computes it at once."""

    def __init__(self, snapshot: bytes | None = None, sent: int = 0, edits: Sequence[PlacedEdit] = ()) -> None:
        session, states = load(snapshot, MODEL) if snapshot else (Session(MODEL), ENGINE.new_state())
        self.scheduled = ScheduledSession(7, "m/1", session, states, durable=True, edits=edits)
        self.sent = sent
        self.starts: list[int] = []
        """Of each block, the frames before it."""

    def send(self, frames: int) -> None:
        """The next frames."""
        rows = slice(self.sent, min(self.sent + frames, len(ROWS)))
        self.starts.append(self.sent)
        self.scheduled.receive_frames(CheckedBlock(FrameBlock(self.sent + 1, ROWS[rows], TIMES[rows])))
        self.sent = rows.stop

    def waits_for(self) -> Wait:
        """What it waits for now."""
        return self.scheduled.waits_for

    def compute(self) -> list[Answer]:
        """A batch of this session alone."""
        session = self.scheduled.session
        self.scheduled.repeat_edits()
        steps = session.take_steps()
        run = self.scheduled.take_run(steps, 1)
        (window,) = ENGINE.advance([self.scheduled.states], [run])
        events = session.receive_states(run, window)
        self.scheduled.note_computed(run)
        return self.scheduled.answers(int(window is not None), events)

    def work(self) -> list[Answer]:
        """Until nothing is left to compute."""
        answers = self.scheduled.answers()
        while self.scheduled.waits_for is not Wait.NOTHING:
            answers += self.compute()
        return answers


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
    _, answer = made.compute()
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
    answers = [*made.compute(), *made.compute()]
    assert [(a.blocks, a.windows, a.closed, a.snapshot) for a in answers] == [
        (0, 1, False, None),
        (1, 0, False, None),
        (0, 0, False, None),
        (0, 0, True, None),
    ]
    assert answers[-2].events
    assert made.scheduled.ended
    assert made.scheduled.answers() == []


def test_a_session_that_owes_nothing_says_nothing() -> None:
    scheduled = Made().scheduled
    assert scheduled.answers() == []
    scheduled.ask_snapshot()
    (answer,) = scheduled.answers()
    assert (answer.blocks, answer.closed, bool(answer.snapshot)) == (0, False, True)
    assert scheduled.answers() == []
    scheduled.end()
    scheduled.end()
    assert repr(scheduled) == "<ScheduledSession 7 ENDED, 0 of 0 steps computed>"


@given(st.lists(st.integers(1, 9), max_size=6), st.data())
@settings(max_examples=30, deadline=None)
def test_every_block_is_answered_once(blocks: Sequence[int], data: st.DataObject) -> None:
    made, said = Made(), list[Answer]()
    for frames in blocks:
        made.send(frames)
        while made.waits_for() is Wait.BATCH and data.draw(st.booleans()):
            said += made.compute()
    made.scheduled.close()
    while made.waits_for() is Wait.BATCH:
        said += made.compute()
    said += made.scheduled.answers()
    assert sum(answer.blocks for answer in said) == len(blocks)
    assert sum(answer.windows for answer in said) == sum(blocks) // STRIDE
    assert [answer.closed for answer in said] == [False] * (len(said) - 1) + [True]
    assert np.isfinite(made.scheduled.states).all()


def test_frames_that_come_after_a_snapshot_was_asked_for_are_held_until_it_is_given() -> None:
    made = Made()
    made.send(STRIDE + 1)
    made.scheduled.ask_snapshot()
    made.send(2 * STRIDE)
    made.send(1)
    said = made.compute()
    assert not any(answer.snapshot for answer in said)
    *said, given = made.compute()
    assert given.snapshot
    assert sum(answer.blocks for answer in said) == 1, "the snapshot is of the frames so far"
    assert made.waits_for() is Wait.BATCH
    assert sum(answer.blocks for answer in made.work()) == 2


def test_who_closes_a_session_that_holds_frames_gets_their_answers_and_no_snapshot() -> None:
    made = Made()
    made.send(STRIDE + 1)
    made.scheduled.ask_snapshot()
    made.send(STRIDE)
    made.scheduled.close()
    said = made.work()
    assert sum(answer.blocks for answer in said) == 2
    assert said[-1].closed
    assert not any(answer.snapshot for answer in said)


FRAMES = len(ROWS)
EDITS = st.sampled_from([Rename(1, "wave"), Rename(2, "walk"), Rename(2, ""), Merge((1,), 2), Merge((2,), 1)])
ORDERS = st.lists(st.integers(1, 12) | EDITS | st.sampled_from(["snapshot", "compute"]), max_size=14)


@given(ORDERS, st.lists(st.integers(1, 12), min_size=1))
@settings(max_examples=80, deadline=None)
def test_who_goes_on_from_a_snapshot_tells_the_same_however_frames_and_edits_came(
    orders: Sequence[int | str | Edit], blocks: Sequence[int]
) -> None:
    """Also where frames were waiting when the snapshot was asked for, and edits came in between."""
    made, said = Made(), list[Answer]()
    for order in orders:
        match order:
            case int() if made.sent < FRAMES:
                made.send(order)
            case "snapshot":
                made.scheduled.ask_snapshot()
                said += [] if made.waits_for() is Wait.BATCH else made.scheduled.answers()
            case "compute" if made.waits_for() is not Wait.NOTHING:
                said += made.compute()
            case Rename() | Merge():
                with suppress(ClusterError, UnknownClusterError):  # merged before
                    said.append(made.scheduled.edit(order))
    said += made.work()
    made.scheduled.close()
    said += made.work()
    snapshots = [number for number, answer in enumerate(said) if answer.snapshot]
    for number in snapshots:
        after = said[number + 1 :]
        again = Made(said[number].snapshot, frames_before(made, after), [edit for a in after for edit in a.edits])
        repeated: list[Answer] = []
        for frames in [*blocks, FRAMES]:
            if end := min(frames, made.sent - again.sent):
                again.send(end)
                repeated += again.work()
        again.scheduled.close()
        repeated += again.work()
        assert units(repeated) == units(after)


def frames_before(made: Made, after: Sequence[Answer]) -> int:
    """Those that were computed before some answers: blocks are counted from the end."""
    blocks = sum(answer.blocks for answer in after)
    return made.starts[len(made.starts) - blocks] if blocks else made.sent


def units(answers: Sequence[Answer]) -> list[tuple[Sequence[Event], Sequence[PlacedEdit]]]:
    """Events and edits in their units."""
    return [(list(answer.events), list(answer.edits)) for answer in answers if answer.events or answer.edits]
