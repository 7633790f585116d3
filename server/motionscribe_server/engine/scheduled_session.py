"""A session between two turns: what it received, what of that is computed, and what it owes.

In: a session's frames and orders, and what the engine made of its steps. Out: whether it waits for a batch, and its
answers. What may follow what is one table, and `_change` the one place that changes the state. It does not decide whose
turn it is: scheduler.py does.
"""

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import save
from motionscribe_server.session.steps import Step


class State(Enum):
    """What a session owes."""

    OPEN = auto()
    """Nothing but the answers to its frames."""
    SNAPSHOT_ASKED = auto()
    """A snapshot, as soon as all its frames are computed."""
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
    (State.OPEN, Change.ASK_SNAPSHOT): State.SNAPSHOT_ASKED,
    (State.OPEN, Change.CLOSE): State.CLOSING,
    (State.OPEN, Change.END): State.ENDED,
    (State.SNAPSHOT_ASKED, Change.ASK_SNAPSHOT): State.SNAPSHOT_ASKED,
    (State.SNAPSHOT_ASKED, Change.GIVE_SNAPSHOT): State.OPEN,
    (State.SNAPSHOT_ASKED, Change.CLOSE): State.CLOSING,
    (State.SNAPSHOT_ASKED, Change.END): State.ENDED,
    (State.CLOSING, Change.ASK_SNAPSHOT): State.CLOSING,
    (State.CLOSING, Change.CLOSE): State.CLOSING,
    (State.CLOSING, Change.END): State.ENDED,
    (State.ENDED, Change.END): State.ENDED,
}
"""The state after each change that can happen."""


class Wait(Enum):
    """What a session waits for."""

    BATCH = auto()
    """The next batch: a window is complete, or it owes something."""
    WINDOW = auto()
    """The rest of its window; after a while the next batch will do."""
    NOTHING = auto()
    """All its frames are computed."""


class ScheduledSession:
    """A session, its encoder states (W, H) and its steps on their way.

    What a `durable` one answers never depends on load: the scheduler spares it.
    """

    def __init__(
        self, id: int, model: str, session: Session, states: NDArray[np.float32], durable: bool = False
    ) -> None:
        self.id = id
        self.model = model
        """Key of its model."""
        self.session = session
        self.states = states
        self.durable = durable
        self.state = State.OPEN
        self.steps: deque[Step] = deque()
        """Those that no batch took so far, of the frames that a batch looked at."""
        self._received = 0  # steps that the frames so far make
        self._computed = 0
        self._windows = 0  # that are complete and not computed
        self._blocks: deque[int] = deque()  # of each block that is not computed, the steps received by its end

    def __repr__(self) -> str:
        return f"<ScheduledSession {self.id} {self.state.name}, {self._computed} of {self._received} steps computed>"

    @property
    def ended(self) -> bool:
        """It takes no orders and gives no answers."""
        return self.state is State.ENDED

    @property
    def waits_for(self) -> Wait:
        """What comes next for it."""
        if self._received == self._computed:
            return Wait.NOTHING
        if self._windows or self.state in (State.SNAPSHOT_ASKED, State.CLOSING):
            return Wait.BATCH
        return Wait.WINDOW

    def receive_frames(self, block: FrameBlock) -> None:
        """Raises what the session raises; it is of no more use then."""
        steps, windows = self.session.receive_frames(block)
        self._received += steps
        self._windows += windows
        self._blocks.append(self._received)

    def ask_snapshot(self) -> None:
        """Some answer brings one."""
        self._change(Change.ASK_SNAPSHOT)

    def close(self) -> None:
        """No frames follow."""
        self._change(Change.CLOSE)

    def end(self) -> None:
        """It failed, or nobody wants its answers."""
        self._change(Change.END)

    def note_computed(self, run: Sequence[Step]) -> None:
        """A batch computed these steps, the oldest that waited."""
        self._computed += len(run)
        self._windows -= sum(step.decode_slot >= 0 for step in run)

    def answer(self, windows: int = 0, events: Sequence[Event] = ()) -> Answer | None:
        """What is to be said after a batch of it made `windows` and `events`, or after an order; None for nothing.

        Raises what closing or saving the session raises.
        """
        if self.ended:
            return None
        blocks = 0
        while self._blocks and self._blocks[0] <= self._computed:
            self._blocks.popleft()
            blocks += 1
        snapshot = None
        if self._received == self._computed:
            if self.state is State.CLOSING:
                events = [*events, *self.session.close()]
                self._change(Change.END)
            elif self.state is State.SNAPSHOT_ASKED:
                snapshot = save(self.session, self.states)
                self._change(Change.GIVE_SNAPSHOT)
        if blocks or windows or events or self.ended or snapshot:
            return Answer(self.id, blocks, windows, events, self.ended, None, snapshot)
        return None

    def _change(self, change: Change) -> None:
        self.state = TRANSITIONS[self.state, change]
