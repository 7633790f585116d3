"""Races for one stream of the registry, and races with the end of the server: each ends right."""

import asyncio
from pathlib import Path

import pytest
from tests.support.registry_house import EDIT, begun, end_of, house, link_of, waits

from motionscribe_server.errors import (
    ForgottenError,
    NotFoundError,
    SupersededError,
    UnavailableError,
)
from motionscribe_server.streams.life import Life

# -- races with the end of the server


def test_a_stream_that_is_opened_while_the_server_drains_is_sent_away_too(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            _, early, _ = await h.open("early")
            h.pool.gate.shut()
            late = await begun(h.open("late"), h.pool.gate)
            queued = asyncio.create_task(h.open("late"))
            await asyncio.sleep(0)
            draining = asyncio.create_task(h.registry.drain())
            assert isinstance(await end_of(early), UnavailableError), "it does not wait for the slow one"
            with pytest.raises(UnavailableError, match="about to stop"):
                await h.open("too-late")
            assert await waits(draining)
            h.pool.gate.open()
            _, writer, _ = await late
            await draining
            assert isinstance(await end_of(writer), UnavailableError)
            with pytest.raises(UnavailableError, match="about to stop"):
                await queued

    asyncio.run(run())


# -- races for one key


def test_a_stream_that_is_deleted_while_it_is_opened_is_gone(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            h.pool.gate.shut()
            opening = await begun(h.open("a", durable=True), h.pool.gate)
            forgetting = asyncio.create_task(h.registry.forget("a"))
            assert await waits(forgetting)
            h.pool.gate.open()
            _, writer, _ = await opening
            await forgetting
            assert isinstance(await end_of(writer), ForgottenError)
            assert h.keys == set()
            with pytest.raises(NotFoundError):
                await h.registry.learnt("a")
            with pytest.raises(NotFoundError):
                await h.registry.forget("a")

    asyncio.run(run())


def test_an_open_that_meets_a_deletion_begins_afresh(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            token = await h.lost("a")
            gate = h.new_store_gate()
            forgetting = await begun(h.registry.forget("a"), gate)
            opening = asyncio.create_task(h.open("a", token))
            assert await waits(opening)
            gate.open()
            await forgetting
            _, _, opened = await opening
            assert not opened.resumed
            assert h.keys == {"a"}

    asyncio.run(run())


def test_an_edit_that_meets_a_deletion_leaves_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, _, _ = await h.open("a")
            gate = link_of(stream).gate
            gate.shut()
            editing = await begun(h.registry.edit("a", EDIT), gate)
            forgetting = asyncio.create_task(h.registry.forget("a"))
            assert await waits(forgetting)
            gate.open()
            assert (await editing).clusters[0].name == "edited"
            await forgetting
            for _ in range(2):  # neither the stream nor the store has it
                with pytest.raises(NotFoundError):
                    await h.registry.edit("a", EDIT)
            assert h.keys == set()

    asyncio.run(run())


def test_a_deleted_stream_saves_nothing_late(tmp_path: Path) -> None:
    """Its clusters are asked for before it is deleted, and come after."""

    async def run() -> None:
        async with house(tmp_path) as h:
            stream, writer, _ = await h.open("a")
            gate = link_of(stream).gate
            gate.shut()
            leaving = await begun(h.registry.leave(stream, writer, done=False), gate)
            await h.registry.forget("a")
            gate.open()
            await leaving
            with pytest.raises(NotFoundError):
                await h.registry.learnt("a")

    asyncio.run(run())


def test_a_stream_is_resumed_or_reaped_and_never_both(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            token = await h.lost("a")
            h.now = 100.0
            gate = h.gate_of("a")
            gate.shut()
            resuming = await begun(h.open("a", token), gate)
            await h.registry.reap()  # the stream is overdue, and somebody is at it
            gate.open()
            stream, writer, opened = await resuming
            assert opened.resumed
            assert stream.life is Life.LIVE
            await h.registry.leave(stream, writer, done=False)
            h.now = 200.0
            gate = h.new_store_gate()
            reaping = await begun(h.registry.reap(), gate)
            late = asyncio.create_task(h.open("a", token))
            assert await waits(late)
            gate.open()
            await reaping
            _, _, opened = await late
            assert not opened.resumed
            assert h.keys == {"a"}

    asyncio.run(run())


def test_a_stream_that_ends_is_not_resumed_on_the_way_out(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, writer, opened = await h.open("a")
            stream.finish()
            assert await end_of(writer) is None
            gate = h.new_store_gate()
            leaving = await begun(h.registry.leave(stream, writer, done=True), gate)
            late = asyncio.create_task(h.open("a", opened.resume_token))
            assert await waits(late)
            gate.open()
            await leaving
            _, _, again = await late
            assert not again.resumed
            assert h.keys == {"a"}

    asyncio.run(run())


def test_of_two_that_resume_a_stream_the_later_one_has_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, first, opened = await h.open("a")
            results = await asyncio.gather(*(h.open("a", opened.resume_token) for _ in range(3)))
            assert [each[2].epoch for each in results] == [2, 3, 4]
            for writer in (first, results[0][1], results[1][1]):
                assert isinstance(await end_of(writer), SupersededError)
                await h.registry.leave(stream, writer, done=False)
            assert stream.owner is results[2][1]
            assert stream.life is Life.LIVE

    asyncio.run(run())
