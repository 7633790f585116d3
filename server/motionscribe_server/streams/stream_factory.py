"""Makes streams: their sessions in workers, their journals in the store, their names and tokens.

In: OpenRequests and checkpoints. Out: LiveStreams without an owner. Whether a stream is made at all, and what it
replaces, is decided by stream_opener.py.
"""

import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import replace

from motionscribe_models.lags import LAGS
from motionscribe_server.engine.messages import SessionClusters
from motionscribe_server.errors import StoreError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.settings import Settings
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.checkpoints import KeptStream
from motionscribe_server.stream_keys import digest, same_token
from motionscribe_server.streams.catalog import Catalog, LoadedModel
from motionscribe_server.streams.cluster_saver import ClusterSaver
from motionscribe_server.streams.durability import Durability, History
from motionscribe_server.streams.event_backlog import EventBacklog
from motionscribe_server.streams.expiry import EXPIRE_EVERY_S
from motionscribe_server.streams.frame_layout import find_layout
from motionscribe_server.streams.journal import Journal, begin_journal, read_events
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.open_request import OpenRequest
from motionscribe_server.streams.stream_info import StreamInfo
from motionscribe_server.workers.pool import Pool
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)


class StreamFactory:
    """`now` is a clock in seconds. Raises StoreError and what the pool raises."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        store: AsyncStore,
        pool: Pool,
        metrics: Metrics,
        now: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._store = store
        self._pool = pool
        self._metrics = metrics
        self._now = now

    def find_model(self, request: OpenRequest) -> LoadedModel:
        """The model of a new stream. Raises UnknownModelError, PreconditionError."""
        message = request.message
        model = self._catalog.find(message.model, message.version, message.skeleton.representation)
        find_layout(model, message)
        return model

    async def begin_session(self, request: OpenRequest, model: LoadedModel) -> Link:
        """The session of a new stream; the caller must forget it where no stream comes of it."""
        known = await self._stored_clusters(request.key, model)
        options = replace(request.options, exemplars=self._settings.storage.exemplars)
        return await self._pool.open(model.key, options, known, request.durable)

    async def create(self, request: OpenRequest, model: LoadedModel, link: Link) -> LiveStream:
        """A new stream of this session; whatever the store has of a durable one with its key is forgotten."""
        name, token = f"{request.id}-{secrets.token_hex(4)}", secrets.token_urlsafe(18)
        history, is_noted = None, True
        if request.durable:
            journal = await begin_journal(self._store, request, model, name, token)
            history = History(self._durability(journal, link), EventBacklog(None))
        else:
            is_noted = await self._note_session(request, name)
        return self._stream(request.key, name, token, model, request.options, link, history, is_noted)

    async def find_kept(self, request: OpenRequest) -> KeptStream | None:
        """What another server or this one left of a durable stream; None where the token is not that stream's."""
        if not request.durable:
            return None
        found = await self._store.run(lambda store: store.checkpoints.find(request.key))
        token = digest(request.message.resume_token)
        if found is None or not found.checkpoint.whole or not same_token(found.checkpoint.token, token):
            return None
        return found

    async def reserve(self, request: OpenRequest, in_use: Collection[str]) -> None:
        """A place in the store for the id of a new stream. Raises ExhaustedError; a full disk keeps no stream out."""
        limit = self._settings.storage.tenant_ids
        try:
            await self._store.run(lambda store: store.reserve(request.key, limit, EXPIRE_EVERY_S, in_use))
        except StoreError:
            log.exception("the id of stream %s is not noted", request.id)
            self._metrics.store_failures.inc()

    async def claim(self, request: OpenRequest, kept: KeptStream) -> tuple[KeptStream, Journal]:
        """Fences the owner that the stream has elsewhere, and returns what that one wrote until then.

        Raises FencedError, UnknownModelError, PreconditionError.
        """
        model = self._catalog.find(kept.checkpoint.model, kept.checkpoint.version)
        find_layout(model, request.message)
        key, epoch = kept.checkpoint.key, kept.checkpoint.epoch
        newest = await self._store.run(lambda store: store.checkpoints.take_over(key, epoch))
        return newest, Journal(self._store, newest)

    async def restore(self, request: OpenRequest, kept: KeptStream, journal: Journal) -> LiveStream:
        """A durable stream as it was at its checkpoint. Raises SnapshotError."""
        checkpoint = kept.checkpoint
        lag = next(lag for lag in LAGS if lag == checkpoint.lag)
        model = self._catalog.find(checkpoint.model, checkpoint.version)
        known = await self._stored_clusters(request.key, model)
        exemplars = self._settings.storage.exemplars
        options = SessionOptions(lag, checkpoint.provisional, checkpoint.rate_hz, exemplars=exemplars)
        link = await self._pool.open(model.key, options, known, True, checkpoint.snapshot, journal.edits.repeated)
        backlog = EventBacklog(None, checkpoint.last_event, read_events(kept.outbox), told=request.message.last_event)
        history = History(self._durability(journal, link), backlog)
        return self._stream(request.key, checkpoint.name, request.message.resume_token, model, options, link, history)

    async def _note_session(self, request: OpenRequest, name: str) -> bool:
        """Whoever had the stream saves no more of it. A full disk keeps no stream out: it is noted when it is saved."""
        try:
            await self._store.run(lambda store: store.begin(request.key, name))
        except StoreError:
            log.exception("the session of stream %s is not noted", request.id)
            self._metrics.store_failures.inc()
            return False
        return True

    def _durability(self, journal: Journal, link: Link) -> Durability:
        return Durability(journal, link.snapshot, self._settings.limits.credits, self._metrics, self._now)

    async def _stored_clusters(self, key: str, model: LoadedModel) -> SessionClusters:
        stored = await self._store.run(lambda store: store.load(model.key, key))
        return SessionClusters(stored.next_id, stored.clusters, stored.book)

    def _stream(
        self,
        key: str,
        name: str,
        token: str,
        model: LoadedModel,
        options: SessionOptions,
        link: Link,
        history: History | None,
        is_noted: bool = True,
    ) -> LiveStream:
        rate_hz = options.rate_hz or model.manifest.skeleton.rate_hz
        info = StreamInfo(key, name, token, model, options.lag, rate_hz, self._settings.limits.credits, self._now())
        durability = history.durability if history else None
        saver = ClusterSaver(info, link, self._store, self._metrics, durability, is_noted)
        return LiveStream(info, link, history, saver, self._metrics)
