"""What is kept of one durable stream for the time after this server: its events, edits and checkpoints.

In: numbered events, edits, snapshots of its session. Out: rows in a store from which another server goes on.
Provisional labels and anomaly scores use up numbers but are not written, since newer ones replace them. The epoch
fences: an owner that lost the stream can write no more of it. When something is written is decided in durability.py.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.session.edits import PlacedEdit
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.checkpoints import Checkpoint, KeptStream, Numbered
from motionscribe_server.storage.store import Store
from motionscribe_server.stream_keys import digest
from motionscribe_server.streams.catalog import LoadedModel
from motionscribe_server.streams.event_backlog import is_provisional
from motionscribe_server.streams.frame_flow import Position
from motionscribe_server.streams.kept_edits import KeptEdits
from motionscribe_server.streams.open_request import OpenRequest
from motionscribe_server.streams.to_the_end import to_the_end


class Extent(NamedTuple):
    """How far a session was at its snapshot."""

    computed: Position
    last_event: int
    edits: int
    """Number of the last edit that it had made."""


class Journal:
    """The rows of one stream, from a checkpoint on. Raises StoreError and FencedError."""

    def __init__(self, store: AsyncStore, kept: KeptStream) -> None:
        self._store = store
        self.newest = replace(kept.checkpoint, snapshot=None)  # it is large, and in the store
        """The newest checkpoint, without its snapshot."""
        self.is_whole = kept.checkpoint.whole
        """A stream can go on from the newest checkpoint."""
        self.edits = KeptEdits(kept)
        self._unwritten: list[tuple[int, bytes]] = []
        self._unwritten_edits: list[tuple[int, bytes]] = []
        self._settled: list[int] = []  # tickets
        self._writing = asyncio.Lock()

    def note(self, first: int, events: Sequence[pb.Event]) -> None:
        """Events numbered from `first` on, to be written with the next flush."""
        for number, event in enumerate(events, first):
            if not is_provisional(event):
                self._unwritten.append((number, event.SerializeToString()))

    def note_edits(self, edits: Sequence[PlacedEdit]) -> None:
        """Edits that the session made, to be written with the next flush: before any event that follows them."""
        rows, tickets = self.edits.note(edits)
        self._unwritten_edits += rows
        self._settled += tickets

    def drop_edit(self, ticket: int) -> None:
        """A deferred edit cannot be made; with the next flush the store forgets it."""
        self.edits.drop(ticket)
        self._settled.append(ticket)

    async def flush(self) -> None:
        """Returns when everything that was noted is written."""
        await to_the_end(self._flush())

    async def _flush(self) -> None:
        async with self._writing:
            events, edits, tickets = list(self._unwritten), list(self._unwritten_edits), list(self._settled)
            if events or edits or tickets:
                key, epoch = self.newest.key, self.newest.epoch
                await self._store.run(lambda store: store.checkpoints.append(key, epoch, events, edits, tickets))
                del self._unwritten[: len(events)]
                del self._unwritten_edits[: len(edits)]
                del self._settled[: len(tickets)]

    async def claim(self) -> int:
        """Takes the stream over, from this server or another; returns the epoch from now on."""
        return await to_the_end(self._claim())

    async def _claim(self) -> int:
        async with self._writing:
            key, epoch = self.newest.key, self.newest.epoch
            epoch = await self._store.run(lambda store: store.checkpoints.claim(key, epoch))
            self.newest = replace(self.newest, epoch=epoch)
        return epoch

    async def as_owner(self, work: Callable[[Store, int], None]) -> None:
        """Has `work` done with the store and the epoch that this owner has then."""
        async with self._writing:
            epoch = self.newest.epoch
            await to_the_end(self._store.run(lambda store: work(store, epoch)))

    async def read_deferred(self) -> None:
        """Finds edits that were answered elsewhere since the newest checkpoint."""
        key = self.newest.key
        self.edits.defer(await self._store.run(lambda store: store.checkpoints.deferred(key)))

    async def keep(self, snapshot: bytes | None, extent: Extent, acknowledged: int, refusal: str) -> None:
        """Writes a checkpoint; without a snapshot it is the last one."""
        await to_the_end(self._keep(snapshot, extent, acknowledged, refusal))

    async def _keep(self, snapshot: bytes | None, extent: Extent, acknowledged: int, refusal: str) -> None:
        await self._flush()  # a checkpoint never speaks of events that are not there
        async with self._writing:
            checkpoint = replace(
                self.newest,
                snapshot=snapshot,
                next_seq=extent.computed.next_seq,
                last_us=extent.computed.last_us,
                last_event=extent.last_event,
                edits=extent.edits,
                closed=snapshot is None,
                refusal=refusal,
                saved_s=time.time(),
            )
            deferred = await self._store.run(lambda store: store.checkpoints.keep(checkpoint, acknowledged))
            self.newest, self.is_whole = replace(checkpoint, snapshot=None), True
            self.edits.defer(deferred)


async def begin_journal(store: AsyncStore, request: OpenRequest, model: LoadedModel, name: str, token: str) -> Journal:
    """The journal of a new stream; whatever had its key is forgotten. Raises StoreError and FencedError.

    Epochs begin with the time: an owner of before, whose stream was deleted meanwhile, cannot have the same.
    """
    before = await store.run(lambda store: store.checkpoints.find(request.key))
    first = Checkpoint(
        key=request.key,
        epoch=max(before.checkpoint.epoch + 1 if before else 1, round(1000 * time.time())),
        token=digest(token),
        name=name,
        model=model.manifest.name,
        version=model.manifest.version,
        lag=request.options.lag,
        provisional=request.options.provisional,
        rate_hz=request.options.rate_hz or model.manifest.skeleton.rate_hz,
        next_seq=1,
        last_us=None,
        last_event=0,
        edits=0,
        closed=False,
        refusal="",
        saved_s=time.time(),
        snapshot=None,
    )
    await store.run(lambda store: store.checkpoints.begin(first))
    return Journal(store, KeptStream(first, (), (), ()))


def read_events(rows: Numbered) -> list[tuple[int, pb.Event]]:
    """Numbered events as they were noted."""
    return [(number, pb.Event.FromString(event)) for number, event in rows]
