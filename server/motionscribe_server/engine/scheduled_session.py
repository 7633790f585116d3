"""A session between two turns: what it received, what of that is computed, and what it owes.

In: a session's frames and orders, and what the engine made of its steps. Out: whether it waits for a batch, and its
answers. What may follow what is one table, and `_change` the one place that changes the phase. It does not decide whose
turn it is: scheduler.py does. A block of thousands of frames is handed to the session piece by piece, so that no turn
pays for all of it.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from motionscribe_proto.events import Event
from motionscribe_server.engine.batching import MOST_STEPS, take
from motionscribe_server.engine.messages import Answer
from motionscribe_server.session.edits import Edit, PlacedEdit
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import save
from motionscribe_server.session.steps import Step

PIECE = 32
"""Frames that the session is given at a time. Each may follow a gap, which costs far more than a frame."""


class Phase(Enum):
    """What a session owes."""

    OPEN = auto()
    """Nothing but the answers to its frames."""
    SNAPSHOT_ASKED = auto()
    """A snapshot, as soon as its frames so far are computed; those that come meanwhile are held until then."""
    CLOSING = auto()
    """Its last answer, as soon as all its frames are computed; it brings no snapshot."""
    ENDED = auto()
    """Nothing: it was closed, failed or was forgotten."""


class Change(Enum):
    """What makes it owe something else."""

    ASK_SNAPSHOT = auto()
    GIVE_SNAPSHOT = auto()
    CLOSE = auto()
    END = auto()
    """It gave its last answer, or there will be none."""


TRANSITIONS = {
    (Phase.OPEN, Change.ASK_SNAPSHOT): Phase.SNAPSHOT_ASKED,
    (Phase.OPEN, Change.CLOSE): Phase.CLOSING,
    (Phase.OPEN, Change.END): Phase.ENDED,
    (Phase.SNAPSHOT_ASKED, Change.ASK_SNAPSHOT): Phase.SNAPSHOT_ASKED,
    (Phase.SNAPSHOT_ASKED, Change.GIVE_SNAPSHOT): Phase.OPEN,
    (Phase.SNAPSHOT_ASKED, Change.CLOSE): Phase.CLOSING,
    (Phase.SNAPSHOT_ASKED, Change.END): Phase.ENDED,
    (Phase.CLOSING, Change.ASK_SNAPSHOT): Phase.CLOSING,
    (Phase.CLOSING, Change.CLOSE): Phase.CLOSING,
    (Phase.CLOSING, Change.END): Phase.ENDED,
    (Phase.ENDED, Change.END): Phase.ENDED,
}
"""The phase after each change that can happen."""


class Wait(Enum):
    """What a session waits for."""

    BATCH = auto()
    """The next batch: a window is complete, or it owes something."""
    WINDOW = auto()
    """The rest of its window; after a while the next batch will do."""
    REST = auto()
    """A turn of its own after a short rest: gap follows gap, and each has events without end."""
    NOTHING = auto()
    """All its frames are computed."""


class ScheduledSession:
    """A session, its encoder states (W, H) and its steps on their way.

    What a `durable` one answers never depends on load: the scheduler spares it.
    """

    def __init__(
        self,
        id: int,
        model: str,
        session: Session,
        states: NDArray[np.float32],
        durable: bool = False,
        edits: Sequence[PlacedEdit] = (),
    ) -> None:
        """`edits` are made again at their places."""
        self.id = id
        self.model = model
        """Key of its model."""
        self.session = session
        self.states = states
        self.durable = durable
        self._phase = Phase.OPEN
        self._unread: deque[CheckedBlock] = deque()  # the session has not received them yet
        self._steps: deque[Step] = deque()  # of the frames that a batch looked at, those not taken yet
        # steps that one turn can take: two windows, or the shortest pieces between gaps
        self._enough = max(MOST_STEPS, 2 * session.model.manifest.stride)
        self._received = 0  # steps that the frames make which the session received
        self._computed = 0
        self._windows = 0  # that are complete and not computed
        self._blocks: deque[int] = deque()  # of each received block that is not computed, the steps by its end
        self._held: deque[CheckedBlock] = deque()  # came after a snapshot was asked for
        self._repeated = deque(edits)
        self._unsaid: list[Answer] = []  # edits that were made again

    def __repr__(self) -> str:
        return f"<ScheduledSession {self.id} {self._phase.name}, {self._computed} of {self._received} steps computed>"

    @property
    def phase(self) -> Phase:
        """What it owes."""
        return self._phase

    @property
    def ended(self) -> bool:
        """It takes no orders and gives no answers."""
        return self._phase is Phase.ENDED

    @property
    def waits_for(self) -> Wait:
        """What comes next for it."""
        if self._received == self._computed:
            return Wait.NOTHING  # and nothing is unread
        if self._unread and not self._windows:
            return Wait.REST
        if self._windows or self._phase in (Phase.SNAPSHOT_ASKED, Phase.CLOSING):
            return Wait.BATCH
        return Wait.WINDOW

    def receive_frames(self, block: CheckedBlock) -> None:
        """Raises what the session raises; it is of no more use then."""
        (self._held if self._phase is Phase.SNAPSHOT_ASKED else self._unread).append(block)
        self._read()

    def ask_snapshot(self) -> None:
        """Some answer brings one."""
        self._change(Change.ASK_SNAPSHOT)

    def close(self) -> None:
        """No frames follow. Raises what the session raises."""
        self._change(Change.CLOSE)
        self._release()

    def edit(self, edit: Edit) -> Answer:
        """What is to be said of it; even of a session that has ended. Raises what `edit` raises."""
        events = edit.apply(self.session)
        place = self.session.answered + self.ended
        return Answer(self.id, events=events, edits=[PlacedEdit(place, edit)])

    def repeat_edits(self) -> None:
        """Makes again those whose place has come; the next answers tell of them. Raises what they raise."""
        while self._repeated and self._repeated[0].place <= self.session.answered:
            self._unsaid.append(self.edit(self._repeated.popleft().edit))

    def end(self) -> None:
        """It failed, or nobody wants its answers."""
        self._change(Change.END)

    def take_run(self, arrived: Sequence[Step], windows: int) -> list[Step]:
        """The steps of a batch: the oldest, up to its `windows`-th window. `arrived` are those of the newest frames.

        None goes past the place of an edit that is made again.
        """
        self._steps += arrived
        most = self._repeated[0].place - self.session.answered if self._repeated else None
        return take(self._steps, windows, most)

    def note_computed(self, run: Sequence[Step]) -> None:
        """The steps that were taken last are computed. Raises what the session raises."""
        self._computed += len(run)
        self._windows -= sum(step.decode_slot >= 0 for step in run)
        self._read()

    def answers(self, windows: int = 0, events: Sequence[Event] = ()) -> list[Answer]:
        """What is to be said after a batch of it made `windows` and `events`, or after an order.

        Raises what closing or saving the session raises.
        """
        if self.ended:
            return []
        answers, self._unsaid = self._unsaid, []
        blocks = 0
        while self._blocks and self._blocks[0] <= self._computed:
            self._blocks.popleft()
            blocks += 1
        if blocks or windows or events:
            answers.append(Answer(self.id, blocks, windows, events))
        if self._received == self._computed:
            self.repeat_edits()
            answers, self._unsaid = [*answers, *self._unsaid], []
            if self._phase is Phase.CLOSING:
                answers.append(Answer(self.id, events=self.session.close()))
                self._change(Change.END)
                # those that were made after the end, or after frames that did not come again
                answers += [self.edit(placed.edit) for placed in self._repeated]
                answers.append(Answer(self.id, closed=True))
            elif self._phase is Phase.SNAPSHOT_ASKED:
                answers.append(Answer(self.id, snapshot=save(self.session, self.states)))
                self._change(Change.GIVE_SNAPSHOT)
                self._release()
        return answers

    def _release(self) -> None:
        """The session may take the frames that were held."""
        self._unread += self._held
        self._held.clear()
        self._read()

    def _read(self) -> None:
        """Hands frames to the session until there are steps enough for a turn."""
        while self._unread and self._received - self._computed < self._enough:
            block = self._unread.popleft()
            # frames that were checked with their block
            steps, windows = self.session.receive_checked(CheckedBlock(block.rows(0, PIECE)))
            self._received += steps
            self._windows += windows
            if len(block) > PIECE:
                self._unread.appendleft(CheckedBlock(block.rows(PIECE, len(block))))
            else:
                self._blocks.append(self._received)

    def _change(self, change: Change) -> None:
        self._phase = TRANSITIONS[self._phase, change]
