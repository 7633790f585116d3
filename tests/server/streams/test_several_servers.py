"""Servers of one store, with live streams, and edits by several: the newest session has the stream, and nobody else."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tests.server.streams.test_durable_edits import DURABLE, clusters, merge, rename, resumed
from tests.support.serving import Served, alone, motion, serving
from tests.support.waiting import until

from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import SegmentEnded
from motionscribe_server.errors import NotFoundError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.storage.stored_streams import read_stored

Code = grpc.StatusCode
SOON = {"resume_within_s": 1.0}


async def lose(served: Served, frames: int = 600, **fields: Any) -> pb.Opened:
    """A stream that had an owner; all it learnt is saved."""
    caller = await served.opened(**fields)
    await caller.send(motion(served.skeleton, 8), 0, frames)
    await served.computed(frames)
    caller.call.cancel()
    await served.lost("lab")
    return caller.opened


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_server_that_lost_a_live_stream_saves_no_more_of_it(
    tiny_model: Path, tmp_path: Path, place: str, forgotten: bool
) -> None:
    async def run() -> None:
        storage = {"location": place}
        async with (
            serving(tiny_model, tmp_path, storage=storage, limits=SOON) as first,
            serving(tiny_model, tmp_path, storage=storage) as second,
        ):
            await lose(first)
            caller = await second.opened()
            await caller.send(motion(second.skeleton, 4))
            await caller.finish()
            await rename(second, 1, "walk")
            if forgotten:
                await second.clusters.ForgetStream(pb.ForgetStreamRequest(stream_id="lab"))
            await until(lambda: first.server.registry.find("lab") is None)  # nobody resumed it there
            if forgotten:
                with pytest.raises(NotFoundError):
                    await second.server.store.run(lambda store: read_stored(store, "lab"))
            else:
                assert (await clusters(second))[1].name == "walk"

    asyncio.run(run())


def test_a_live_owner_whose_id_is_begun_at_another_server_is_sent_away(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            caller = await first.opened()
            await caller.send(motion(first.skeleton, 8), 0, 100)
            other = await second.opened()
            await caller.send(motion(first.skeleton, 8), 100)
            code, message = await caller.failure()
            assert (code, "begun anew or deleted" in message) == (Code.ABORTED, True)
            await other.finish()

    asyncio.run(run())


def test_a_durable_stream_that_was_deleted_elsewhere_does_not_come_back(
    tiny_model: Path, tmp_path: Path, place: str
) -> None:
    """The stream that was begun anew meanwhile has another epoch, though it is its first."""

    async def run() -> None:
        storage = {"location": place}
        async with (
            serving(tiny_model, tmp_path, storage=storage, limits=SOON) as first,
            serving(tiny_model, tmp_path, storage=storage) as second,
        ):
            old = await lose(first, delivery=DURABLE)
            await second.clusters.ForgetStream(pb.ForgetStreamRequest(stream_id="lab"))
            caller = await second.opened(delivery=DURABLE)
            await caller.send(motion(second.skeleton, 8), 0, 100)
            await until(lambda: first.server.registry.find("lab") is None)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await second.opened(delivery=DURABLE, resume_token=old.resume_token)
            assert refused.value.code() in (Code.FAILED_PRECONDITION, Code.ALREADY_EXISTS)
            again = await resumed(second, caller)
            assert again.opened.next_seq == 101
            await again.finish()

    asyncio.run(run())


def test_a_live_session_ends_the_durable_one_of_its_id(tiny_model: Path, tmp_path: Path, place: str) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, storage={"location": place}) as served:
            old = await lose(served, delivery=DURABLE)
            live = await served.opened()
            await live.send(motion(served.skeleton, 4), 0, 300)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await served.opened(delivery=DURABLE, resume_token=old.resume_token)
            assert refused.value.code() == Code.ALREADY_EXISTS
            await live.send(motion(served.skeleton, 4), 300)
            assert max(event.end_seq for event in await live.finish() if hasattr(event, "end_seq")) == 481
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await served.opened(delivery=DURABLE, resume_token=old.resume_token)
            assert refused.value.code() == Code.FAILED_PRECONDITION

    asyncio.run(run())


def test_edits_of_a_stream_that_nobody_has_are_all_made(tiny_model: Path, tmp_path: Path, place: str) -> None:
    """Servers that edit at the same time do not undo each other's."""

    async def run() -> None:
        storage = {"location": place}
        async with (
            serving(tiny_model, tmp_path, storage=storage) as first,
            serving(tiny_model, tmp_path, storage=storage) as second,
        ):
            caller = await first.opened()
            await caller.send(motion(first.skeleton, 6))
            await caller.finish()
            ids = sorted(await clusters(first))[:12]
            await asyncio.gather(
                *(rename(served, id, f"c{id}") for n, id in enumerate(ids) for served in ((first, second)[n % 2],))
            )
            found = await clusters(second)
            assert [found[id].name for id in ids] == [f"c{id}" for id in ids]

    asyncio.run(run())


