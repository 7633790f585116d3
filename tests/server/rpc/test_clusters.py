"""Names and merges that users give: on live, retained and stored streams, and through a restart of the server."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.serving import Served, Shared, motion, serving

from motionscribe import AsyncClient
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterCreated, ClusterMerged, ClusterNamed, ClusterSplit, SegmentStarted

Code = grpc.StatusCode


async def _run_through(served: Served, stream_id: str = "lab", seconds: float = 6) -> list[int]:
    """A whole stream; the ids of the clusters that were born in it."""
    caller = await served.opened(stream_id)
    await caller.send(motion(served.skeleton, seconds))
    born = [event.cluster for event in await caller.finish() if isinstance(event, ClusterCreated)]
    assert born, "motion too dull to test anything"
    return born


async def _list(served: Served, stream_id: str = "lab") -> dict[int, pb.Cluster]:
    answer = await served.clusters.ListClusters(pb.ListClustersRequest(stream_id=stream_id))
    return {cluster.id: cluster for cluster in answer.clusters}


def _rename(served: Served, id: int, name: str, stream_id: str = "lab") -> grpc.aio.UnaryUnaryCall:
    return served.clusters.RenameCluster(pb.RenameClusterRequest(stream_id=stream_id, id=id, name=name))


def test_a_name_given_to_a_live_stream_is_on_its_next_segments(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 8)
            caller = await served.opened()
            assert {cluster.id for cluster in caller.opened.clusters} == set(await _list(served))
            await caller.send(recording, 0, 700)
            await caller.events_until(lambda events: any(isinstance(e, SegmentStarted) for e in events))
            (first, *_) = [event.cluster for event in caller.events if isinstance(event, SegmentStarted)]
            answer = await _rename(served, first, "jab ü")
            assert (answer.id, answer.name) == (first, "jab ü")
            assert (await _list(served))[first].name == "jab ü"
            described = await served.clusters.DescribeCluster(pb.DescribeClusterRequest(stream_id="lab", id=first))
            assert (described.id, described.name) == (first, "jab ü")
            assert described.segments >= 1
            await caller.finish()

    asyncio.run(run())


def test_names_survive_a_restart_and_greet_the_next_session(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 6))
            events = await caller.events_until(lambda events: any(isinstance(e, ClusterCreated) for e in events))
            born = next(event.cluster for event in events if isinstance(event, ClusterCreated))
            warm = min(await _list(served))
            await _rename(served, born, "jab")
            await _rename(served, warm, "stroll")
            await served.stop()  # with the stream live
        async with serving(tiny_model, tmp_path) as served:
            names = {id: cluster.name for id, cluster in (await _list(served)).items() if cluster.name}
            assert names == {warm: "stroll", born: "jab"}
            caller = await served.opened(resume_token=caller.opened.resume_token)
            assert not caller.opened.resumed, "what was not final is lost with the server"
            assert {cluster.id: cluster.name for cluster in caller.opened.clusters if cluster.name} == names

    asyncio.run(run())


def test_ids_are_never_given_twice_not_even_after_a_restart(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            first = await _run_through(served)
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 6, seed=9))
            second = [event.cluster for event in await caller.finish() if isinstance(event, ClusterCreated)]
        assert not set(first) & set(second)
        assert len(set(first)) == len(first)

    asyncio.run(run())


def test_an_id_is_in_the_store_before_anybody_hears_of_it(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 6))
            events = await caller.events_until(lambda events: any(isinstance(e, ClusterCreated) for e in events))
            born = [event.cluster for event in events if isinstance(event, ClusterCreated)]
            stored = await served.server.store.run(lambda store: store.load(served.model.key, "lab"))
            assert stored.next_id > max(born)

    asyncio.run(run())


def test_stored_clusters_can_be_named_and_merged_long_after(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            (born, *_) = await _run_through(served)
            before = await _list(served)
            warm = min(before)
            await _rename(served, warm, "stroll")
            request = pb.MergeClustersRequest(stream_id="lab", sources=[born], target=warm)
            merged = await served.clusters.MergeClusters(request)
            assert (merged.id, merged.name) == (warm, "stroll")
            assert merged.segments == before[warm].segments + before[born].segments
            assert (await _list(served))[born].merged_into == warm

    asyncio.run(run())


def test_a_merge_is_an_event_of_a_live_stream_and_of_a_retained_one(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 2))
            a, b, c = sorted(await _list(served))[:3]
            await served.clusters.MergeClusters(pb.MergeClustersRequest(stream_id="lab", sources=[a], target=b))
            await caller.events_until(lambda events: any(isinstance(e, ClusterMerged) for e in events))
            last = caller.numbers[-1]
            caller.call.cancel()
            await served.lost("lab")
            await served.clusters.MergeClusters(pb.MergeClustersRequest(stream_id="lab", sources=[b], target=c))
            again = await served.opened(resume_token=caller.opened.resume_token, last_event=last)
            await again.finish()
            merges = [event for event in again.events if isinstance(event, ClusterMerged)]
            assert [(merge.source, merge.target) for merge in merges] == [(b, c)]

    asyncio.run(run())


def test_a_name_is_told_at_once_to_the_owner_and_who_watches(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 2))
            id = min(await _list(served))
            async with AsyncClient(f"127.0.0.1:{served.server.port}") as client, client.watch("lab") as watch:
                for name in ("jab", "jab", "hook", ""):
                    await _rename(served, id, name)
                # no frame comes any more
                told: list[ClusterNamed] = []
                while len(told) < 3:
                    told += [event for event in [await anext(watch)] if isinstance(event, ClusterNamed)]
            assert [(event.cluster, event.name) for event in told] == [(id, "jab"), (id, "hook"), (id, "")]
            await caller.events_until(lambda events: [e for e in events if isinstance(e, ClusterNamed)] == told)
            await caller.finish()
            await _rename(served, id, "stored")

    asyncio.run(run())


def test_a_merge_is_undone_on_a_live_stream_and_on_a_stored_one(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 2))
            a, b = sorted(await _list(served))[:2]
            await _rename(served, a, "jab")
            merge, split = pb.MergeClustersRequest(stream_id="lab", sources=[a], target=b), _split(a)
            await served.clusters.MergeClusters(merge)
            answer = await served.clusters.SplitCluster(split)
            assert (answer.id, answer.name, answer.merged_into) == (a, "jab", 0)
            told = await caller.events_until(lambda events: any(isinstance(e, ClusterSplit) for e in events))
            assert [(e.cluster, e.target) for e in told if isinstance(e, ClusterSplit)] == [(a, b)]
            await served.clusters.MergeClusters(merge)
            await caller.finish()
            await served.clusters.SplitCluster(split)
            assert (await _list(served))[a].merged_into == 0
        async with serving(tiny_model, tmp_path) as served:
            found = await _list(served)
            assert (found[a].name, found[a].merged_into) == ("jab", 0)

    asyncio.run(run())


def _split(id: int) -> pb.SplitClusterRequest:
    return pb.SplitClusterRequest(stream_id="lab", id=id)


BAD: dict[str, tuple[str, dict[str, Any], grpc.StatusCode, str]] = {
    "rename of nothing": ("RenameCluster", {"id": 999, "name": "x"}, Code.NOT_FOUND, "got 999"),
    "a name that clears the screen": (
        "RenameCluster",
        {"id": 1, "name": "a\x1b[2J"},
        Code.INVALID_ARGUMENT,
        r"visible characters, got U\+001B \(a control character\) at position 2",
    ),
    "a name written backwards": (
        "RenameCluster",
        {"id": 1, "name": "\u202egnihton"},
        Code.INVALID_ARGUMENT,
        r"got U\+202E \(RIGHT-TO-LEFT OVERRIDE\) at position 1",
    ),
    "a long name": ("RenameCluster", {"id": 1, "name": "x" * 129}, Code.INVALID_ARGUMENT, "at most 128.*got 129"),
    "description of nothing": ("DescribeCluster", {"id": 999}, Code.NOT_FOUND, "got 999"),
    "merge of nothing": ("MergeClusters", {"sources": [999], "target": 1}, Code.NOT_FOUND, "got 999"),
    "merge into nothing": ("MergeClusters", {"sources": [1], "target": 999}, Code.NOT_FOUND, "got 999"),
    "merge with itself": ("MergeClusters", {"sources": [1], "target": 1}, Code.INVALID_ARGUMENT, "differ"),
    "split of nothing": ("SplitCluster", {"id": 999}, Code.NOT_FOUND, "got 999"),
    "split of what is whole": ("SplitCluster", {"id": 1}, Code.INVALID_ARGUMENT, "got 1, which stands for itself"),
    "pictures of nothing": ("ListExemplars", {"id": 999}, Code.NOT_FOUND, "got 999"),
    "merge of none": ("MergeClusters", {"sources": [], "target": 1}, Code.INVALID_ARGUMENT, "at least one source"),
}


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("what", BAD)
def test_bad_requests_change_nothing(shared_server: Shared, what: str, live: bool) -> None:
    method, fields, expected_code, expected = BAD[what]
    id = f"{what.replace(' ', '-')}-{live}"

    async def run(served: Served) -> None:
        caller = await served.opened(id)
        if not live:
            await caller.finish()
        before = await _list(served, id)
        request = {
            "RenameCluster": pb.RenameClusterRequest,
            "DescribeCluster": pb.DescribeClusterRequest,
            "MergeClusters": pb.MergeClustersRequest,
            "SplitCluster": pb.SplitClusterRequest,
            "ListExemplars": pb.ListExemplarsRequest,
        }[method](stream_id=id, **fields)
        with pytest.raises(grpc.aio.AioRpcError, match=expected) as caught:
            await getattr(served.clusters, method)(request)
        assert caught.value.code() == expected_code
        assert await _list(served, id) == before
        if live:
            await caller.finish()

    shared_server.run(run)


def test_streams_that_nobody_knows_have_no_clusters(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            for call in (
                served.clusters.ListClusters(pb.ListClustersRequest(stream_id="gym")),
                _rename(served, 1, "x", "gym"),
            ):
                with pytest.raises(grpc.aio.AioRpcError, match="expected a stream that is live or was") as caught:
                    await call
                assert caught.value.code() == Code.NOT_FOUND

    asyncio.run(run())
