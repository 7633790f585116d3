"""All streams of this server, live and retained: opened, left, edited, deleted, reaped, drained.

In: Open requests, edits, the ends of calls, time. Out: LiveStreams with an owner, what they learnt. A stream whose
owner is lost is retained with all it learnt until it is resumed with its token, replaced by a new Open, evicted, or too
old.

A call that waits for the store or a worker holds the lock of its stream's key, so that no other stream waits for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.engine.messages import SessionClusters
from motionscribe_server.errors import (
    ExhaustedError,
    FencedError,
    ForgottenError,
    NotFoundError,
    StoreError,
    UnavailableError,
)
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.edits import Edit
from motionscribe_server.session.explanation import Explanation
from motionscribe_server.settings import Settings
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.store import StoredStream
from motionscribe_server.storage.stored_streams import edit_stored, read_stored, unknown_stream
from motionscribe_server.stream_keys import id_of, tenant_of
from motionscribe_server.streams.catalog import Catalog, LoadedModel
from motionscribe_server.streams.expiry import Expiry
from motionscribe_server.streams.frame_layout import find_layout
from motionscribe_server.streams.key_locks import KeyLocks
from motionscribe_server.streams.life import Life
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.messages import go_away_message, opened_message
from motionscribe_server.streams.open_request import read_open
from motionscribe_server.streams.retirement import retire, write_checkpoint, write_rest
from motionscribe_server.streams.stream_factory import StreamFactory
from motionscribe_server.streams.stream_opener import StreamOpener
from motionscribe_server.streams.stream_table import StreamTable
from motionscribe_server.streams.tasks import Tasks
from motionscribe_server.streams.update_writer import UpdateWriter
from motionscribe_server.workers.pool import Pool

log = logging.getLogger(__name__)

Learnt: TypeAlias = SessionClusters | StoredStream
"""What a stream learnt, as its session or the store says."""
NOT_RESUMED = "no stream of this id and token is here: it ended, was not resumed in time, or its worker died"
ROUND_S = 1.0
"""The longest that reaping waits for streams that it gives up: another one's worker or store may be slow."""


