"""Clients and disks that mean harm, or are broken: each has its stated outcome, and the others never notice."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tests.support.caller import Caller
from tests.support.raw_client import RawClient
from tests.support.serving import Served, alone, final, motion, serving
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import SegmentationStub
from motionscribe_server import server
from motionscribe_server.errors import StoreError
from motionscribe_server.session.options import SessionOptions

Code = grpc.StatusCode


async def well(served: Served, stream_id: str = "well") -> None:
    """A stream of somebody else is answered as if alone."""
    recording = motion(served.skeleton, 4)
    caller = await served.opened(stream_id, provisional=False)
    await caller.send(recording)
    expected = final(alone(served, recording, SessionOptions(provisional=False)))
    assert final(await caller.finish()) == expected


def test_a_message_that_is_small_until_it_is_unpacked(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            call = SegmentationStub(served.channel).Stream(compression=grpc.Compression.Gzip)
            caller = Caller(call, served.skeleton)
            with pytest.raises(grpc.aio.AioRpcError):
                await caller.open("bomb")
            # nothing is unpacked, so nobody unpacks gigabytes; on a busy machine the reset overtakes gRPC's own answer
            assert await call.code() in (Code.UNIMPLEMENTED, Code.INTERNAL)
            await well(served)

    asyncio.run(run())


def test_a_reader_that_froze_is_sent_away_and_resumes_where_it_was(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"idle_timeout_s": 2}) as served:
            recording = motion(served.skeleton, 40)
            frozen = await served.opened("frozen")
            with contextlib.suppress(grpc.aio.AioRpcError):  # sent away before all is sent
                await frozen.send(recording, 0, 4096)  # all credits, and not one answer is read
            stream = served.stream("frozen")
            await asyncio.gather(well(served), until(lambda: stream.owner is None))
            frozen.call.cancel()
            again = await served.opened("frozen", resume_token=frozen.opened.resume_token)
            assert again.opened.resumed
            await again.send(recording, again.opened.next_seq - 1)
            expected = final(alone(served, recording, SessionOptions()))
            assert final(await again.finish()) == expected

    asyncio.run(run())


def test_clients_that_read_nothing_at_all_lose_their_places(tiny_model: Path, tmp_path: Path) -> None:
    limits = {"idle_timeout_s": 0.5, "resume_within_s": 0.5, "max_streams": 20}

    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits=limits) as served:
            registry = served.server.registry
            with await asyncio.to_thread(RawClient, served.server.port, 0) as frozen:
                for number in range(20):
                    request = served.open_request(f"frozen-{number}").SerializeToString()
                    await asyncio.to_thread(frozen.call, "/motionscribe.v1.Segmentation/Stream", request)
                await until(lambda: any(stream.owner for stream in registry.streams))
                await until(lambda: not registry.streams)
                assert not frozen.closed
                await well(served)

    asyncio.run(run())


def test_a_client_that_stands_still_is_noticed(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PING_AFTER_MS", 1000)
    monkeypatch.setattr(server, "PING_TIMEOUT_MS", 500)

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            with await asyncio.to_thread(RawClient, served.server.port) as client:
                request = served.open_request("still").SerializeToString()
                await asyncio.to_thread(client.call, "/motionscribe.v1.Segmentation/Stream", request)
                await until(lambda: served.server.registry.find("still") is not None)
                client.is_frozen = True
                await served.lost("still")
                await until(lambda: client.closed)

    asyncio.run(run())


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Until nothing more fits."""
    path = disk / "filling"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return path
    raise AssertionError("unreachable: a write that is refused raises")


def test_a_full_disk_pauses_durable_streams_and_no_others(tiny_model: Path, tmp_path: Path, tiny_disk: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, storage={"location": tiny_disk / "store.sqlite"}) as served:
            recording = motion(served.skeleton, 8)
            durable = await served.opened("durable", delivery=pb.DELIVERY_DURABLE, provisional=False)
            await durable.send(recording, 0, 300)
            filling = fill(tiny_disk)
            await durable.send(recording, 300)
            code, message = await durable.failure()
            assert (code, "store cannot be written" in message) == (Code.UNAVAILABLE, True)
            await well(served)
            filling.unlink()
            again = await served.opened(
                "durable",
                delivery=pb.DELIVERY_DURABLE,
                provisional=False,
                resume_token=durable.opened.resume_token,
                last_event=max(durable.numbers, default=0),
            )
            assert again.opened.resumed
            await again.send(recording, again.opened.next_seq - 1)
            told = final(durable.events) + final(await again.finish())
            assert told == final(alone(served, recording, SessionOptions(provisional=False)))

    asyncio.run(run())


def test_a_store_on_a_disk_that_is_read_only_stops_the_start(tiny_model: Path, tmp_path: Path, tiny_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)

    async def run() -> None:
        with pytest.raises(StoreError, match="expected a file that can be opened"):
            async with serving(tiny_model, tmp_path, storage={"location": tiny_disk / "store.sqlite"}):
                raise AssertionError("unreachable: it does not start")

    asyncio.run(run())


def test_a_clock_that_jumps_changes_nothing(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, jump = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + jump[0])

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 6)
            for delivery in (pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE):
                caller = await served.opened(f"s{delivery}", delivery=delivery, provisional=False)
                for start in range(0, len(recording.frames), 180):
                    jump[0] = float(np.random.default_rng(start).uniform(-1e9, 1e9))
                    await caller.send(recording, start, min(start + 180, len(recording.frames)))
                    registry = served.server.registry
                    for work in (registry.reap, registry.expire, registry.renew):
                        await work()
                expected: Any = final(alone(served, recording, SessionOptions(provisional=False)))
                assert final(await caller.finish()) == expected

    asyncio.run(run())
