"""Edits of durable streams: what a user was answered is never undone, whatever happens to servers and workers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from tests.server.storage.test_checkpoints import FIRST
from tests.support.caller import Caller
from tests.support.registry_house import EDIT, House, house, link_of
from tests.support.serving import Served, motion, process_of, serving
from tests.support.tiling import require_whole
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterMerged, ClusterNamed, ClusterSplit, Event, Label, SegmentStarted
from motionscribe_server.engine.messages import Answer, SessionClusters
from motionscribe_server.errors import StoreError, UnavailableError
from motionscribe_server.session.edits import Merge, PlacedEdit, Rename, Split, edit_from_bytes, edit_to_bytes
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.storage.checkpoints import KeptStream
from motionscribe_server.storage.sqlite_checkpoints import SqliteCheckpoints
from motionscribe_server.storage.stored_streams import read_stored
from motionscribe_server.streams.kept_edits import KeptEdits

DURABLE = pb.DELIVERY_DURABLE
LAB = pb.ListClustersRequest(stream_id="lab")


async def clusters(served: Served) -> dict[int, pb.Cluster]:
    """Those of the stream."""
    return {cluster.id: cluster for cluster in (await served.clusters.ListClusters(LAB)).clusters}


async def rename(served: Served, id: int, name: str) -> None:
    """Answered OK."""
    await served.clusters.RenameCluster(pb.RenameClusterRequest(stream_id="lab", id=id, name=name))


async def merge(served: Served, source: int, target: int) -> None:
    """Answered OK."""
    await served.clusters.MergeClusters(pb.MergeClustersRequest(stream_id="lab", sources=[source], target=target))


async def resumed(served: Served, caller: Caller) -> Caller:
    """The same stream with another call."""
    last = caller.numbers[-1] if caller.numbers else 0
    again = await served.opened(delivery=DURABLE, resume_token=caller.opened.resume_token, last_event=last)
    assert again.opened.resumed
    return again


async def hear(caller: Caller, seq: int) -> None:
    """Reads until the label of a frame came."""
    await caller.events_until(lambda events: any(isinstance(e, Label) and e.end_seq > seq for e in events))


def names_told(events: Sequence[Event]) -> list[tuple[int, str]]:
    """Each as often as it came."""
    return [(event.cluster, event.name) for event in events if isinstance(event, ClusterNamed)]


def two_seen(found: dict[int, pb.Cluster]) -> tuple[int, int]:
    """Clusters that the motion has shown."""
    one, other, *_ = [id for id, cluster in found.items() if cluster.segments and not cluster.merged_into]
    return one, other


def test_an_edit_between_two_checkpoints_survives_the_worker_and_keeps_every_number(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames are sent flat out: many are on their way when the edit comes, and when the worker dies."""
    monkeypatch.setattr("motionscribe_server.streams.durability.CHECKPOINT_S", 1e3)  # none is due but the test's own

    async def run() -> None:
        async with serving(tiny_model, tmp_path, server={"workers": 2}, limits={"credits": 100_000}) as served:
            recording = motion(served.skeleton, 30)
            caller = await served.durable(recording, 2000)
            await served.stream("lab").checkpoint()
            source, target = two_seen(await clusters(served))
            sending = asyncio.create_task(caller.send(recording, 2000))
            await merge(served, source, target)
            await rename(served, target, "walk")
            await sending
            await hear(caller, 2300)
            assert served.stream("lab").durable_seq == 2000
            process_of(served.stream("lab").link.worker).kill()
            await caller.failure()
            again = await resumed(served, caller)
            await again.send(recording, again.opened.next_seq - 1)
            events = [*caller.events, *await again.finish()]
            require_whole(events, len(recording.frames))
            numbers = [*caller.numbers, *again.numbers]
            assert numbers == sorted(set(numbers))
            assert sum(isinstance(event, ClusterMerged) for event in events) == 1
            assert names_told(events) == [(target, "walk")]
            found = await clusters(served)
            assert (found[source].merged_into, found[target].name) == (target, "walk")
            after = events[next(i for i, event in enumerate(events) if isinstance(event, ClusterMerged)) :]
            started = [event for event in after if isinstance(event, SegmentStarted)]
            assert started
            assert all(event.cluster != source for event in started)

    asyncio.run(run())


