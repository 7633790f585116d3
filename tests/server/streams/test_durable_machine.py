"""Server and client together as a state machine: durable streams through cuts, dead workers, failovers and edits.

Two servers share a store, and a proxy decides which of them the client reaches; to be parted from one for good is what
its death looks like. Whatever happens, every frame is labelled once, and what a user was answered is never undone.
`MOTIONSCRIBE_EXAMPLES` sets how many streams are driven, each through up to 25 steps.
"""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from benchmarks.faults.proxy import Proxy
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.support.serving import Served, alone, final, motion, process_of, serving
from tests.support.tiling import require_whole
from tests.support.told_source import Told
from tests.support.waiting import until

from motionscribe import AsyncClient, Backoff
from motionscribe.connection.stream import AsyncStream
from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterNamed, Event, SegmentEnded, SegmentStarted
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.options import SessionOptions

SECONDS = 12
EXAMPLES = int(os.environ.get("MOTIONSCRIBE_EXAMPLES", "6"))


class Durable(RuleBasedStateMachine):
    """One durable stream of the shipped client, and a user who names and merges what he sees."""

    runner: asyncio.Runner
    servers: Sequence[Served]
    proxy: Proxy
    client: AsyncClient
    delays: dict[int, float]
    numbers = itertools.count()

    @initialize(provisional=st.booleans(), seed=st.integers(0, 3))
    def begin(self, provisional: bool, seed: int) -> None:
        """A stream id that nobody had."""
        self.recording = motion(self.servers[0].skeleton, SECONDS, seed)
        self.id, self.sent = f"machine-{next(self.numbers)}", 0
        self.names: dict[int, str] = {}
        self.merged: dict[int, int] = {}
        self.unsure: set[int] = set()
        """Clusters of which an edit was answered with an error: it may have been made."""
        self.events: list[Event] = []
        self.run(self.connect(provisional))

    def run(self, work: Awaitable[Any], patience_s: float = 60) -> Any:
        """In the loop of servers and client."""

        async def within() -> Any:
            async with asyncio.timeout(patience_s):
                return await work

        return self.runner.run(within())

    async def connect(self, provisional: bool) -> None:
        """The stream, and what takes its events."""
        self.source = Told(self.recording)
        self.stream: AsyncStream = self.client.stream(
            self.source, stream_id=self.id, durable=True, provisional=provisional
        )
        await self.stream.open()

        async def listen() -> None:
            async for event in self.stream:
                self.events.append(event)

        self.listening = asyncio.create_task(listen())

    @property
    def served(self) -> Served:
        """The server that the client reaches."""
        return next(served for served in self.servers if served.server.port == self.proxy.target)

    async def owned(self) -> None:
        """Returns when the client has its stream at the server that it reaches, whose stream may be an old one."""
        find = self.served.server.registry.find
        await until(lambda: (stream := find(self.id)) is not None and stream.epoch == self.stream.opened.epoch)

    @rule(sizes=st.lists(st.integers(1, 150), min_size=1, max_size=4))
    def send(self, sizes: list[int]) -> None:
        """Frames, flat out, in blocks of any sizes."""
        for size in sizes:
            rows = slice(self.sent, min(self.sent + size, len(self.recording.frames)))
            if rows.start < rows.stop:
                block = FrameBlock(rows.start + 1, self.recording.frames[rows], self.recording.timestamps_us[rows])
                self.source.queue.put_nowait(block)
                self.sent = rows.stop

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.4]))
    def go_on(self, seconds: float) -> None:
        """Time passes."""
        self.run(asyncio.sleep(seconds))

    @rule()
    def settle(self) -> None:
        """All frames are computed."""

        async def computed() -> None:
            find = self.served.server.registry.find
            await until(lambda: (stream := find(self.id)) is not None and stream.computed_seq == self.sent)

        self.run(computed())

    @rule()
    def checkpoint(self) -> None:
        """One comes earlier than it had to."""
        stream = self.served.server.registry.find(self.id)
        if stream is not None and stream.life.has_owner:
            self.run(asyncio.wait([asyncio.ensure_future(stream.checkpoint(), loop=self.runner.get_loop())]))

    @rule(how=st.sampled_from(["reset", "drop"]))
    def cut(self, how: str) -> None:
        """The connection breaks."""
        getattr(self.proxy, how)()

    @rule()
    def kill_worker(self) -> None:
        """With everything that it has computed."""
        stream = self.served.server.registry.find(self.id)
        if stream is not None and stream.link.worker in self.served.server.pool.workers:
            process_of(stream.link.worker).kill()

    @rule()
    def fail_over(self) -> None:
        """The other server goes on, from what the store has."""
        other = next(served for served in self.servers if served is not self.served)
        self.proxy.part(other.server.port)

    @rule(delay_s=st.sampled_from([0.0, 0.05, 0.3]))
    def slow_store(self, delay_s: float) -> None:
        """Each access to the store takes so long."""
        for served in self.servers:
            self.delays[served.server.port] = delay_s

    @rule(which=st.integers(0, 63), name=st.sampled_from(["walk", "jump", "näme", ""]))
    def rename(self, which: int, name: str) -> None:
        """A cluster that is listed."""
        if found := sorted(self.listed()):
            id = found[which % len(found)]
            self.edit({id}, self.served.clusters.RenameCluster, {"id": id, "name": name}, lambda: self.name(id, name))

    def name(self, id: int, name: str) -> None:
        """It was answered OK."""
        self.names[id] = name
        self.unsure.discard(id)

    @precondition(lambda self: len(self.merged) < 2)
    @rule(which=st.integers(0, 63), other=st.integers(0, 62))
    def merge(self, which: int, other: int) -> None:
        """Two clusters that the motion has shown."""
        seen = sorted(id for id, cluster in self.listed().items() if cluster.segments and not cluster.merged_into)
        if len(seen) < 2 or self.unsure:
            return
        source = seen.pop(which % len(seen))
        target = seen[other % len(seen)]
        fields = {"sources": [source], "target": target}
        self.edit({source, target}, self.served.clusters.MergeClusters, fields, lambda: self.join(source, target))

    def join(self, source: int, target: int) -> None:
        """It was answered OK."""
        self.merged[source] = target
        self.names.pop(source, None)
        self.unsure.add(target)  # it may have got the name of the source

    def listed(self) -> dict[int, pb.Cluster]:
        """What the server lists now, which never lacks an edit."""

        async def ask() -> dict[int, pb.Cluster]:
            await self.owned()
            answer = await self.served.clusters.ListClusters(pb.ListClustersRequest(stream_id=self.id))
            return {cluster.id: cluster for cluster in answer.clusters}

        try:
            found: dict[int, pb.Cluster] = self.run(ask())
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return {}
        self.require_edits(found)
        return found

    def edit(self, about: set[int], method: Any, fields: dict[str, Any], done: Callable[[], None]) -> None:
        """Either it is answered, and then it is for good, or there is an error."""
        kind = pb.RenameClusterRequest if "id" in fields else pb.MergeClustersRequest
        try:
            self.run(method(kind(stream_id=self.id, **fields)))
        except grpc.aio.AioRpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED):
                raise
            self.unsure |= about
        else:
            done()

    def require_edits(self, found: dict[int, pb.Cluster]) -> None:
        """Names and merges are those that were answered."""
        for id, name in self.names.items():
            assert id in self.unsure or found[id].name == name, (id, name, found[id].name)
        for source, target in self.merged.items():
            assert found[source].merged_into == target

    @precondition(lambda self: self.sent > 200)
    @rule()
    def finish(self) -> None:
        """Every frame is labelled once, in order; then another stream begins."""
        self.end()
        self.begin(provisional=True, seed=self.sent % 4)

    def end(self) -> None:
        """All that is owed comes."""
        for served in self.servers:
            self.delays[served.server.port] = 0.0
        self.source.queue.put_nowait(None)
        self.run(self.listening)
        require_whole(final(self.events), self.sent)
        if self.sent and not self.merged and not self.unsure:
            rows = slice(0, self.sent)
            sent = self.recording.frames[rows], self.recording.timestamps_us[rows]
            part = Recording("sent", *sent, self.served.skeleton)
            expected = alone(self.served, part, SessionOptions(provisional=False))
            assert nameless(final(self.events)) == nameless(expected)
        answer = self.run(self.served.clusters.ListClusters(pb.ListClustersRequest(stream_id=self.id)))
        self.require_edits({cluster.id: cluster for cluster in answer.clusters})

    def teardown(self) -> None:
        """What is still open is ended, and checked as well."""
        if hasattr(self, "listening"):
            self.end()