class Registry:
    """Streams by key (stream_keys.py). `now` is a clock in seconds."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        store: AsyncStore,
        pool: Pool,
        metrics: Metrics,
        now: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.catalog = catalog
        self.now = now
        self._store = store
        self._explainer = pool.explainer
        self._table = StreamTable()
        self._locks = KeyLocks()
        self._metrics = metrics

        factory = StreamFactory(settings, catalog, store, pool, metrics, lambda: self.now())
        self._opener = StreamOpener(settings, factory, self._table, self._locks, lambda: self.now())
        self._expiry = Expiry(settings.storage, store)
        self._given_up = Tasks()

    @property
    def streams(self) -> tuple[LiveStream, ...]:
        """All live and retained streams."""
        return tuple(self._table)

    def streams_of(self, tenant: str) -> list[LiveStream]:
        """Those of one tenant that are live or can be resumed, in order of their ids."""
        own = (stream for stream in self._table if tenant_of(stream.info.key) == tenant)
        return sorted((stream for stream in own if stream.life is not Life.GIVEN_UP), key=lambda one: one.info.id)

    def find(self, key: str) -> LiveStream | None:
        """A live or retained stream."""
        return self._table.get(key)

    def live(self, key: str) -> LiveStream:
        """A stream with an owner. Raises NotFoundError."""
        stream = self._table.get(key)
        if stream is None or not stream.life.has_owner:
            there = [other.info.id for other in self.streams_of(tenant_of(key)) if other.life.has_owner]
            raise NotFoundError(
                f"expected a live stream, one of {', '.join(there) or '(there are none)'}, got {id_of(key)!r}"
            )
        return stream

    async def open(self, message: pb.Open, tenant: str = "") -> tuple[LiveStream, UpdateWriter, pb.Opened]:
        """A new or resumed stream, its owner's writer and the answer. Raises ServerError and ContractError."""
        request = read_open(message, tenant)
        async with self._locks.hold(request.key):
            try:
                stream, resumed = await self._opener.open(request)
                learnt = await self._learnt_by(stream)
            except StoreError as error:
                log.exception("stream %s cannot be opened", request.id)
                self._metrics.store_failures.inc()
                raise UnavailableError("the server's store cannot be read or written: reconnect later") from error
            except FencedError as error:  # an Open of before came between, whose client may have left
                raise UnavailableError(f"{error}, which came just now: reconnect") from error
            if stream.life is Life.GIVEN_UP:
                raise UnavailableError(f"stream {request.id!r} failed while it was opened: reconnect")
            writer, credits = stream.attach(message.last_event if resumed else 0, self.now())
        log.info("stream %s %s, epoch %d", stream.info.name, "resumed" if resumed else "opened", stream.epoch)
        not_resumed = "" if resumed or not message.resume_token else NOT_RESUMED
        mapping = find_layout(stream.info.model, message).mapping
        return stream, writer, opened_message(stream, credits, learnt.clusters, resumed, not_resumed, mapping)

    async def leave(self, stream: LiveStream, writer: UpdateWriter, done: bool) -> None:
        """The call of an owner ended; `done` when it had all there will be. Superseded owners change nothing."""
        if not stream.detach(writer, self.now()):
            return
        log.info("stream %s %s", stream.info.name, "closed" if done else "lost its owner")
        if not done and stream.life is not Life.GIVEN_UP:
            await write_rest(stream)
            return
        async with self._locks.hold(stream.info.key):
            if self._table.has(stream) and stream.owner is None:
                await retire(stream, self._table)

    async def reap(self) -> None:
        """Ends calls that say nothing and gives up streams that nobody resumed in time."""
        now = self.now()
        in_use = self._locks.in_use()
        overdue = []
        for stream in self._table:
            stream.request_checkpoint_if_due()
            silent = now - stream.last_message_at
            if stream.owner is not None and not stream.is_busy and silent >= self.settings.limits.idle_timeout_s:
                reason = f"expected a message within {self.settings.limits.idle_timeout_s:g} s, got none"
                stream.owner.end(UnavailableError(reason), [go_away_message(stream.info.token, reason)])
            elif self._is_overdue(stream) and stream.info.key not in in_use:
                overdue.append(stream)
        if overdue:
            tasks = [self._given_up.begin(self._give_up_overdue(stream)) for stream in overdue]
            await asyncio.wait(tasks, timeout=ROUND_S)

    async def renew(self) -> None:
        """What the store has of streams that are here is in use. Raises StoreError."""
        await self._expiry.renew(self._keys())

    async def expire(self) -> None:
        """Deletes what the store has kept for longer than the settings say. Raises StoreError."""
        await self._expiry.expire(self._keys())

    async def drain(self) -> None:
        """Sends every owner away with its token, ends all calls, saves all clusters. No stream opens after this."""
        self._table.is_draining = True
        # a stream that is opened just now has no place in the table yet, but its key is in use
        await asyncio.gather(*map(self._send_away, self._keys()))

    async def learnt(self, key: str) -> Learnt:
        """Clusters and anomalies of a live, retained or stored stream. Raises NotFoundError."""
        stream = self._table.get(key)
        if stream is None or stream.life is Life.GIVEN_UP:
            return await self._store.run(lambda store: read_stored(store, key))
        return await self._learnt_by(stream)

    async def clusters_with_model(self, key: str) -> tuple[LoadedModel, Sequence[ClusterState]]:
        """The model and clusters of a live, retained or stored stream, with exemplars where they are to be kept.

        Raises NotFoundError, UnknownModelError for a model that is not served.
        """
        clusters = (await self.learnt(key)).clusters
        if not self.settings.storage.exemplars:  # they may be older than the setting
            clusters = [replace(cluster, exemplars=()) for cluster in clusters]
        if stream := self._table.get(key):
            return stream.info.model, clusters
        model = await self._store.run(lambda store: store.model_of(key))
        if model is None:
            raise unknown_stream(key)
        name, _, version = model.partition("/")
        return self.catalog.find(name, version), clusters

    async def explain(self, key: str, segment: int) -> Explanation:
        """Why a segment of a live or retained stream has its label, 0 for its newest.

        Raises NotFoundError, ExhaustedError, UnavailableError.
        """
        stream = self._here(key)
        return await self._explainer.explain(stream.info.model.key, lambda: stream.link.recall(segment))

    async def map(self, key: str) -> tuple[LoadedModel, ClusterMap]:
        """Where clusters and moments of a live or retained stream lie. Raises NotFoundError, UnavailableError."""
        stream = self._here(key)
        return stream.info.model, await stream.link.map()

    async def edit(self, key: str, edit: Edit) -> Learnt:
        """The same, after `edit` in the session, or else in the store; saved."""
        async with self._locks.hold(key):
            stream = self._table.get(key)
            try:
                if stream is not None and stream.life is not Life.GIVEN_UP and not self._is_stores(stream):
                    return await stream.edit(edit)
                stored, deferred = await self._store.run(lambda store: edit_stored(store, key, edit))
            except ExhaustedError as error:
                log.warning("stream %s: %s", id_of(key), error)
                raise
            if stream is not None:
                stream.edits.add(deferred)
            return stored

    async def forget(self, key: str) -> None:
        """Deletes a stream, live, retained or stored, and all that is kept of it. Raises NotFoundError, StoreError."""
        async with self._locks.hold(key):
            stream = self._table.get(key)
            if stream is not None:
                self._table.remove(stream)
                stream.give_up(ForgottenError(f"stream {stream.info.id!r} was deleted"))
                stream.link.forget()
            if not await self._store.run(lambda store: store.forget(key)) and stream is None:
                raise unknown_stream(key)
        log.info("stream %s forgotten", stream.info.name if stream else id_of(key))

    def _here(self, key: str) -> LiveStream:
        """Raises NotFoundError."""
        stream = self._table.get(key)
        if stream is None or stream.life is Life.GIVEN_UP:
            raise NotFoundError(f"expected a stream that is live or can be resumed, got {id_of(key)!r}")
        return stream

    async def _learnt_by(self, stream: LiveStream) -> Learnt:
        """Of its session, or of the store where that knows them better."""
        if self._is_stores(stream):
            with contextlib.suppress(NotFoundError):  # nothing of it was ever saved
                return await self._store.run(lambda store: read_stored(store, stream.info.key))
        return await stream.link.clusters()

    @staticmethod
    def _is_stores(stream: LiveStream) -> bool:
        """The store knows its clusters better than its session, which repeats what it told before, or is over."""
        return stream.is_repeating or stream.is_at_rest

    def _is_overdue(self, stream: LiveStream) -> bool:
        """Nobody resumed it in time, or nobody can."""
        if stream.left_at is None:
            return False
        return stream.life is Life.GIVEN_UP or self.now() - stream.left_at >= self.settings.limits.resume_within_s

    async def _give_up_overdue(self, stream: LiveStream) -> None:
        async with self._locks.hold(stream.info.key):
            if self._table.has(stream) and self._is_overdue(stream):
                log.info("stream %s was not resumed", stream.info.name)
                await retire(stream, self._table)

    async def _send_away(self, key: str) -> None:
        async with self._locks.hold(key):
            stream = self._table.get(key)
            if stream is None:
                return
            reason = "the server is about to stop"
            stream.end_calls(UnavailableError(reason), [go_away_message(stream.info.token, reason)])
            await write_checkpoint(stream)
            await write_rest(stream)

    def _keys(self) -> frozenset[str]:
        """The keys of all streams that are here, and of those that something is done to."""
        return self._table.keys() | self._locks.in_use()
