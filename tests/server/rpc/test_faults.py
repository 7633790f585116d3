"""Workers that die and stores that fail under a real server: streams end only where they must."""

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.serving import alone, final, motion, process_of, serving
from tests.support.waiting import PATIENCE_S, until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterNamed
from motionscribe_server.errors import StoreError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.workers.pool import Pool


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


def test_a_worker_that_is_stopped_holds_up_nobody_and_is_replaced(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motionscribe_server.server.Pool", partial(Pool, ping_s=0.5))

    async def run() -> None:
        async with serving(tiny_model, tmp_path, server={"workers": 2}) as served:
            recording = motion(served.skeleton, 6)
            lost = await served.opened("lab", delivery=pb.DELIVERY_DURABLE)
            other = await served.opened("gym")
            await lost.send(recording)
            await other.send(recording, 0, 60, block=60)
            stopped = process_of(served.stream("lab").link.worker)
            assert stopped is not process_of(served.stream("gym").link.worker)
            stopped.send_signal(signal.SIGSTOP)
            # no worker has fewer streams than the one that is stopped
            opens = asyncio.gather(*(served.opened(f"new-{number}") for number in range(6)))
            renamed = await served.clusters.RenameCluster(pb.RenameClusterRequest(stream_id="gym", id=1, name="wave"))
            assert renamed.name == "wave"
            assert all(caller.opened.resume_token for caller in await opens)
            await other.send(recording, 60)
            told = [event for event in await other.finish() if not isinstance(event, ClusterNamed)]
            assert told == alone(served, recording, SessionOptions(provisional=False))
            code, message = await lost.failure()
            assert code == grpc.StatusCode.UNAVAILABLE
            assert "reconnect" in message
            await until(lambda: stopped.returncode == -signal.SIGKILL and len(served.server.pool.workers) == 2)
            token, last_event = lost.opened.resume_token, (lost.numbers or [0])[-1]
            again = await served.opened("lab", delivery=pb.DELIVERY_DURABLE, resume_token=token, last_event=last_event)
            assert again.opened.resumed
            await again.send(recording, again.opened.next_seq - 1)
            heard = lost.events + await again.finish()
            assert final(heard) == final(alone(served, recording, SessionOptions(provisional=False)))

    asyncio.run(run())


def test_a_server_drains_though_a_worker_is_stopped(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motionscribe_server.server.Pool", partial(Pool, ping_s=0.5))

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened("lab", delivery=pb.DELIVERY_DURABLE)
            await caller.send(motion(served.skeleton, 2))
            stopped = process_of(served.stream("lab").link.worker)
            stopped.send_signal(signal.SIGSTOP)
            async with asyncio.timeout(PATIENCE_S):
                await served.stop()
            assert stopped.wait(PATIENCE_S) == -signal.SIGKILL

    asyncio.run(run())
