"""A scheduler of made-up sessions: orders in, answers out, on a clock that the test turns."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.made_up_session import RATE, Means, made_up_model, recording

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer, Ask, OpenSession, SessionClusters, TakeFrames, Turn
from motionscribe_server.engine.scheduler import Scheduler, Served
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

MODEL = made_up_model()
SCRIPT = [(0, 25), (1, 30), (2, 25), (0, 30)]


class Engine(Means):
    """Remembers how many steps of whom were computed together; fails on demand."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.fails = False

    def advance(self, states: Any, runs: Any) -> Any:
        self.batches.append([len(run) for run in runs])
        if self.fails:
            raise RuntimeError("out of memory")
        return super().advance(states, runs)


@dataclass
class Desk:
    """Orders in, answers out."""

    engine: Engine = field(default_factory=Engine)
    time: float = 0.0
    answers: list[Answer] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler({"m/1": Served(MODEL, self.engine)}, (1, 4, 16), lambda: self.time)
        self.numbers = count(1)

    def ask(self, request: Any) -> Any:
        reply = self.scheduler.receive(Ask(next(self.numbers), request))
        assert reply is not None
        return reply.value

    def open(self, *sessions: int) -> None:
        for session in sessions:
            assert isinstance(
                self.ask(OpenSession(session, "m/1", SessionOptions(), SessionClusters(1, ()))), SessionClusters
            )

    def send(self, session: int, frames: Any, first: int, beyond: int) -> None:
        """Frames [first, beyond)."""
        times = even_times(len(frames), RATE)
        block = CheckedBlock(FrameBlock(first + 1, frames[first:beyond], times[first:beyond]))
        assert self.scheduler.receive(TakeFrames(session, block)) is None

    def turn(self) -> Turn:
        turn = self.scheduler.turn()
        self.turns.append(turn)
        self.answers += turn.answers
        return turn

    def work(self) -> None:
        """Turns until there is nothing to do."""
        while self.scheduler.next_turn_in_s == 0.0:
            self.turn()

    def events(self, session: int) -> list[Event]:
        return [event for answer in self.answers if answer.session == session for event in answer.events]


def alone(frames: Any) -> list[Event]:
    """What a session says of frames without any scheduler."""
    return [emitted.event for emitted in replay(MODEL, Means(), recording(frames))]
