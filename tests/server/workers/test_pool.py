"""Which workers a pool has, whenever one of them ends."""

import asyncio

from tests.support.in_memory_workers import INFO, KEY, START, InMemory, opened
from tests.support.waiting import until

from motionscribe_server.engine.messages import FromServer, Start
from motionscribe_server.metrics import Metrics
from motionscribe_server.workers.pool import Pool


class Loading(InMemory):
    """Loads its models as long as its gate is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    def send(self, messages: list[FromServer]) -> None:  # type: ignore[override]  # nobody sends others
        """See Transport."""
        if any(isinstance(message, Start) for message in messages):
            self._loading = asyncio.create_task(self._load(messages))
        else:
            super().send(messages)

    async def _load(self, messages: list[FromServer]) -> None:
        await self.gate.wait()
        super().send(messages)


def test_a_worker_that_ends_while_others_load_is_replaced() -> None:
    async def run() -> None:
        slow, made = Loading(), list[InMemory]()

        def transport() -> InMemory:
            made.append(InMemory() if len(made) != 1 else slow)
            return made[-1]

        pool = Pool(START, 2, Metrics(), transport)
        starting = asyncio.create_task(pool.start())
        await until(lambda: len(made) == 2 and made[0].alive)
        await asyncio.sleep(0.01)  # it is ready by now
        made[0].close()
        await asyncio.sleep(0.01)
        slow.gate.set()
        assert await starting == {KEY: INFO}
        await until(lambda: len(pool.workers) == 2)
        assert all(worker.transport.alive for worker in pool.workers)
        for _ in range(4):
            link, _ = await opened(pool)
            assert link.worker.transport.alive
        await pool.close()

    asyncio.run(run())
