"""A real server on a free port within a test's event loop, a caller that speaks the bare protocol to it, and motion."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.repository import read_bundle
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages, events_to_messages, frames_to_message
from motionscribe_proto.codec import skeleton_to_message as to_message
from motionscribe_proto.events import Event, Label
from motionscribe_proto.frames import FrameBlock
from motionscribe_proto.segmentation_pb2_grpc import ClustersStub, ModelsStub, SegmentationStub
from motionscribe_server.engine.inference import Inference
from motionscribe_server.server import Server
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.settings import Settings
from motionscribe_server.streams.catalog import LoadedModel
from motionscribe_server.workers.process import WorkerProcess
from motionscribe_server.workers.subprocess_transport import SubprocessTransport

PATIENCE_S = 20.0


@cache
def engine_of(model: Path) -> Inference:
    """Loading a model takes a while, and it holds no state of streams."""
    return Inference(read_bundle(model), batch_sizes=(1, 4))


@asynccontextmanager
async def serving(tiny_model: Path, folder: Path, **groups: dict[str, Any]) -> AsyncIterator["Served"]:
    """A server of the tiny model whose store lies in `folder`, and a channel to it.

    `groups` are settings that differ from those of other tests, as in limits={"credits": 8}.
    """
    usual: dict[str, dict[str, Any]] = {
        "server": {"models": tiny_model.parent.parent, "port": 0, "grace_s": 1, "workers": 1},
        "storage": {"location": folder / "names.sqlite"},
        "model": {"batch_sizes": (1, 4)},
    }
    settings = {name: usual.get(name, {}) | groups.get(name, {}) for name in usual | groups}
    server = Server(Settings.model_validate(settings), [ServedModel(read_bundle(tiny_model))])
    await server.start()
    served = None
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            served = Served(server, channel, server.registry.catalog.models[0], engine_of(tiny_model))
            yield served
    finally:
        if served is None or not served.stopped:
            await server.stop()


@contextmanager
def shared(tiny_model: Path, folder: Path) -> Iterator["Shared"]:
    """`serving` for many tests: its loop runs while one of them does."""
    with asyncio.Runner() as runner:
        context = serving(tiny_model, folder)
        served = runner.run(context.__aenter__())
        try:
            yield Shared(runner, served)
        finally:
            runner.run(context.__aexit__(None, None, None))


@dataclass(frozen=True)
class Shared:
    """A server whose starting costs more than what a test asks of it. Each test has stream ids of its own."""

    runner: asyncio.Runner
    served: "Served"

    def run(self, test: Callable[["Served"], Awaitable[None]]) -> None:
        """Runs what a test does with the server, in the server's loop."""

        async def within() -> None:
            await test(self.served)

        self.runner.run(within())


@dataclass
class Served:
    """What a test talks to."""

    server: Server
    channel: grpc.aio.Channel
    model: LoadedModel
    engine: Inference
    """Of the same model, for replays."""
    stopped: bool = False

    @property
    def skeleton(self) -> Skeleton:
        """The model's."""
        return self.model.manifest.skeleton

    async def stop(self) -> None:
        """Stops the server before the test ends."""
        self.stopped = True
        await self.server.stop()

    def call(self) -> "Caller":
        """A new Stream call."""
        return Caller(SegmentationStub(self.channel).Stream(), self.skeleton)

    async def opened(self, stream_id: str = "lab", **fields: Any) -> "Caller":
        """A Stream call after its Opened."""
        caller = self.call()
        await caller.open(stream_id, **fields)
        return caller

    @property
    def segmentation(self) -> SegmentationStub:
        """Stub."""
        return SegmentationStub(self.channel)

    @property
    def models(self) -> ModelsStub:
        """Stub."""
        return ModelsStub(self.channel)

    @property
    def clusters(self) -> ClustersStub:
        """Stub."""
        return ClustersStub(self.channel)

    async def lost(self, stream_id: str) -> None:
        """Returns when the server has noticed that the owner of a stream is gone."""
        registry = self.server.registry
        await until(lambda: (stream := registry.find(stream_id)) is None or stream.owner is None)