def test_a_merge_that_was_undone_stays_undone_where_the_worker_dies(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, server={"workers": 2}) as served:
            recording = motion(served.skeleton, 20)
            caller = await served.durable(recording, 1200)
            await hear(caller, 900)
            source, target = two_seen(await clusters(served))
            await merge(served, source, target)
            answer = await served.clusters.SplitCluster(pb.SplitClusterRequest(stream_id="lab", id=source))
            assert answer.merged_into == 0
            process_of(served.stream("lab").link.worker).kill()
            await caller.failure()
            again = await resumed(served, caller)
            await again.send(recording, again.opened.next_seq - 1)
            events = [*caller.events, *await again.finish()]
            require_whole(events, len(recording.frames))
            edits = [event for event in events if isinstance(event, ClusterMerged | ClusterSplit)]
            assert [type(edit) for edit in edits] == [ClusterMerged, ClusterSplit]
            assert (await clusters(served))[source].merged_into == 0

    asyncio.run(run())


def test_an_edit_of_a_stream_that_nobody_has_open_is_made_when_it_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first:
            recording = motion(first.skeleton, 24)
            caller = await first.durable(recording, 2000)
            source, target = two_seen(await clusters(first))
            stopping = asyncio.create_task(first.stop())
            await caller.failure()
            await stopping
        async with serving(tiny_model, tmp_path) as second:
            await merge(second, source, target)
            await rename(second, target, "walk")
            again = await resumed(second, caller)
            found = {cluster.id: cluster for cluster in again.opened.clusters}
            assert (found[source].merged_into, found[target].name) == (target, "walk")
            await again.send(recording, again.opened.next_seq - 1)
            events = [*caller.events, *await again.finish()]
            require_whole(events, len(recording.frames))
            assert names_told(events) == [(target, "walk")]
            found = await clusters(second)
            assert (found[source].merged_into, found[target].name) == (target, "walk")

    asyncio.run(run())


