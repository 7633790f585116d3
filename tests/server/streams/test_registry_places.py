"""Races for a place in the registry: never more streams than places, and whoever makes room does it once."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_workers import Gate
from tests.support.registry_house import EDIT, begun, house, waits
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.errors import (
    ExhaustedError,
    NotFoundError,
    ServerError,
)


@pytest.mark.parametrize("first", ["a", "b"])
def test_two_that_want_the_last_place_do_not_both_get_it(tmp_path: Path, first: str) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            h.pool.gate.shut()
            gates = {}
            tasks = {}
            for key in ("a", "b"):
                gates[key] = h.pool.gate
                tasks[key] = await begun(h.open(key), h.pool.gate)
                h.pool.gate = Gate()
                h.pool.gate.shut()
            second = {"a": "b", "b": "a"}[first]
            gates[first].open()
            await tasks[first]
            gates[second].open()
            with pytest.raises(ExhaustedError, match="at most 2 live streams"):
                await tasks[second]
            assert h.keys == {"live", first}

    asyncio.run(run())


def test_two_that_want_the_place_of_one_lost_stream_evict_it_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            await h.lost("lost")
            gate = h.new_store_gate()  # both wait for what is stored of them
            tasks = [await begun(h.open(key), gate) for key in ("a", "b")]
            gate.open()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert sorted(isinstance(result, ExhaustedError) for result in results) == [False, True]
            await until(lambda: h.registry.find("lost") is None)
            assert len(h.keys) == 2
            assert "lost" not in h.keys

    asyncio.run(run())


def test_who_gets_the_place_of_a_lost_stream_does_not_wait_for_its_worker(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            token = await h.lost("lost")
            gate = h.gate_of("lost")
            gate.shut()
            await h.open("new")
            await until(lambda: gate.waiting == 1)
            # it goes, and what is done to it waits for that
            resuming = asyncio.create_task(h.open("lost", token))
            with pytest.raises(ExhaustedError):
                await h.open("newer")
            assert await waits(resuming)
            gate.open()
            with pytest.raises(ExhaustedError):
                await resuming
            assert h.keys == {"live", "new"}

    asyncio.run(run())


def test_a_place_is_free_as_soon_as_its_stream_begins_to_go(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            stream, writer, _ = await h.open("ends")
            gate = h.new_store_gate()
            ending = await begun(h.registry.leave(stream, writer, done=True), gate)
            h.let_others_pass()
            await h.open("next")
            gate.open()
            await ending
            assert h.keys == {"live", "next"}

    asyncio.run(run())


@pytest.mark.parametrize("what", ["edited", "resumed", "deleted"])
def test_a_lost_stream_that_is_in_use_is_waited_for(tmp_path: Path, what: str) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            token = await h.lost("lost")
            gate = h.gate_of("lost")
            work: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
                "edited": lambda: h.registry.edit("lost", EDIT),
                "resumed": lambda: h.open("lost", token),
            }
            if what == "deleted":
                gate = h.new_store_gate()
                task = await begun(h.registry.forget("lost"), gate)
                h.let_others_pass()
            else:
                gate.shut()
                task = await begun(work[what](), gate)
            newcomer = asyncio.create_task(h.open("new"))
            if what != "deleted":  # a deleted stream has no place any more
                assert await waits(newcomer)
            gate.open()
            await task
            if what == "resumed":
                with pytest.raises(ExhaustedError):
                    await newcomer
                assert h.keys == {"live", "lost"}
            else:
                await newcomer
                await until(lambda: h.registry.find("lost") is None)
                assert h.keys == {"live", "new"}

    asyncio.run(run())


def test_a_refused_open_evicts_nobody_and_keeps_no_place(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=1) as h:
            token = await h.lost("lost")
            with pytest.raises(NotFoundError):
                await h.registry.edit("nobody", EDIT)
            with pytest.raises(ServerError):
                await h.registry.open(pb.Open(stream_id="new"))
            assert (await h.open("lost", token))[2].resumed
            with pytest.raises(ExhaustedError):
                await h.open("new")
            await h.registry.forget("lost")
            await h.open("new")
            assert h.keys == {"new"}

    asyncio.run(run())
