"""What the pool does, it does for any transport: opens sessions, hands out answers, replaces a worker that died."""

import asyncio

import pytest
from tests.support.in_memory_workers import (
    KEY,
    MODEL,
    NO_CLUSTERS,
    START,
    InMemory,
    opened,
    workers,
)
from tests.support.made_up_session import RATE, Means, motion, recording
from tests.support.waiting import until

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.recordings import even_times
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import ExhaustedError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.clustering import UnknownClusterError
from motionscribe_server.session.edits import Rename
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.workers.pool import Pool

ROWS = motion([(0, 25), (1, 30), (2, 25)])


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