@dataclass
class Caller:
    """A client of one Stream call that does nothing by itself."""

    call: Any
    skeleton: Skeleton
    opened: pb.Opened = field(default_factory=pb.Opened)
    updates: list[pb.Update] = field(default_factory=list)
    away: pb.GoAway | None = None

    async def open(self, stream_id: str = "lab", **fields: Any) -> pb.Opened:
        """Sends Open, waits for Opened."""
        if not {"skeleton", "features"} & fields.keys():
            fields["skeleton"] = to_message(self.skeleton)
        await self.write(open=pb.Open(stream_id=stream_id, **fields))
        response = await asyncio.wait_for(self.call.read(), PATIENCE_S)
        if response is grpc.aio.EOF:
            await self.call  # raises the status
        self.opened = response.opened
        return self.opened

    async def write(self, **message: Any) -> None:
        """One request."""
        await self.call.write(pb.StreamRequest(**message))

    async def send(self, recording: Recording, start: int = 0, end: int | None = None, block: int = 30) -> None:
        """Frames [start, end) of a recording; frame k has seq k + 1. Waits for credits as a client must."""
        end = len(recording.frames) if end is None else end
        for first in range(start, end, block):
            last = min(first + block, end)
            while last - start > self.credits:
                await self.read()
            frames = FrameBlock(first + 1, recording.frames[first:last], recording.timestamps_us[first:last])
            await self.write(frames=frames_to_message(frames))

    @property
    def credits(self) -> int:
        """All frames that were granted on this call."""
        return self.opened.credits + sum(update.credits for update in self.updates)

    @property
    def received_seq(self) -> int:
        """As the server last said."""
        return self.updates[-1].received_seq if self.updates else 0

    async def read(self) -> bool:
        """One response; False at the end of the call."""
        response = await asyncio.wait_for(self.call.read(), PATIENCE_S)
        if response is grpc.aio.EOF:
            return False
        if response.HasField("go_away"):
            self.away = response.go_away
        else:
            self.updates.append(response.update)
        return True

    async def finish(self) -> list[Event]:
        """Close, then everything until the call ends well."""
        await self.write(close=pb.Close())
        return await self.rest()

    async def rest(self) -> list[Event]:
        """Everything until the call ends well."""
        while await self.read():
            pass
        assert await self.call.code() == grpc.StatusCode.OK, await self.call.details()
        return self.events

    async def failure(self) -> tuple[grpc.StatusCode, str]:
        """Reads until the call ends with an error; its status and message."""
        try:
            while await asyncio.wait_for(self.read(), PATIENCE_S):
                pass
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
        return await self.call.code(), await self.call.details()

    async def events_until(self, enough: Callable[[Sequence[Event]], bool]) -> list[Event]:
        """Reads until the events of this call are enough."""
        while not enough(self.events):
            assert await self.read(), f"the call ended: {await self.call.details()}"
        return self.events

    @property
    def events(self) -> list[Event]:
        """All events of this call."""
        return [event for update in self.updates for event in events_from_messages(update.events)]

    @property
    def numbers(self) -> list[int]:
        """Their numbers."""
        return [
            update.first_event + i for update in self.updates for i in range(len(events_from_messages(update.events)))
        ]


def process_of(worker: WorkerProcess) -> subprocess.Popen[bytes]:
    """The process behind a worker's transport."""
    assert isinstance(worker.transport, SubprocessTransport)
    assert worker.transport.process is not None
    return worker.transport.process


async def until(condition: Callable[[], bool]) -> None:
    """Returns when `condition` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.002)


def motion(skeleton: Skeleton, seconds: float, seed: int = 0) -> Recording:
    """Made-up motion at the skeleton's rate that changes its manner every two seconds."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * skeleton.rate_hz)) / skeleton.rate_hz
    manner = (times // 2).astype(int) % 3
    rates, sizes = rng.uniform(0.3, 3, (3, skeleton.width)), rng.uniform(0.05, 1.0, (3, skeleton.width))
    frames = sizes[manner] * np.sin(2 * np.pi * rates[manner] * times[:, None])
    return Recording("made up", frames.astype(np.float32), even_times(len(times), skeleton.rate_hz), skeleton)


def alone(served: Served, recording: Recording, options: SessionOptions) -> list[Event]:
    """The events of a recording without any server, as they arrive over the wire."""
    return wired(emitted.event for emitted in replay(served.model.served, served.engine, recording, options))


def wired(events: Iterable[Event]) -> list[Event]:
    """Events after a journey as messages: float32 where they were float64."""
    return events_from_messages(events_to_messages(list(events)))


def final(events: Sequence[Event]) -> list[Event]:
    """All but provisional labels."""
    return [event for event in events if not (isinstance(event, Label) and not event.final)]