def test_an_edit_elsewhere_of_a_stream_without_frames_is_made_before_it_goes(
    tiny_model: Path, tmp_path: Path, place: str
) -> None:
    """No checkpoint tells of it, since there is nothing to keep."""

    async def run() -> None:
        storage = {"location": place}
        async with serving(tiny_model, tmp_path, storage=storage) as second:
            async with serving(tiny_model, tmp_path, storage=storage, limits=SOON) as first:
                caller = await first.opened(delivery=DURABLE)
                await caller.send(motion(first.skeleton, 8), 0, 600)
                await first.computed(600)
                await first.stream("lab").checkpoint()
                await rename(second, 1, "walk")
                caller.call.cancel()
                await until(lambda: first.server.registry.find("lab") is None)
                assert (await clusters(second))[1].name == "walk"
            live = await second.opened()
            assert {cluster.id: cluster.name for cluster in live.opened.clusters}[1] == "walk"
            await live.finish()
            assert (await clusters(second))[1].name == "walk"

    asyncio.run(run())


def test_an_edit_elsewhere_of_a_stream_that_is_over_stays(tiny_model: Path, tmp_path: Path, place: str) -> None:
    """Its end waits at the first server to be fetched."""

    async def run() -> None:
        storage = {"location": place}
        async with (
            serving(tiny_model, tmp_path, storage=storage) as first,
            serving(tiny_model, tmp_path, storage=storage) as second,
        ):
            caller = await first.durable(motion(first.skeleton, 16), 1200)
            await caller.write(close=pb.Close())
            caller.call.cancel()
            await first.lost("lab")
            await until(lambda: first.stream("lab").is_at_rest)
            one, other, *_ = [id for id, cluster in (await clusters(second)).items() if cluster.segments]
            await rename(second, other, "walk")
            await merge(second, one, other)
            again = await resumed(first, caller)
            await again.rest()
            await until(lambda: first.server.registry.find("lab") is None)
            found = await clusters(second)
            assert (found[other].name, found[one].merged_into) == ("walk", other)

    asyncio.run(run())


def still(skeleton: Skeleton, seconds: float) -> Recording:
    """Motion of one manner."""
    moving = motion(skeleton, 2)
    frames = np.tile(moving.frames, (int(seconds / 2), 1))
    return replace(moving, frames=frames, timestamps_us=even_times(len(frames), skeleton.rate_hz))


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, DURABLE])
def test_the_store_has_all_that_a_stream_showed_when_it_is_over(
    tiny_model: Path, tmp_path: Path, delivery: pb.Delivery
) -> None:
    """Also what came after the last cluster was born."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = still(served.skeleton, 12)
            message = served.open_request("lab").open
            message.delivery = delivery
            stream, _, _ = await served.server.registry.open(message)
            for block in blocks_of(recording, 60):
                stream.receive_frames(block)
            await until(lambda: stream.computed_seq > 500)
            await stream.persist()
            assert stream.saver.is_settled, "its only cluster is born"
            stream.finish()
            await until(lambda: stream.is_at_rest)
            shown: dict[int, float] = {}
            for event in alone(served, recording, SessionOptions(provisional=False)):
                if isinstance(event, SegmentEnded):
                    shown[event.cluster] = shown.get(event.cluster, 0) + (event.end_us - event.start_us) / 1e6
            found = await clusters(served)
            lasting = [id for id in shown if id in found and not found[id].merged_into]
            assert lasting
            for id in lasting:
                assert found[id].seconds == pytest.approx(shown[id], abs=0.2), id

    asyncio.run(run())
