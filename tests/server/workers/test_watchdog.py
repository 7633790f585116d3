"""A worker that does not answer is killed and replaced, and nobody who does not need it waits for it."""

import asyncio
from pathlib import Path

import pytest
from tests.support.in_memory_workers import INFO, START, InMemory, opened, workers
from tests.support.waiting import until

from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import Rename
from motionscribe_server.workers import process
from motionscribe_server.workers.pool import Pool
from motionscribe_server.workers.watchdog import HUNG_AFTER, PING_S, SILENT_AFTER, Watchdog

ROOT = Path(__file__).parents[3]
OFTEN_S = 0.01
"""Between two pings: tests do not wait long."""


def test_unanswered_pings_are_counted_since_the_worker_last_said_something() -> None:
    watchdog = Watchdog()
    for _ in range(100):
        watchdog.ping()
        assert not watchdog.is_silent
        watchdog.hear()
    said = []
    for _ in range(HUNG_AFTER + 1):
        watchdog.ping()
        said.append((watchdog.is_silent, watchdog.is_hung))
    # the ping that just left is not unanswered yet
    assert said.index((True, False)) == SILENT_AFTER
    assert said.index((True, True)) == HUNG_AFTER
    watchdog.hear()
    assert not watchdog.is_silent
    assert not watchdog.is_hung


def test_a_hung_worker_is_killed_with_its_sessions_and_another_one_starts() -> None:
    async def run() -> None:
        async with workers(2, OFTEN_S) as served:
            (lost, answers), (other, others) = await opened(served.pool), await opened(served.pool)
            served.made[0].hangs = True
            edited = asyncio.create_task(lost.edit(Rename(1, "wave")))
            listed = asyncio.create_task(lost.clusters())
            assert (await other.edit(Rename(1, "kick"))).clusters[0].name == "kick"
            for question in (edited, listed):
                with pytest.raises(UnavailableError, match="the worker of this stream is gone"):
                    await question
            assert served.made[0].is_killed
            assert [type(answer.error) for answer in answers] == [UnavailableError]
            await until(lambda: len(served.pool.workers) == 2)
            assert len(served.made) == 3
            assert [(answer.error, answer.edits[0].edit) for answer in others] == [(None, Rename(1, "kick"))]
            await other.clusters()

    asyncio.run(run())


def test_workers_that_answer_are_left_alone() -> None:
    async def run() -> None:
        async with workers(2, OFTEN_S) as served:
            await until(lambda: min(made.pings for made in served.made) > 10 * HUNG_AFTER)
            assert not any(made.is_killed for made in served.made)
            assert len(served.made) == 2

    asyncio.run(run())


def test_a_session_that_a_hung_worker_should_begin_begins_in_another() -> None:
    async def run() -> None:
        async with workers(2, OFTEN_S) as served:
            served.made[0].hangs = True
            links = [(await opened(served.pool))[0] for _ in range(4)]
            assert {link.worker.transport for link in links} == {served.made[1]}
            assert links[0].worker.links.keys() == {link.id for link in links}

    asyncio.run(run())


def test_where_every_worker_is_silent_a_session_is_refused_and_not_held_up() -> None:
    async def run() -> None:
        async with workers(1, OFTEN_S) as served:
            served.made[0].hangs = True
            with pytest.raises(UnavailableError, match="the worker does not answer: try again"):
                await opened(served.pool)
            await until(lambda: len(served.made) == 2 and len(served.pool.workers) == 1)
            await opened(served.pool)

    asyncio.run(run())


def test_a_worker_that_answers_pings_has_so_long_to_reply() -> None:
    async def run() -> None:
        async with workers() as served:
            link, _ = await opened(served.pool)
            (worker,) = served.pool.workers
            patience_s, worker.reply_s = worker.reply_s, OFTEN_S
            served.made[0].hangs = True
            with pytest.raises(UnavailableError, match="expected a worker that replies within"):
                await link.clusters()
            served.made[0].hangs = False
            worker.reply_s = patience_s
            assert (await link.clusters()).clusters

    asyncio.run(run())


def test_a_worker_that_hangs_while_it_loads_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        monkeypatch.setattr(process, "START_S", OFTEN_S)
        made = InMemory(hangs=True)
        with pytest.raises(UnavailableError, match="expected a worker that loads its models within"):
            await Pool(START, 1, Metrics(), lambda: made).start()
        assert made.is_killed

    asyncio.run(run())


def test_loading_takes_longer_than_a_ping() -> None:
    async def run() -> None:
        made = InMemory(hangs=True)
        pool = Pool(START, 1, Metrics(), lambda: made, OFTEN_S)
        starting = asyncio.create_task(pool.start())
        await asyncio.wait({starting}, timeout=2 * HUNG_AFTER * OFTEN_S)
        assert not starting.done()
        assert not made.is_killed
        made.hangs = False
        made.send([START])
        assert list((await starting).values()) == [INFO]
        await pool.close()

    asyncio.run(run())


def test_the_shedding_level_falls_when_the_streams_that_raised_it_are_gone() -> None:
    async def run() -> None:
        async with workers(1, OFTEN_S) as served:
            (worker,) = served.pool.workers
            worker.shedding = Shedding.STREAMS
            await until(lambda: worker.shedding == Shedding.NOTHING)
            await opened(served.pool)

    asyncio.run(run())


def test_a_session_begins_where_there_is_time_for_it() -> None:
    async def run() -> None:
        async with workers(2) as served:
            served.pool.workers[0].shedding = Shedding.STREAMS
            links = [(await opened(served.pool))[0] for _ in range(2)]
            assert {link.worker for link in links} == {served.pool.workers[1]}

    asyncio.run(run())


@pytest.mark.parametrize("document", ["docs/3-serving.md", "SECURITY.md"])
def test_the_documents_say_how_long_a_worker_may_be_silent(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    assert f"not answered for {HUNG_AFTER * PING_S:g} s" in text
    assert f"after {SILENT_AFTER * PING_S:g} s, new streams" in text or document == "SECURITY.md"
