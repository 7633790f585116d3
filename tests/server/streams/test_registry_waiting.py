"""What the registry does to one stream holds up no other: nobody waits for another stream's store or worker."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_workers import Gate
from tests.support.registry_house import EDIT, House, begun, house, link_of, waits
from tests.support.waiting import until

from motionscribe_server.errors import (
    InUseError,
)
from motionscribe_server.streams import registry


async def everything_works(house: House, key: str) -> None:
    """Open, resume, edit, read, leave, delete."""
    stream, writer, opened = await house.open(key)
    assert (await house.registry.edit(key, EDIT)).clusters[0].name == "edited"
    await house.registry.leave(stream, writer, done=False)
    stream, writer, again = await house.open(key, opened.resume_token)
    assert again.resumed
    await house.registry.leave(stream, writer, done=True)
    assert (await house.registry.edit(key, EDIT)).clusters[0].name == "edited"
    await house.registry.forget(key)


def test_a_worker_that_is_slow_for_one_stream_holds_up_no_other(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, _, _ = await h.open("slow")
            gate = link_of(stream).gate
            gate.shut()
            slow = await begun(h.registry.edit("slow", EDIT), gate)
            await everything_works(h, "other")
            await h.registry.reap()
            assert await waits(slow)
            gate.open()
            assert (await slow).clusters[0].name == "edited"

    asyncio.run(run())


def test_a_worker_that_is_slow_for_a_stream_that_goes_holds_up_no_reaping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ROUND_S", 0.01)

    async def run() -> None:
        async with house(tmp_path) as h:
            await h.lost("slow")
            await h.lost("other")
            gate = h.gate_of("slow")
            gate.shut()
            h.now = 1000.0
            for _ in range(3):
                await h.registry.reap()
            await until(lambda: h.registry.find("other") is None)
            assert gate.waiting == 1
            gate.open()
            await until(lambda: h.registry.find("slow") is None)
            assert h.keys == set()

    asyncio.run(run())


def test_a_session_that_is_slow_to_begin_holds_up_no_other(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            h.pool.gate.shut()
            gate, slow = h.pool.gate, await begun(h.open("slow"), h.pool.gate)
            h.pool.gate = Gate()
            await everything_works(h, "other")
            assert await waits(slow)
            gate.open()
            await slow
            assert h.keys == {"slow"}

    asyncio.run(run())


@pytest.mark.parametrize("what", ["open", "edit", "forget", "leave"])
def test_a_store_call_that_is_slow_for_one_stream_holds_up_no_other(tmp_path: Path, what: str) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, writer, _ = await h.open("slow")
            if what == "open":
                await h.registry.leave(stream, writer, done=True)
            gate = h.new_store_gate()
            work: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
                "open": lambda: h.open("slow"),
                "edit": lambda: h.registry.edit("slow", EDIT),
                "forget": lambda: h.registry.forget("slow"),
                "leave": lambda: h.registry.leave(stream, writer, done=True),
            }
            slow = await begun(work[what](), gate)
            h.let_others_pass()
            await everything_works(h, "other")
            same_key = asyncio.create_task(h.open("slow", "no token"))
            assert await waits(slow)
            assert await waits(same_key), "what is done to one stream happens in turn"
            gate.open()
            await slow
            if what in ("open", "edit"):
                with pytest.raises(InUseError):
                    await same_key
            else:
                await same_key
            assert h.keys == {"slow"}

    asyncio.run(run())
