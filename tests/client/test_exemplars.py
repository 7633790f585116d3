"""What clusters look like and where they lie, from a real server to the client."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.support.serving import serving

from motionscribe import AsyncClient
from motionscribe.demo.performer import perform
from motionscribe.errors import NotFound
from motionscribe.events import ClusterMerged, ClusterSplit
from motionscribe.exemplars import exemplars_from_message, map_from_message
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_proto.frames import WireError

BODY = Path(__file__).parents[2] / "models" / "body" / "1"
RECORDING = perform([("walk", 5.0), ("squat", 5.0), ("walk", 5.0)], rate_hz=30, seed=1).recording


def test_a_cluster_is_seen_while_the_stream_lives_after_it_and_after_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(BODY, tmp_path) as served, AsyncClient(f"127.0.0.1:{served.server.port}") as client:
            stream = client.stream(RECORDING, stream_id="gym")
            async for _ in stream:
                found = await client.map("gym")
                if len(found.trail):
                    break
            assert found.places.shape == (len(found.clusters), 2)
            assert (found.moment_us, found.radius) == (100_000, 0.6)
            async for _ in stream:
                pass
            seen = sorted(await client.clusters("gym"), key=lambda cluster: -cluster.seconds)
            own = await client.exemplars("gym", seen[0].id)
            assert own.skeleton == served.skeleton
            assert own.rate_hz == 10.0
            assert own.clips[0].start_us is not None
            assert np.isfinite(own.clips[0].frames).all()
            (unseen, *_) = [one for one in await client.clusters("gym") if one.warm and not one.segments]
            (clip,) = (await client.exemplars("gym", unseen.id)).clips
            assert clip.start_us is None
            with pytest.raises(NotFound, match="live or can be resumed"):
                await client.map("gym")
        async with serving(BODY, tmp_path) as served, AsyncClient(f"127.0.0.1:{served.server.port}") as client:
            kept = await client.exemplars("gym", seen[0].id)
            assert [clip.start_us for clip in kept.clips] == [clip.start_us for clip in own.clips]
            await client.forget("gym")
            with pytest.raises(NotFound):
                await client.exemplars("gym", seen[0].id)

    asyncio.run(run())


def test_a_cluster_shows_those_that_are_part_of_it_until_it_is_split(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(BODY, tmp_path) as served, AsyncClient(f"127.0.0.1:{served.server.port}") as client:
            async for _ in client.stream(RECORDING, stream_id="gym"):
                pass
            a, b = [cluster.id for cluster in await client.clusters("gym") if cluster.segments][:2]
            clips = [len((await client.exemplars("gym", id)).clips) for id in (a, b)]
            await client.merge("gym", [a], b)
            assert len((await client.exemplars("gym", b)).clips) == sum(clips)
            assert (await client.split("gym", a)).merged_into is None
            assert [len((await client.exemplars("gym", id)).clips) for id in (a, b)] == clips

    asyncio.run(run())


def test_a_server_that_keeps_none_shows_those_of_its_model_alone(tmp_path: Path) -> None:
    async def stored(kept: bool) -> list[bool]:
        storage = {"exemplars": kept}
        async with (
            serving(BODY, tmp_path, storage={"location": tmp_path / "names.sqlite", **storage}) as served,
            AsyncClient(f"127.0.0.1:{served.server.port}") as client,
        ):
            async for _ in client.stream(RECORDING, stream_id="gym"):
                pass
            longest = max(await client.clusters("gym"), key=lambda cluster: cluster.seconds)
            return [clip.start_us is not None for clip in (await client.exemplars("gym", longest.id)).clips]

    assert all(asyncio.run(stored(True)) or [False])
    assert not any(asyncio.run(stored(False)))


def test_what_is_no_clip_or_map_is_refused() -> None:
    skeleton = skeleton_to_message(RECORDING.skeleton)
    message = pb.ListExemplarsResponse(skeleton=skeleton, exemplars=[pb.Exemplar(values=b"12345")])
    with pytest.raises(WireError, match=r"expected float32 for .* columns, got 5 bytes"):
        exemplars_from_message(message)
    with pytest.raises(WireError, match="got 1 and 0"):
        map_from_message(pb.ClusterMap(trail_x=[1.0]))


def test_events_tell_of_a_split(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(BODY, tmp_path) as served, AsyncClient(f"127.0.0.1:{served.server.port}") as client:
            told = []
            edited = False
            async with client.stream(RECORDING, stream_id="gym", provisional=False) as stream:
                async for event in stream:
                    told.append(event)
                    if not edited:
                        edited = True
                        await client.merge("gym", [1], 2)
                        await client.split("gym", 1)
            edits = [event for event in told if isinstance(event, ClusterMerged | ClusterSplit)]
            assert [type(edit) for edit in edits] == [ClusterMerged, ClusterSplit]

    asyncio.run(run())
