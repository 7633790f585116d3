"""What goes wrong while the registry opens or resumes a stream leaves no session and no place behind."""

import asyncio
from pathlib import Path

import pytest
from tests.support.registry_house import begun, house, link_of

from motionscribe_server.errors import (
    UnavailableError,
)
from motionscribe_server.storage.sqlite_store import SqliteStore


def test_an_open_that_is_cancelled_leaves_nothing_for_ever(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=1) as h:
            for gate in (h.pool.gate, h.store.gate):
                gate.shut()
                opening = await begun(h.open("a"), gate)
                opening.cancel()
                await asyncio.wait([opening])
                gate.open()
            assert h.keys == set()
            stream, writer, opened = await h.open("a")
            await h.registry.leave(stream, writer, done=False)
            gate = link_of(stream).gate
            gate.shut()
            resuming = await begun(h.open("a", opened.resume_token), gate)
            resuming.cancel()
            await asyncio.wait([resuming])
            gate.open()
            h.now = 100.0
            await h.registry.reap()
            assert h.keys == set()
            await h.open("b")

    asyncio.run(run())


def test_a_store_that_fails_on_the_way_leaves_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=1) as h:
            checkpoints = type(SqliteStore(tmp_path / "other").checkpoints)
            with monkeypatch.context() as patch:
                patch.delattr(checkpoints, "begin")
                with pytest.raises(AttributeError):
                    await h.open("a", durable=True)
            assert h.keys == set()
            await h.open("b", durable=True)

    asyncio.run(run())


def test_a_worker_that_dies_while_a_stream_is_resumed_says_reconnect(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            token = await h.lost("a")
            link = link_of(h.stream("a"))
            link.gate.shut()
            resuming = await begun(h.open("a", token), link.gate)
            link.die()
            link.is_dead = False  # the clusters were on their way
            link.gate.open()
            with pytest.raises(UnavailableError, match="failed while it was opened"):
                await resuming
            assert not (await h.open("a", token))[2].resumed
            assert h.keys == {"a"}

    asyncio.run(run())
