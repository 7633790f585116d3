"""A stream that is deleted leaves nothing, live, lost or stored, and comes back as if it had never been."""

import asyncio
from pathlib import Path

import grpc
import pytest
from tests.support.serving import Served, motion, serving

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterCreated

Code = grpc.StatusCode
SECRET = "left knee of patient 4711"


def _forget(served: Served, stream_id: str = "lab") -> grpc.aio.UnaryUnaryCall:
    return served.clusters.ForgetStream(pb.ForgetStreamRequest(stream_id=stream_id))


async def _missing(call: grpc.aio.UnaryUnaryCall) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() == Code.NOT_FOUND


async def _named(served: Served, durable: bool = False) -> pb.Opened:
    """A stream that is over, with a cluster that has a name; the Opened of it."""
    delivery = pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE
    caller = await served.opened(delivery=delivery)
    await caller.send(motion(served.skeleton, 6))
    born = next(event.cluster for event in await caller.finish() if isinstance(event, ClusterCreated))
    await served.clusters.RenameCluster(pb.RenameClusterRequest(stream_id="lab", id=born, name=SECRET))
    return caller.opened


@pytest.mark.parametrize("durable", [False, True])
def test_a_stored_stream_is_gone_from_the_file_itself(tiny_model: Path, tmp_path: Path, durable: bool) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            opened = await _named(served, durable)
            kept = b"".join(path.read_bytes() for path in tmp_path.glob("names.sqlite*"))
            assert SECRET.encode() in kept
            await _forget(served)
            await _missing(served.clusters.ListClusters(pb.ListClustersRequest(stream_id="lab")))
            await _missing(_forget(served))
            kept = b"".join(path.read_bytes() for path in tmp_path.glob("names.sqlite*"))
            assert SECRET.encode() not in kept
            delivery = pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE
            if durable:
                with pytest.raises(grpc.aio.AioRpcError, match="got one that resumes nothing"):
                    await served.opened(delivery=delivery, resume_token=opened.resume_token)
            again = await served.opened(delivery=delivery, resume_token="" if durable else opened.resume_token)
            assert not again.opened.resumed
            assert bool(again.opened.not_resumed) is not durable
            assert all(cluster.warm and not cluster.name for cluster in again.opened.clusters)
            await again.finish()

    asyncio.run(run())


@pytest.mark.parametrize("durable", [False, True])
def test_a_live_stream_ends_and_writes_nothing_more(tiny_model: Path, tmp_path: Path, durable: bool) -> None:
    async def run() -> None:
        delivery = pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened(delivery=delivery)
            await caller.send(motion(served.skeleton, 4))
            await caller.events_until(lambda events: any(isinstance(e, ClusterCreated) for e in events))
            await caller.send(motion(served.skeleton, 8), 4 * 120)  # on their way
            await _forget(served)
            code, message = await caller.failure()
            assert code == Code.ABORTED
            assert "deleted" in message
            await asyncio.sleep(0.2)
            await _missing(served.clusters.ListClusters(pb.ListClustersRequest(stream_id="lab")))
            assert served.server.registry.find("lab") is None
            assert not any(worker.links for worker in served.server.pool.workers)

    asyncio.run(run())


def test_a_lost_stream_cannot_be_resumed(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 4))
            caller.call.cancel()
            await served.lost("lab")
            await _forget(served)
            again = await served.opened(resume_token=caller.opened.resume_token)
            assert not again.opened.resumed
            await again.finish()

    asyncio.run(run())
