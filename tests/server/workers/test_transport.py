"""Workers behind another transport than a process: a scheduler in this one stands where the process would.

What the pool does, it does for any transport: opens sessions, hands out answers, replaces a worker that died.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.made_up_session import RATE, Means, made_up_model, motion, recording
from tests.support.waiting import until

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.recordings import even_times
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.codec import Decoder, encode
from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    EngineInfo,
    ForgetSession,
    FromServer,
    FromWorker,
    OpenSession,
    Ready,
    SessionClusters,
    Start,
    StartFailed,
)
from motionscribe_server.engine.scheduler import Scheduler, Served
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import ExhaustedError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.clustering import UnknownClusterError
from motionscribe_server.session.edits import Rename
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.workers.pool import Pool
from motionscribe_server.workers.process import Link
from motionscribe_server.workers.transport import Receiver

MODEL = made_up_model()
KEY = MODEL.key
INFO = EngineInfo("fp32", "this process", "made up", ())
START = Start(Path("models"), None, (("made-up", "1"),), "auto", (1, 4), 1, "error")
NO_CLUSTERS = SessionClusters(1, ())
ROWS = motion([(0, 25), (1, 30), (2, 25)])


class InMemory:
    """A Transport without process and socket; messages go through the codec, as on any wire."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.alive = False
        self._fails = fails
        self._sent, self._answered = Decoder(FromServer), Decoder(FromWorker)
        self.opened: set[int] = set()
        self.forgotten: set[int] = set()

    async def spawn(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._scheduler = Scheduler({KEY: Served(MODEL, Means())}, (1, 4), asyncio.get_running_loop().time)
        self.alive = True

    def send(self, messages: Sequence[FromServer]) -> None:
        for message in self._sent.feed(encode(messages)) if self.alive else ():
            match message:
                case Ask(_, OpenSession(session)):
                    self.opened.add(session)
                case ForgetSession(session):
                    self.forgotten.add(session)
            if isinstance(message, Start):
                self._answer([StartFailed(self._fails) if self._fails else Ready(((KEY, INFO),))])
            elif reply := self._scheduler.receive(message):
                self._answer([self._scheduler.collect(), reply])
        while self._scheduler.next_turn_in_s == 0.0:
            self._answer([self._scheduler.turn()])

    def _answer(self, messages: Sequence[FromWorker]) -> None:
        asyncio.get_running_loop().call_soon(self._receiver.receive, self._answered.feed(encode(messages)))

    def close(self) -> None:
        if self.alive:
            self.alive = False
            asyncio.get_running_loop().call_soon(self._receiver.ended)

    async def wait_closed(self) -> None:
        await asyncio.sleep(0)


@dataclass
class Workers:
    """A pool, and the transports that it made."""

    pool: Pool
    made: list[InMemory] = field(default_factory=list)


@asynccontextmanager
async def workers(size: int = 1) -> AsyncIterator[Workers]:
    """Started ones."""
    made: list[InMemory] = []

    def transport() -> InMemory:
        made.append(InMemory())
        return made[-1]

    pool = Pool(START, size, Metrics(), transport)
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


def test_sessions_are_served_by_whatever_stands_behind_the_transport() -> None:
    async def run() -> None:
        async with workers(2) as served:
            (one, answers), (other, _) = await opened(served.pool), await opened(served.pool)
            assert one.worker is not other.worker
            times = even_times(len(ROWS), RATE)
            for first in range(0, len(ROWS), 7):
                block = FrameBlock(first + 1, ROWS[first : first + 7], times[first : first + 7])
                one.take(CheckedBlock(block))
            one.close()
            await until(lambda: bool(answers) and answers[-1].closed)
            expected = [emitted.event for emitted in replay(MODEL, Means(), recording(ROWS))]
            assert [event for answer in answers for event in answer.events] == expected
            assert [c.name for c in (await other.edit(Rename(1, "wave"))).clusters][:1] == ["wave"]
            with pytest.raises(UnknownClusterError, match="got 99"):
                await other.edit(Rename(99, "x"))
            other.forget()
            one.forget()
            assert not any(worker.links for worker in served.pool.workers)

    asyncio.run(run())


def test_a_dead_worker_takes_its_sessions_with_it_and_another_one_starts() -> None:
    async def run() -> None:
        async with workers() as served:
            link, answers = await opened(served.pool)
            served.made[0].close()
            await until(lambda: len(served.made) == 2 and len(served.pool.workers) == 1)
            assert [type(answer.error) for answer in answers] == [UnavailableError]
            with pytest.raises(UnavailableError, match="worker of this stream is gone"):
                await link.clusters()
            await opened(served.pool)

    asyncio.run(run())


def test_loading_models_starts_new_workers_and_old_ones_finish_their_sessions() -> None:
    async def run() -> None:
        async with workers() as served:
            link, _ = await opened(served.pool)
            (old,) = served.pool.workers
            await served.pool.replace_workers([MODEL])
            assert old not in served.pool.workers
            assert old.transport.alive
            assert (await opened(served.pool))[0].worker is not old
            link.forget()
            assert not old.transport.alive

    asyncio.run(run())


def test_a_worker_that_cannot_start_says_why() -> None:
    async def run() -> None:
        pool = Pool(START, 2, Metrics(), lambda: InMemory(ModelFolderError("expected a model")))
        with pytest.raises(ModelFolderError, match="expected a model"):
            await pool.start()
        assert pool.workers == []

    asyncio.run(run())


def test_an_overloaded_worker_takes_no_new_session() -> None:
    async def run() -> None:
        async with workers() as served:
            served.pool.workers[0].shedding = Shedding.STREAMS
            with pytest.raises(ExhaustedError, match="the server is overloaded: try again later"):
                await opened(served.pool)

    asyncio.run(run())


def test_who_stops_to_wait_for_a_session_leaves_none_in_the_worker() -> None:
    async def run() -> None:
        async with workers() as ours:
            link, _ = await opened(ours.pool)
            asked = asyncio.create_task(ours.pool.open(KEY, SessionOptions(), NO_CLUSTERS))
            await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            await link.clusters()  # whatever was sent before has arrived
            (worker,) = ours.pool.workers
            assert list(worker.links) == [link.id]
            assert len(ours.made[0].opened - ours.made[0].forgotten) == 1

    asyncio.run(run())
