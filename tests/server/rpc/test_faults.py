"""Workers that die and stores that fail under a real server: streams end only where they must."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.serving import alone, motion, process_of, serving
from tests.support.waiting import until

from motionscribe_server.errors import StoreError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.storage.sqlite_store import SqliteStore


def test_a_worker_that_dies_ends_its_streams_and_no_others_and_another_one_starts(
    tiny_model: Path, tmp_path: Path
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, server={"workers": 2}) as served:
            recording = motion(served.skeleton, 2)
            caller, other = await served.opened("lab"), await served.opened("gym")
            await caller.send(recording, 0, 60, block=60)
            await other.send(recording, 0, 60, block=60)
            await served.computed(60)
            process_of(served.server.registry.live("lab").link.worker).kill()
            code, message = await caller.failure()
            assert code == grpc.StatusCode.UNAVAILABLE
            assert "the worker of this stream is gone" in message
            await other.send(recording, 60)
            expected = alone(served, recording, SessionOptions(provisional=False))
            assert await other.finish() == expected
            again = await served.opened("lab", resume_token=caller.opened.resume_token)
            assert not again.opened.resumed
            await again.send(recording)
            assert await again.finish() == expected
            await until(lambda: len(served.server.pool.workers) == 2)

    asyncio.run(run())


def test_no_stream_opens_while_there_is_no_worker(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened("lab")
            process_of(served.server.registry.live("lab").link.worker).kill()
            await caller.failure()
            refused = served.call()
            with pytest.raises(grpc.aio.AioRpcError, match="no worker is running") as caught:
                await refused.open("gym")
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
            await until(lambda: len(served.server.pool.workers) == 1)
            await served.opened("gym")

    asyncio.run(run())


def test_a_store_that_fails_ends_no_stream(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 6)
            caller = await served.opened()
            await caller.send(recording)
            assert await caller.finish() == alone(served, recording, SessionOptions(provisional=False))
            assert served.counted("motionscribe_store_failures_total") > 0

    def save(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(SqliteStore, "save", save)
    asyncio.run(run())