def test_an_edit_while_the_past_is_repeated_waits_for_it_and_shows_at_once(tiny_model: Path, tmp_path: Path) -> None:
    """The second server goes on from a checkpoint before what the client heard: that is told again first."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            recording = motion(first.skeleton, 24)
            caller = await first.durable(recording, 2000)
            await first.stream("lab").checkpoint()
            await rename(first, 1, "before the crash")
            await caller.send(recording, 2000, 2400)
            await first.computed(2400)
            await hear(caller, 2200)
            source, target = two_seen(await clusters(first))
            again = await resumed(second, caller)
            assert second.stream("lab").is_repeating
            assert (await clusters(second))[1].name == "before the crash"
            await rename(second, 1, "after the crash")
            await merge(second, source, target)
            await rename(second, target, "walk")
            assert (await clusters(second))[source].merged_into == target
            await again.send(recording, again.opened.next_seq - 1, 2800)
            await until(lambda: not second.stream("lab").is_repeating)
            await again.send(recording, 2800)
            events = [*caller.events, *await again.finish()]
            require_whole(events, len(recording.frames))
            assert names_told(events) == [(1, "before the crash"), (1, "after the crash"), (target, "walk")]
            found = await clusters(second)
            assert (found[source].merged_into, found[target].name) == (target, "walk")
            assert found[1].name in ("after the crash", "walk")

    asyncio.run(run())


def test_edits_that_wait_are_made_at_the_end_where_nothing_comes_any_more(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            recording = motion(first.skeleton, 20)
            caller = await first.durable(recording, 1200)
            await first.stream("lab").checkpoint()
            await caller.send(recording, 1200, 1600)
            await first.computed(1600)
            await rename(first, 1, "placed")
            await hear(caller, 1300)
            again = await resumed(second, caller)
            await rename(second, 2, "deferred")
            await again.finish()  # the client has lost its frames
            await until(lambda: second.server.registry.find("lab") is None)
            found = await clusters(second)
            assert (found[1].name, found[2].name) == ("placed", "deferred")

    asyncio.run(run())


def full_disk(*_: object) -> None:
    """In place of a write."""
    raise StoreError("disk full")


def test_an_edit_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    async def run(home: House) -> None:
        stream, _, _ = await home.open("walk", durable=True)
        link = link_of(stream)
        link.listener(Answer(link.id, edits=[PlacedEdit(0, EDIT)]))  # what a worker says before it replies
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SqliteCheckpoints, "append", full_disk)
            with pytest.raises(UnavailableError, match="store cannot be written"):
                await home.registry.edit("walk", EDIT)

    async def within() -> None:
        async with house(tmp_path) as home:
            await run(home)

    asyncio.run(within())


def test_a_stream_of_another_owner_takes_no_edits(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            caller = await first.durable(motion(first.skeleton, 4), 400)
            await resumed(second, caller)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await rename(first, 1, "lost")
            assert caught.value.code() == grpc.StatusCode.ABORTED

    asyncio.run(run())


def test_kept_edits_are_repeated_deferred_and_numbered() -> None:
    placed, waiting, new = PlacedEdit(5, Rename(1, "a")), Merge((1, 2), 3), PlacedEdit(9, Rename(3, "b"))
    kept = KeptStream(
        replace(FIRST, edits=3), [], [(4, edit_to_bytes(placed))], [(7, edit_to_bytes(PlacedEdit(0, waiting)))]
    )
    split = PlacedEdit(6, Split(2))
    assert edit_from_bytes(edit_to_bytes(split)) == split
    edits = KeptEdits(kept)
    assert (edits.repeated, edits.deferred, edits.made, edits.any_wait) == ([placed], None, 3, True)
    assert edits.note([placed]) == ([], []), "the store has it"
    assert (edits.deferred, edits.made) == ((7, waiting), 4)
    edits.defer(kept.deferred)
    assert edits.note([PlacedEdit(8, waiting)]) == ([(5, edit_to_bytes(PlacedEdit(8, waiting)))], [7])
    assert (edits.deferred, edits.made, edits.any_wait) == (None, 5, False)
    edits.defer(kept.deferred)
    assert not edits.any_wait, "no ticket counts twice"
    assert edits.note([new]) == ([(6, edit_to_bytes(new))], [])


def test_the_store_never_lists_a_cluster_of_which_it_does_not_know_the_birth(tiny_model: Path, tmp_path: Path) -> None:
    """Or a session that goes on could not make an edit of it. More frames are computed while clusters are asked for."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 30)
            message = served.open_request("lab").open
            message.delivery = DURABLE
            stream, _, opened = await served.server.registry.open(message)
            listed = stream.link.clusters

            async def later() -> SessionClusters:
                for block in blocks_of(recording, 300):
                    stream.receive_frames(block)
                await until(lambda: stream.computed_seq > 3000)
                return await listed()

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(stream.link, "clusters", later)
                stream.saver.mark_unsaved()
                await stream.persist()
            kept = await served.server.store.run(lambda store: store.checkpoints.find("lab"))
            assert kept is not None
            events = [pb.Event.FromString(row) for _, row in kept.outbox]
            born = {event.cluster_created.cluster for event in events if event.HasField("cluster_created")}
            stored = await served.server.store.run(lambda store: read_stored(store, "lab"))
            found = {state.id for state in stored.clusters}
            new = found - {cluster.id for cluster in opened.clusters}
            assert new
            assert new <= born

    asyncio.run(run())
