"""What nobody uses goes after its time, and nothing that is in use anywhere, whatever the clock says."""

import asyncio
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import grpc
import numpy as np
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.storage.test_checkpoints import FIRST
from tests.support.registry_house import begun, house
from tests.support.serving import motion, serving
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterCreated
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.settings import StorageSettings
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.store import Store
from motionscribe_server.storage.unused import Kept
from motionscribe_server.streams.expiry import Expiry, ages_s

UNNAMED = ClusterState(1, "", 0, True, np.array([0.5]), 3.5, 0, 7, 2, 4.25)
NAMED = replace(UNNAMED, name="walk")
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def test_how_long_each_is_kept() -> None:
    assert ages_s(StorageSettings()) == {Kept.CHECKPOINT: 7 * DAY_S, Kept.UNNAMED: 30 * DAY_S}
    assert ages_s(StorageSettings(keep_unnamed_s=0)) == {Kept.CHECKPOINT: 7 * DAY_S}
    everything = StorageSettings(keep_clusters_s=60, keep_unnamed_s=90, keep_checkpoints_s=0)
    assert ages_s(everything) == {Kept.CHECKPOINT: 0, Kept.NAMED: 60, Kept.UNNAMED: 60}, "names protect nothing less"


def fill(store: Store, live: str, durable: str) -> None:
    """Clusters of a stream, the checkpoint of another."""
    store.save("m/1", live, 2, [UNNAMED])
    store.checkpoints.begin(replace(FIRST, key=durable))


def check(store: Store, live: str, durable: str) -> None:
    """They are there."""
    assert store.load("m/1", live).clusters == (UNNAMED,)
    assert store.checkpoints.find(durable) is not None


def unused(store: Store, age_s: float = -1) -> list[tuple[Kept, str]]:
    """All that nobody used for so long."""
    return [(each.kept, each.stream) for kept in Kept for each in store.unused(kept, age_s)]


jumps = st.sampled_from([HOUR_S, -HOUR_S, 12 * HOUR_S, 40 * DAY_S, -40 * DAY_S])


@settings(max_examples=40, deadline=None)
@given(rounds=st.lists(st.tuples(jumps, jumps, st.permutations(range(2)), st.booleans()), min_size=3, max_size=6))
def test_a_clock_that_jumps_deletes_nothing_that_is_in_use(
    rounds: list[tuple[float, float, list[int], bool]],
) -> None:
    """Two servers of one file. Between two looks of one of them, both renew what they have, in any order."""

    async def run() -> None:
        now = [1e9]
        with tempfile.TemporaryDirectory() as folder, patch.object(time, "time", lambda: now[0]):
            stores = [AsyncStore(open_store(str(Path(folder) / "store.sqlite"))) for _ in range(2)]
            servers = [Expiry(StorageSettings(keep_clusters_s=20 * DAY_S), store) for store in stores]
            for number, store in enumerate(stores):
                await store.run(partial(fill, live=f"live-{number}", durable=f"durable-{number}"))
            in_use = [{"live-0", "durable-0"}, {"live-1", "durable-1"}]
            for before_renewal, after_renewal, order, second_looks in rounds:
                now[0] += before_renewal
                await servers[0].expire(in_use[0])
                if second_looks:
                    await servers[1].expire(in_use[1])
                for each in order:
                    now[0] += 60.0
                    await servers[each].renew(in_use[each])
                now[0] += after_renewal
            for number in range(2):
                await stores[0].run(partial(check, live=f"live-{number}", durable=f"durable-{number}"))
            # their servers are gone: nobody uses them any more
            now[0] += 100 * DAY_S
            await servers[0].expire(set())
            await servers[0].expire(set())
            assert await stores[0].run(unused) == []
            for store in stores:
                await store.close()

    asyncio.run(run())


