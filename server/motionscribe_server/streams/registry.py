"""All streams of this server, live and retained: who may open, resume, watch, and when a stream is given up.

In: Open requests, the ends of calls, time. Out: Streams with an owner. A stream whose owner is lost is retained with
all it learnt until it is resumed with its token, replaced by a new Open, or too old.
"""

import asyncio
import hmac
import logging
import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import Event
from motionscribe_server.engine.messages import SessionClusters
from motionscribe_server.errors import (
    ExhaustedError,
    FencedError,
    ForgottenError,
    InUseError,
    NotFoundError,
    StoreError,
    SupersededError,
    UnavailableError,
)
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.edits import Edit
from motionscribe_server.session.options import Lag, SessionOptions
from motionscribe_server.settings import Settings
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.checkpoints import Checkpoint
from motionscribe_server.stream_keys import digest, id_of, tenant_of
from motionscribe_server.streams.catalog import Catalog, LoadedModel
from motionscribe_server.streams.journal import Journal, begin, events_of
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.messages import go_away, opened
from motionscribe_server.streams.open_request import OpenRequest, read_open
from motionscribe_server.streams.update_writer import UpdateWriter
from motionscribe_server.workers.pool import Pool
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)

EXPIRE_EVERY_S = 3600.0
Kept = tuple[Checkpoint, list[tuple[int, bytes]]]


