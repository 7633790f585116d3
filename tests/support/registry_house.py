"""A registry on made-up workers and a real store, each behind a gate, and a clock that a test moves.

Workers answer at once, unless a test shuts their gate. Whoever leaves the house leaves no lock behind.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.support.fake_workers import FakeLink, FakePool, Gate, GatedStore
from tests.support.made_up_session import made_up_model

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.engine.messages import EngineInfo
from motionscribe_server.errors import (
    ServerError,
)
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import Rename
from motionscribe_server.settings import Settings
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.streams.catalog import Catalog, LoadedModel
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.registry import Registry
from motionscribe_server.streams.update_writer import UpdateWriter
from motionscribe_server.workers.pool import Pool

MODEL = LoadedModel(made_up_model(), EngineInfo("fp32", "none", "", ()))
EDIT = Rename(1, "edited")
Opened = tuple[LiveStream, UpdateWriter, pb.Opened]


@dataclass
class House:
    """A registry and what it stands on."""

    registry: Registry
    pool: FakePool
    store: GatedStore
    now: float = 0.0

    async def open(self, stream_id: str, token: str = "", durable: bool = False) -> Opened:
        """An Open that fits the model."""
        delivery = pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE
        features = pb.FeatureNames(names=MODEL.manifest.skeleton.columns)
        message = pb.Open(stream_id=stream_id, features=features, resume_token=token, delivery=delivery)
        return await self.registry.open(message)

    async def lost(self, stream_id: str) -> str:
        """A stream that was opened and lost its owner; its token."""
        stream, writer, opened = await self.open(stream_id)
        await self.registry.leave(stream, writer, done=False)
        return opened.resume_token

    @property
    def keys(self) -> set[str]:
        """Of the streams that are there; each has one session, and no session is left over."""
        streams = self.registry.streams
        assert {link_of(stream) for stream in streams} == set(self.pool.sessions)
        return {stream.info.key for stream in streams}

    def gate_of(self, stream_id: str) -> Gate:
        """Of the session of a stream that is there."""
        return link_of(self.stream(stream_id)).gate

    def stream(self, stream_id: str) -> LiveStream:
        """One that is there."""
        stream = self.registry.find(stream_id)
        assert stream is not None
        return stream

    def new_store_gate(self) -> Gate:
        """Shuts the gate for whoever asks the store now; `later` callers pass once `let_others_pass` was called."""
        self.store.gate.shut()
        return self.store.gate

    def let_others_pass(self) -> None:
        """Who asks the store from now on does not wait; who asked before still does."""
        self.store.gate = Gate()


def link_of(stream: LiveStream) -> FakeLink:
    """The made-up session of a stream."""
    return cast(FakeLink, stream.link)


@asynccontextmanager
async def house(folder: Path, max_streams: int = 256) -> AsyncIterator[House]:
    """With a clock that stands still until a test moves it."""
    pool, store = FakePool(), GatedStore(SqliteStore(folder / "store.sqlite"))
    limits = {"resume_within_s": 100.0, "max_streams": max_streams}
    chosen = Settings.model_validate({"server": {"models": folder}, "limits": limits})
    registry = Registry(chosen, Catalog([MODEL]), store, cast(Pool, pool), Metrics(), lambda: 0.0)
    built = House(registry, pool, store)
    registry.now = lambda: built.now
    try:
        async with asyncio.timeout(20):
            yield built
            assert not registry._locks.in_use()  # noqa: SLF001  # nobody but a test asks for these books
    finally:
        store.gate.open()
        await store.close()


async def begun(work: Coroutine[Any, Any, Any], gate: Gate) -> asyncio.Task[Any]:
    """Runs until it waits at the gate."""
    task, before = asyncio.create_task(work), gate.waiting
    while gate.waiting == before:
        assert not task.done(), "it never came to the gate"
        await asyncio.sleep(0.001)
    return task


async def waits(task: asyncio.Task[Any]) -> bool:
    """It does not end by itself."""
    await asyncio.sleep(0.05)
    return not task.done()


async def end_of(writer: UpdateWriter) -> Exception | None:
    """What ends the call of a writer."""

    async def nothing(*_: object) -> None:
        pass

    try:
        async with asyncio.timeout(5):
            await writer.drain(nothing, nothing, 5)
    except ServerError as error:
        return error
    return None