def nameless(events: Sequence[Event]) -> list[Event]:
    """Events without the names that a user gave."""
    told = (event for event in events if not isinstance(event, ClusterNamed))
    return [replace(event, name="") if isinstance(event, SegmentStarted | SegmentEnded) else event for event in told]


@pytest.fixture
def machine(tiny_model: Path, tmp_path: Path) -> Iterator[type[Durable]]:
    """With two servers, each of two workers, that last for all examples."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start() -> None:
            Durable.servers = [
                await stack.enter_async_context(serving(tiny_model, tmp_path, server={"workers": 2})) for _ in range(2)
            ]
            Durable.delays = {}
            for served in Durable.servers:
                slow_down(served)
            Durable.client = await stack.enter_async_context(
                AsyncClient(f"127.0.0.1:{proxy.port}", backoff=Backoff(first_s=0.05, longest_s=0.2, attempts=1000))
            )

        def slow_down(served: Served) -> None:
            store = served.server.store
            run, port = store.run, served.server.port

            async def slow(work: Any) -> Any:
                await asyncio.sleep(Durable.delays.get(port, 0.0))
                return await run(work)

            store.run = slow  # type: ignore[method-assign]  # a slower one of the same kind

        with Proxy(0) as proxy:
            runner.run(start())
            proxy.target = Durable.servers[0].server.port
            Durable.runner, Durable.proxy = runner, proxy
            yield Durable
            runner.run(stack.aclose())
        # others count the streams that are alive
        del Durable.servers, Durable.client


def test_nothing_is_lost_repeated_or_undone(machine: type[Durable]) -> None:
    run_state_machine_as_test(
        machine,
        # a failure is not made smaller: each try may wait for its time-outs
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
        ),
    )
