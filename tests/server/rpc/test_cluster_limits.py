"""A full table of clusters and one name too many, as clients, the log and the metrics hear of them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import grpc
import numpy as np
import pytest
from tests.support.serving import Served, motion, serving

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterTableFull
from motionscribe_server.session.clustering import ClusterState, initial_clusters

NAMED, MOST = 56, 64


async def store_clusters(served: Served, names: Sequence[str]) -> list[int]:
    """An earlier session of the stream "lab" learnt clusters with these names, which nobody will show again."""
    model = served.model.served
    first = len(model.centres) + 1
    states = [
        ClusterState(first + n, name, 0, False, np.full(model.dimensions, 100.0 * (n + 1)), 5.0, 1, 2, 1, 5.0)
        for n, name in enumerate(names)
    ]
    next_id = first + len(states)
    known = initial_clusters(model.centres, states)
    await served.server.store.run(lambda store: store.save(served.model.key, "lab", next_id, known))
    return [state.id for state in states]


def rename(served: Served, id: int, name: str) -> grpc.aio.UnaryUnaryCall:
    return served.clusters.RenameCluster(pb.RenameClusterRequest(stream_id="lab", id=id, name=name))


@pytest.mark.parametrize("live", [True, False])
def test_whoever_gives_one_name_too_many_is_told(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, live: bool
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            named = [f"action {n}" for n in range(NAMED)]
            ids = await store_clusters(served, [*named, ""])
            caller = await served.opened("lab") if live else None
            for call in (
                rename(served, ids[-1], "one too many"),
                served.clusters.MergeClusters(
                    pb.MergeClustersRequest(stream_id="lab", sources=[ids[-1]], target=ids[0])
                ),
            ):
                with pytest.raises(grpc.aio.AioRpcError, match=f"at most {NAMED} clusters.* names.* got 57") as caught:
                    await call
                assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert served.counted("motionscribe_errors_total", status="RESOURCE_EXHAUSTED") == 2
            await rename(served, 1, "the model's take no place")
            await rename(served, ids[0], "")
            assert (await rename(served, ids[-1], "now there is room")).name == "now there is room"
            if caller:
                await caller.finish()

    asyncio.run(run())
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len([text for text in warnings if text.startswith("stream lab: expected at most 56")]) == 2


def test_a_full_table_is_an_event_a_warning_and_a_number(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            await store_clusters(served, [""] * MOST)
            caller = await served.opened("lab")
            await caller.send(motion(served.skeleton, 6))
            full = [event for event in await caller.finish() if isinstance(event, ClusterTableFull)]
            assert full, "motion too dull to test anything"
            assert {event.limit for event in full} == {MOST}
            assert served.counted("motionscribe_events_total", kind="ClusterTableFull") == len(full)
            answer = await served.clusters.ListClusters(pb.ListClustersRequest(stream_id="lab"))
            own = [cluster.id for cluster in answer.clusters if not cluster.warm and not cluster.merged_into]
            assert len(own) <= MOST
            for event in full:
                assert event.cluster not in own
                with pytest.raises(grpc.aio.AioRpcError, match="is forgotten: it made room") as caught:
                    await rename(served, event.cluster, "too late")
                assert caught.value.code() == grpc.StatusCode.NOT_FOUND

    asyncio.run(run())
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len([text for text in warnings if "has 64 clusters: the least used make room" in text]) == 1
