"""Calls that are cancelled at any moment: what they had begun with the store is done as a whole."""

import asyncio
from pathlib import Path

import pytest
from tests.support.registry_house import EDIT, begun, house, waits

from motionscribe_server.streams.to_the_end import to_the_end


@pytest.mark.parametrize("durable", [False, True])
def test_an_edit_that_is_cancelled_while_it_is_written_spoils_nothing(tmp_path: Path, durable: bool) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, _, _ = await h.open("a", durable=durable)
            gate = h.new_store_gate()
            editing = await begun(h.registry.edit("a", EDIT), gate)
            editing.cancel()
            assert await waits(editing), "it is cancelled once it is written"
            gate.open()
            with pytest.raises(asyncio.CancelledError):
                await editing
            assert (await h.registry.edit("a", EDIT)).clusters[0].name == "edited"
            await stream.persist()

    asyncio.run(run())


def test_work_is_done_to_its_end_and_its_result_told() -> None:
    async def run() -> None:
        done: list[int] = []

        async def work() -> int:
            for number in range(3):
                await asyncio.sleep(0.001)
                done.append(number)
            return 7

        assert await to_the_end(work()) == 7
        task = asyncio.create_task(to_the_end(work()))
        await asyncio.sleep(0)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == [0, 1, 2, 0, 1, 2]

    asyncio.run(run())


def test_what_fails_after_nobody_waits_any_more_is_no_unheard_error() -> None:
    async def run() -> None:
        async def fail() -> None:
            await asyncio.sleep(0.001)
            raise ValueError("nobody hears this")

        with pytest.raises(ValueError, match="nobody hears"):
            await to_the_end(fail())
        task = asyncio.create_task(to_the_end(fail()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
