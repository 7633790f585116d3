"""A real server on a free port within a test's event loop, motion for it, and what it must answer."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from tests.support.caller import Caller
from tests.support.forked_workers import copy_process
from tests.support.waiting import until

from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.repository import read_bundle
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages, events_to_messages, frames_to_message, skeleton_to_message
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
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.workers.process import WorkerProcess
from motionscribe_server.workers.subprocess_transport import SubprocessTransport


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
        "server": {
            "models": tiny_model.parent.parent,
            "load": (tiny_model.parent.name,),
            "port": 0,
            "workers": 1,
        },
        "storage": {"location": folder / "names.sqlite"},
        "model": {"batch_sizes": (1, 4)},
    }
    settings = {name: usual.get(name, {}) | groups.get(name, {}) for name in usual | groups}
    transport = partial(SubprocessTransport, copy_process)
    server = Server(Settings.model_validate(settings), [ServedModel(read_bundle(tiny_model))], transport)
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
def shared(tiny_model: Path, folder: Path, **groups: dict[str, Any]) -> Iterator["Shared"]:
    """`serving` for many tests: its loop runs while one of them does."""
    with asyncio.Runner() as runner:
        context = serving(tiny_model, folder, **groups)
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

    def call(self) -> Caller:
        """A new Stream call."""
        return Caller(SegmentationStub(self.channel).Stream(), self.skeleton)

    async def opened(self, stream_id: str = "lab", **fields: Any) -> Caller:
        """A Stream call after its Opened."""
        caller = self.call()
        await caller.open(stream_id, **fields)
        return caller

    async def durable(self, recording: Recording, stop: int) -> Caller:
        """A call of durable stream "lab" that sent the first `stop` frames of a recording, all of them computed."""
        caller = await self.opened(delivery=pb.DELIVERY_DURABLE)
        await caller.send(recording, 0, stop)
        await self.computed(stop)
        return caller

    def open_request(self, stream_id: str) -> pb.StreamRequest:
        """An Open of this model, as a message."""
        return pb.StreamRequest(open=pb.Open(stream_id=stream_id, skeleton=skeleton_to_message(self.skeleton)))

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

    def counted(self, name: str, **labels: str) -> float:
        """A metric that the server has; 0 where none bears these labels yet."""
        value = self.server.metrics.registry.get_sample_value(name, labels)
        if value is None:
            assert labels, f"no metric {name}"
            return 0.0
        return value

    def stream(self, stream_id: str) -> LiveStream:
        """A stream that the server has, live or retained."""
        stream = self.server.registry.find(stream_id)
        assert stream is not None
        return stream

    async def computed(self, seq: int, stream_id: str = "lab") -> None:
        """Returns when the frames up to `seq` of a stream are computed, and no others came."""
        stream = self.stream(stream_id)
        await until(lambda: stream.computed_seq == seq)

    async def lost(self, stream_id: str) -> None:
        """Returns when the server has noticed that the owner of a stream is gone."""
        registry = self.server.registry
        await until(lambda: (stream := registry.find(stream_id)) is None or stream.owner is None)


def process_of(worker: WorkerProcess) -> subprocess.Popen[bytes]:
    """The process behind a worker's transport."""
    assert isinstance(worker.transport, SubprocessTransport)
    assert worker.transport.process is not None
    return worker.transport.process


def motion(skeleton: Skeleton, seconds: float, seed: int = 0) -> Recording:
    """Made-up motion at the skeleton's rate that changes its manner every two seconds."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * skeleton.rate_hz)) / skeleton.rate_hz
    manner = (times // 2).astype(int) % 3
    rates, sizes = rng.uniform(0.3, 3, (3, skeleton.width)), rng.uniform(0.05, 1.0, (3, skeleton.width))
    frames = sizes[manner] * np.sin(2 * np.pi * rates[manner] * times[:, None])
    return Recording("made up", frames.astype(np.float32), even_times(len(times), skeleton.rate_hz), skeleton)


def still_frames(served: Served, first_seq: int, count: int = 3, **changes: Any) -> pb.Frames:
    """Frames that do not move, at the skeleton's rate, but for `changes` of their block."""
    times = np.round((first_seq - 1 + np.arange(count)) * 1e6 / served.skeleton.rate_hz).astype(np.int64)
    block = FrameBlock(first_seq, np.zeros((count, served.skeleton.width), np.float32), times)
    return frames_to_message(replace(block, **changes))


def alone(served: Served, recording: Recording, options: SessionOptions) -> list[Event]:
    """The events of a recording without any server, as they arrive over the wire."""
    return wired(emitted.event for emitted in replay(served.model.served, served.engine, recording, options))


def wired(events: Iterable[Event]) -> list[Event]:
    """Events after a journey as messages: float32 where they were float64."""
    return events_from_messages(events_to_messages(list(events)))


def final(events: Sequence[Event]) -> list[Event]:
    """All but provisional labels."""
    return [event for event in events if not (isinstance(event, Label) and not event.final)]


def labels_by_frame(events: Sequence[Event], frames: int) -> NDArray[np.int64]:
    """Clusters (n,) of the final labels, 0 for a frame that has none."""
    found = np.zeros(frames, np.int64)
    for event in final(events):
        if isinstance(event, Label):
            found[event.start_seq - 1 : event.end_seq - 1] = event.cluster
    return found
