"""Segmentation.ListStreams on a real server: what is there, who feeds it, how far it is. Tenants: test_tenants.py."""

import asyncio
from pathlib import Path

import numpy as np
from tests.support.serving import Served, motion, serving

from motionscribe import AsyncClient, StreamInfo
from motionscribe_proto import segmentation_pb2 as pb


async def listed(served: Served) -> list[StreamInfo]:
    async with AsyncClient(f"127.0.0.1:{served.server.port}") as client:
        return await client.streams()


def test_streams_are_listed_from_their_opening_to_their_end(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            assert await listed(served) == []
            recording = motion(served.skeleton, 3)
            fed = await served.opened("fed", rate_hz=60.0)
            await fed.send(recording, 0, 90)
            await served.computed(90, "fed")
            ended, _alone = await served.opened("ended"), await served.opened("early")
            lost = await served.opened("lost")
            await ended.finish()
            lost.call.cancel()
            await served.lost("lost")
            rate_hz, model = served.skeleton.rate_hz, served.model.manifest
            assert await listed(served) == [
                StreamInfo(name, model.name, model.version, served.skeleton, hz, has_owner, seq)
                for name, hz, has_owner, seq in (
                    ("early", rate_hz, True, 0),
                    ("fed", 60.0, True, 90),
                    ("lost", rate_hz, False, 0),
                )
            ]

    asyncio.run(run())


def test_what_was_deleted_is_not_listed(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            for name in ("kept", "deleted"):
                await served.opened(name)
            await served.clusters.ForgetStream(pb.ForgetStreamRequest(stream_id="deleted"))
            assert [info.stream_id for info in await listed(served)] == ["kept"]

    asyncio.run(run())


def test_a_durable_stream_has_its_rate_at_the_next_server_too(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first:
            caller = await first.opened(delivery=pb.DELIVERY_DURABLE, rate_hz=60.0)
            await caller.send(motion(first.skeleton, 1), 0, 60)
            await first.computed(60)
        async with serving(tiny_model, tmp_path) as second:
            again = await second.opened(delivery=pb.DELIVERY_DURABLE, resume_token=caller.opened.resume_token)
            assert again.opened.resumed
            (info,) = await listed(second)
            assert (info.rate_hz, info.received_seq) == (60.0, again.opened.next_seq - 1)
            assert np.isclose(info.skeleton.rate_hz, second.skeleton.rate_hz)

    asyncio.run(run())