def test_a_redis_whose_clock_jumps_deletes_nothing_that_is_in_use(redis_url: str) -> None:
    """To Redis, times that are earlier by so much are what a clock that is later would be."""

    async def run() -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
            store = AsyncStore(open_store(redis_url))
            here, elsewhere = Expiry(StorageSettings(), store), Expiry(StorageSettings(), store)
            await store.run(lambda store: store.save("m/1", "used", 2, [UNNAMED]))
            await store.run(lambda store: store.save("m/1", "unused", 2, [UNNAMED]))
            await store.run(lambda store: store.save("m/1", "named", 2, [NAMED]))
            for key in ("unnamed:", "named:"):
                for stream in client.zrange(f"motionscribe:{key}", 0, -1):
                    client.zincrby(f"motionscribe:{key}", -31 * DAY_S, stream)
            await here.expire(set())
            await elsewhere.renew({"used"})
            await here.expire(set())
            models = await store.run(lambda store: list(map(store.model_of, ("used", "unused", "named"))))
            assert models == ["m/1", None, "m/1"]
            await store.close()

    asyncio.run(run())


def test_a_store_that_does_not_answer_holds_up_nothing_else(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as built:
            await built.open("lab")
            gate = built.new_store_gate()
            tasks = [await begun(work, gate) for work in (built.registry.renew(), built.registry.expire())]
            built.now += built.registry.settings.limits.idle_timeout_s
            stream = built.stream("lab")
            async with asyncio.timeout(5):
                await built.registry.reap()
            assert stream.owner is not None
            assert stream.owner.ended
            assert not any(task.done() for task in tasks)
            gate.open()
            await asyncio.gather(*tasks)

    asyncio.run(run())


def test_streams_that_are_open_are_renewed(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as built:
            with patch.object(time, "time", lambda: 1e9):
                await built.open("open", durable=True)
                await built.lost("lost")
                stream, writer, _ = await built.open("over")
                await built.registry.leave(stream, writer, done=True)
            await built.registry.renew()
            assert await built.store.run(partial(unused, age_s=HOUR_S)) == [(Kept.UNNAMED, "over")]
            await built.registry.expire()
            await built.registry.expire()
            assert await built.store.run(lambda store: store.model_of("over")) is None

    asyncio.run(run())


def test_a_server_renews_and_deletes_by_itself(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        store = open_store(str(tmp_path / "names.sqlite"))
        with patch.object(time, "time", lambda: 1e9):
            fill(store, "old", "old")
        for round_ in ("RENEW_EVERY_S", "EXPIRE_EVERY_S"):
            monkeypatch.setattr(f"motionscribe_server.server.{round_}", 0.01)
        async with serving(tiny_model, tmp_path) as served:
            await served.opened("lab")
            (before,) = [each for each in store.unused(Kept.UNNAMED, -1) if each.stream == "lab"]
            await until(lambda: before not in store.unused(Kept.UNNAMED, -1))
            await until(lambda: store.model_of("old") is None)
            assert store.checkpoints.find("old") is None
        store.close()

    asyncio.run(run())


def test_a_tenant_has_no_more_ids_than_its_limit(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, storage={"location": tmp_path / "s", "tenant_ids": 2}) as served:
            recording = motion(served.skeleton, 4)
            for stream_id in ("named", "unnamed"):
                caller = await served.opened(stream_id)
                await caller.send(recording)
                born = next(event.cluster for event in await caller.finish() if isinstance(event, ClusterCreated))
                if stream_id == "named":
                    await served.clusters.RenameCluster(pb.RenameClusterRequest(stream_id="named", id=born, name="jab"))
            with pytest.raises(grpc.aio.AioRpcError, match="at most 2 stream ids, got one more") as refused:
                await served.opened("third")
            assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert served.server.registry.find("third") is None
            again = await served.opened("unnamed")
            assert again.opened.clusters
            await again.finish()
            hour_later = time.time() + HOUR_S
            with patch.object(time, "time", lambda: hour_later):
                await (await served.opened("third")).finish()
            kept = await served.clusters.ListClusters(pb.ListClustersRequest(stream_id="named"))
            assert "jab" in [cluster.name for cluster in kept.clusters]
            with pytest.raises(grpc.aio.AioRpcError, match="expected a stream that is live or was"):
                await served.clusters.ListClusters(pb.ListClustersRequest(stream_id="unnamed"))

    asyncio.run(run())