class Registry:
    """Streams by key (access.py). `now` is a clock in seconds."""

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
        self._store = store
        self._pool = pool
        self._metrics = metrics
        self.now = now
        self._streams: dict[str, LiveStream] = {}
        # open_request and editing wait for the store in between
        self._opening = asyncio.Lock()
        self._draining = False
        self._expired = -math.inf

    def find(self, key: str) -> LiveStream | None:
        """A live or retained stream."""
        return self._streams.get(key)

    def live(self, key: str) -> LiveStream:
        """A stream with an owner. Raises NotFoundError."""
        stream = self._streams.get(key)
        if stream is None or stream.owner is None:
            live = sorted(s.id for s in self._of(tenant_of(key)) if s.owner)
            there = ", ".join(live) or "(there are none)"
            raise NotFoundError(f"expected a live stream, one of {there}, got {id_of(key)!r}")
        return stream

    async def open(self, request: pb.Open, tenant: str = "") -> tuple[LiveStream, UpdateWriter, pb.Opened]:
        """A new or resumed stream, its owner's writer and the answer. Raises ServerError and ContractError."""
        open_request = read_open(request, tenant)
        async with self._opening:
            if self._draining:
                raise UnavailableError("the server is about to stop: reconnect later")
            stream = self._streams.get(open_request.key)
            resumed = stream is not None and await self._take_over(stream, request)
            if stream is None or not resumed:
                kept = await self._find_kept(open_request)
                resumed = kept is not None
                stream = await (
                    self._restore(open_request, stream, *kept) if kept else self._create(open_request, stream)
                )
            known = await stream.link.clusters()
            writer, credits = stream.attach(request.last_event if resumed else 0)
            stream.last_message_at = self.now()
        log.info("stream %s %s, epoch %d", stream.name, "resumed" if resumed else "opened", stream.epoch)
        return stream, writer, opened(stream, resumed, credits, known)

    async def leave(self, stream: LiveStream, writer: UpdateWriter, done: bool) -> None:
        """The call of an owner ended; `done` when it had all there will be. Superseded owners change nothing."""
        if stream.owner is not writer:
            return
        stream.owner, stream.left = None, self.now()
        log.info("stream %s %s", stream.name, "closed" if done else "lost its owner")
        stream.touch()
        if done or stream.broken:
            await self._give_up(stream)
        else:
            await self._write(stream)

    async def reap(self) -> None:
        """Ends calls that say nothing and gives up streams that nobody resumed in time."""
        now = self.now()
        if now - self._expired >= EXPIRE_EVERY_S:
            self._expired = now
            before_s = time.time() - self.settings.checkpoint_retention_s
            await self._store.run(lambda store: store.checkpoints.expire(before_s))
            if self.settings.stream_retention_s:
                before_s, there = time.time() - self.settings.stream_retention_s, set(self._streams)
                await self._store.run(lambda store: store.expire(before_s, there))
        for stream in list(self._streams.values()):
            silent = now - stream.last_message_at
            if stream.owner is not None and not stream.busy and silent >= self.settings.idle_timeout_s:
                reason = f"expected a message within {self.settings.idle_timeout_s:g} s, got none"
                stream.owner.end(UnavailableError(reason), [go_away(stream.token, reason)])
            elif stream.left is not None and now - stream.left >= self.settings.retention_s:
                log.info("stream %s was not resumed", stream.name)
                await self._give_up(stream)

    async def drain(self) -> None:
        """Sends every owner away with its token, ends all calls, saves all clusters. No stream opens after this."""
        async with self._opening:
            self._draining = True
        for stream in list(self._streams.values()):
            reason = "the server is about to stop"
            stream.end(UnavailableError(reason), [go_away(stream.token, reason)])
            stream.touch()
            await stream.checkpoint()
            await self._write(stream)

    async def clusters(self, key: str) -> Sequence[ClusterState]:
        """The clusters of a live, retained or stored stream. Raises NotFoundError."""
        stream = self._streams.get(key)
        return await self._store.clusters(key) if stream is None else (await stream.link.clusters()).clusters

    async def edit(self, key: str, edit: Edit) -> Sequence[ClusterState]:
        """The same, after `edit` in the session, or else in the store; saved."""
        async with self._opening:
            stream = self._streams.get(key)
            if stream is None:
                return await self._store.edit(key, edit)
            known = await stream.link.edit(edit)
            await self._save(stream, known)
            await stream.checkpoint()
            return known.clusters

    async def forget(self, key: str) -> None:
        """Deletes a stream, live, retained or stored, and all that is kept of it. Raises NotFoundError, StoreError."""
        async with self._opening:
            stream = self._streams.pop(key, None)
            if stream is not None:
                stream.fail(ForgottenError(f"stream {stream.id!r} was deleted"))
                stream.link.forget()
            await self._store.forget(key, known=stream is not None)
        log.info("stream %s forgotten", stream.name if stream else id_of(key))

    async def _take_over(self, stream: LiveStream, request: pb.Open) -> bool:
        """Makes room for a new owner; False where the stream does not go on here."""
        if stream.broken or not _same(stream.token, request.resume_token):
            return False
        stream.model.check_layout(request)
        try:
            await stream.claim()
        except FencedError as error:  # it went on at another server
            stream.fail(error)
            return False
        if stream.owner is not None:
            stream.owner.end(SupersededError(f"stream {stream.id!r} was resumed on another connection"))
        return True

    async def _create(self, open_request: OpenRequest, old: LiveStream | None) -> LiveStream:
        key, request, options = open_request.key, open_request.request, open_request.options
        model = self.catalog.find(request.model, request.version)
        model.check_layout(request)
        if old is not None:
            if old.owner is not None and not old.broken:
                raise InUseError(
                    f"expected a stream id that is free or its resume token, got {old.id!r}, which is live"
                )
            old.touch()
            await self._write(old)
        stored = await self._store.load(model.key, key)
        link = await self._pool.open(
            model.key, options, SessionClusters(stored.next_id, stored.clusters), open_request.durable
        )
        # nothing is given up for a request that is refused
        try:
            if old is not None:
                await self._give_up(old)
            await self._make_room(tenant_of(key))
        except BaseException:
            link.forget()
            raise
        name, token = f"{open_request.id}-{secrets.token_hex(4)}", secrets.token_urlsafe(18)
        journal = await begin(self._store, open_request, model, name, token) if open_request.durable else None
        stream = self._stream(key, model, options.lag, link, name, token, journal)
        # a server that restores it must begin with what this one begins with
        await stream.checkpoint()
        return stream

    async def _find_kept(self, open_request: OpenRequest) -> Kept | None:
        """A durable stream that another server left, or this one lost, and its backlog; None without its token."""
        if not open_request.durable:
            return None
        kept = await self._store.run(lambda store: store.checkpoints.find(open_request.key))
        return (
            kept if kept and kept[0].whole and _same(kept[0].token, digest(open_request.request.resume_token)) else None
        )

    async def _restore(
        self,
        open_request: OpenRequest,
        old: LiveStream | None,
        checkpoint: Checkpoint,
        backlog: list[tuple[int, bytes]],
    ) -> LiveStream:
        """A durable stream as it was at its checkpoint; who owns it elsewhere is fenced."""
        key, token = open_request.key, open_request.request.resume_token
        (lag,) = (lag for lag in get_args(Lag) if lag == checkpoint.lag)
        model = self.catalog.find(checkpoint.model, checkpoint.version)
        model.check_layout(open_request.request)
        journal = Journal(self._store, replace(checkpoint, snapshot=None))
        await journal.claim()
        if old is not None:
            await self._give_up(old)
        await self._make_room(tenant_of(key))
        stored = await self._store.load(model.key, key)
        options = SessionOptions(lag, checkpoint.provisional, checkpoint.rate_hz)
        known = SessionClusters(stored.next_id, stored.clusters)
        link = await self._pool.open(model.key, options, known, True, checkpoint.snapshot)
        return self._stream(key, model, lag, link, checkpoint.name, token, journal, events_of(backlog))

    def _stream(
        self,
        key: str,
        model: LoadedModel,
        lag: Lag,
        link: Link,
        name: str,
        token: str,
        journal: Journal | None,
        events: Sequence[tuple[int, Event]] = (),
    ) -> LiveStream:
        credits, save = self.settings.credits, self._try_to_save
        stream = LiveStream(key, model, lag, link, credits, self._metrics, save, name, token, journal, events)
        self._streams[key] = stream
        return stream

    async def _make_room(self, tenant: str) -> None:
        """Gives up the tenant's stream that was lost first where there is no place for another.

        Raises ExhaustedError where all of them are live: nobody loses anything for somebody else.
        """
        own, settings = self._of(tenant), self.settings
        limits = [(len(own), settings.tenant_streams)] if settings.tenant_streams else []
        limits.append((len(self._streams), settings.max_streams))
        for streams, limit in limits:
            if streams >= limit:
                retained = [(stream.left, stream.key) for stream in own if stream.left is not None]
                if not retained:
                    raise ExhaustedError(f"expected at most {limit} live streams, got one more")
                await self._give_up(self._streams[min(retained)[1]])
                return

    def _of(self, tenant: str) -> list[LiveStream]:
        """The streams of a tenant."""
        return [stream for stream in self._streams.values() if tenant_of(stream.key) == tenant]

    def _has(self, stream: LiveStream) -> bool:
        """It was not forgotten, and has no successor."""
        return self._streams.get(stream.key) is stream

    async def _give_up(self, stream: LiveStream) -> None:
        """Forgets a stream; its clusters stay in the store, and all of it where it is durable."""
        await stream.checkpoint()
        stream.fail(None)
        stream.touch()
        await self._write(stream)
        if self._has(stream):
            del self._streams[stream.key]
        stream.link.forget()

    async def _write(self, stream: LiveStream) -> None:
        """What of it is not in the store yet; a stream that nobody listens to can wait for the next try."""
        try:
            await stream.persist()
        except (FencedError, UnavailableError) as error:
            log.warning("stream %s is not written: %s", stream.name, error)

    async def _try_to_save(self, stream: LiveStream) -> None:
        """A full disk must not end streams: what could not be saved is tried again with the next change."""
        try:
            if self._has(stream):
                await self._save(stream, await stream.link.clusters())
        except (StoreError, UnavailableError):
            log.exception("clusters of %s are not saved", stream.name)
            self._metrics.store_failures.inc()

    async def _save(self, stream: LiveStream, known: SessionClusters) -> None:
        """Raises StoreError. Nothing is saved of a stream that was forgotten, or that has a successor."""
        if self._has(stream):
            await self._store.save(stream.model.key, stream.key, known.next_cluster, known.clusters)


def _same(token: str, got: str) -> bool:
    return hmac.compare_digest(token.encode(), got.encode())
