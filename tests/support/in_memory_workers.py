"""Workers behind another transport than a process: a scheduler in this one stands where the process would."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.made_up_session import Means, made_up_model

from motionscribe_server.engine.codec import Decoder, encode
from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    EngineInfo,
    ForgetSession,
    FromServer,
    FromWorker,
    OpenSession,
    Ping,
    Ready,
    SessionClusters,
    Start,
    StartFailed,
)
from motionscribe_server.engine.scheduler import Scheduler, Served
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.workers.pool import Pool
from motionscribe_server.workers.process import Link
from motionscribe_server.workers.transport import Receiver
from motionscribe_server.workers.watchdog import PING_S

MODEL = made_up_model()
KEY = MODEL.key
INFO = EngineInfo("fp32", "this process", "made up", ())
START = Start(Path("models"), None, (("made-up", "1"),), "auto", (1, 4), 1, "error")
NO_CLUSTERS = SessionClusters(1, ())


class InMemory:
    """A Transport without process and socket; messages go through the codec, as on any wire.

    While it `hangs` it takes nothing that is sent.
    """

    def __init__(self, fails: Exception | None = None, hangs: bool = False) -> None:
        self.alive = False
        self.hangs = hangs
        self.is_killed = False
        self._fails = fails
        self._sent, self._answered = Decoder(FromServer), Decoder(FromWorker)
        self.opened: set[int] = set()
        self.forgotten: set[int] = set()
        self.pings = 0

    async def spawn(self, receiver: Receiver) -> None:
        """See Transport."""
        self._receiver = receiver
        self._scheduler = Scheduler({KEY: Served(MODEL, Means())}, (1, 4), asyncio.get_running_loop().time)
        self.alive = True

    def send(self, messages: Sequence[FromServer]) -> None:
        """See Transport."""
        for message in self._sent.feed(encode(messages)) if self.alive and not self.hangs else ():
            match message:
                case Ask(_, OpenSession(session)):
                    self.opened.add(session)
                case ForgetSession(session):
                    self.forgotten.add(session)
                case Ping():
                    self.pings += 1
            if isinstance(message, Start):
                self._answer([StartFailed(self._fails) if self._fails else Ready(((KEY, INFO),))])
            elif reply := self._scheduler.receive(message):
                self._answer([self._scheduler.collect(), reply])
        while self._scheduler.next_turn_in_s == 0.0:
            self._answer([self._scheduler.turn()])

    def _answer(self, messages: Sequence[FromWorker]) -> None:
        asyncio.get_running_loop().call_soon(self._receiver.receive, self._answered.feed(encode(messages)))

    def close(self) -> None:
        """See Transport."""
        if self.alive:
            self.alive = False
            asyncio.get_running_loop().call_soon(self._receiver.ended)

    def kill(self) -> None:
        """See Transport."""
        self.is_killed = True
        self.close()

    async def wait_closed(self) -> None:
        """See Transport."""
        await asyncio.sleep(0)


@dataclass
class Workers:
    """A pool, and the transports that it made."""

    pool: Pool
    made: list[InMemory] = field(default_factory=list)


@asynccontextmanager
async def workers(size: int = 1, ping_s: float = PING_S) -> AsyncIterator[Workers]:
    """Started ones."""
    made: list[InMemory] = []

    def transport() -> InMemory:
        made.append(InMemory())
        return made[-1]

    pool = Pool(START, size, Metrics(), transport, ping_s)
    assert await pool.start() == {KEY: INFO}
    try:
        yield Workers(pool, made)
    finally:
        await pool.close()


async def opened(pool: Pool) -> tuple[Link, list[Answer]]:
    """A session and its answers."""
    answers: list[Answer] = []
    link = await pool.open(KEY, SessionOptions(), NO_CLUSTERS)
    link.listener = answers.append
    return link, answers
