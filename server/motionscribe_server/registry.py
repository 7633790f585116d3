"""All streams of this server, live and retained: who may open, resume, watch, and when a stream is given up.

In: Open requests, the ends of calls, time. Out: Streams with an owner. A stream whose owner is lost is retained with
all it learnt until it is resumed with its token, replaced by a new Open, or too old.
"""

import asyncio
import hmac
import logging
import math
import re
from collections.abc import Callable, Sequence

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.catalog import Catalog
from motionscribe_server.clustering import ClusterState
from motionscribe_server.edits import Edit
from motionscribe_server.errors import (
    EngineError,
    ExhaustedError,
    InUseError,
    NotFoundError,
    RequestError,
    StoreError,
    SupersededError,
    UnavailableError,
    UnsupportedError,
)
from motionscribe_server.exchange import Known
from motionscribe_server.messages import cluster_to_message
from motionscribe_server.metrics import Metrics
from motionscribe_server.options import Lag, SessionOptions
from motionscribe_server.outlet import Outlet
from motionscribe_server.pool import Pool
from motionscribe_server.settings import Settings
from motionscribe_server.shelf import Shelf
from motionscribe_server.stream import Stream

log = logging.getLogger(__name__)

STREAM_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
LAGS: dict[int, Lag] = {
    pb.LAG_UNSPECIFIED: "balanced",
    pb.LAG_FAST: "fast",
    pb.LAG_BALANCED: "balanced",
    pb.LAG_STABLE: "stable",
}
RETRY_AFTER_MS = 1000


class Registry:
    """Streams by id. `now` is a clock in seconds."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        shelf: Shelf,
        pool: Pool,
        metrics: Metrics,
        now: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.catalog = catalog
        self._shelf = shelf
        self._pool = pool
        self._metrics = metrics
        self.now = now
        self._streams: dict[str, Stream] = {}
        # opening and editing wait for the store in between
        self._opening = asyncio.Lock()
        self._draining = False

    def find(self, id: str) -> Stream | None:
        """A live or retained stream."""
        return self._streams.get(id)

    def live(self, id: str) -> Stream:
        """A stream with an owner. Raises NotFoundError."""
        stream = self._streams.get(id)
        if stream is None or stream.owner is None:
            live = sorted(s.id for s in self._streams.values() if s.owner)
            raise NotFoundError(f"expected a live stream, one of {', '.join(live) or '(there are none)'}, got {id!r}")
        return stream

    async def open(self, request: pb.Open) -> tuple[Stream, Outlet, pb.Opened]:
        """A new or resumed stream, its owner's outlet and the answer. Raises ServerError and ContractError."""
        if not STREAM_ID.fullmatch(request.stream_id):
            raise RequestError(
                f"expected a stream id of 1 to 128 of A-Z a-z 0-9 . _ -, got {request.stream_id[:200]!r}"
            )
        if request.delivery not in (pb.DELIVERY_UNSPECIFIED, pb.DELIVERY_LIVE):
            raise UnsupportedError("expected live delivery; this server has no checkpoints for a durable one")
        if not (0 <= request.rate_hz < math.inf):
            raise RequestError(f"expected a rate of 0 or more Hz, got {request.rate_hz}")
        if request.lag not in LAGS:
            raise RequestError(f"expected a lag of {', '.join(map(str, LAGS))}, got {request.lag}")
        async with self._opening:
            if self._draining:
                raise UnavailableError("the server is about to stop: reconnect later")
            stream = self._streams.get(request.stream_id)
            resumed = stream is not None and not stream.broken and _same(stream.token, request.resume_token)
            if stream is None or not resumed:
                stream = await self._create(request, stream)
            else:
                self._take_over(stream, request)
            outlet, credits = stream.attach(request.last_event if resumed else 0)
            stream.heard = self.now()
            known = await stream.link.clusters()
        log.info("stream %s %s, epoch %d", stream.name, "resumed" if resumed else "opened", stream.epoch)
        return stream, outlet, _opened(stream, resumed, credits, known)

    async def leave(self, stream: Stream, outlet: Outlet, done: bool) -> None:
        """The call of an owner ended; `done` when it had all there will be. Superseded owners change nothing."""
        if stream.owner is not outlet:
            return
        stream.owner, stream.left = None, self.now()
        log.info("stream %s %s", stream.name, "closed" if done else "lost its owner")
        stream.touch()
        if done or stream.broken:
            await self._give_up(stream)
        else:
            await stream.persist()

    async def reap(self) -> None:
        """Ends calls that say nothing and gives up streams that nobody resumed in time."""
        now = self.now()
        for stream in list(self._streams.values()):
            silent = now - stream.heard
            if stream.owner is not None and not stream.busy and silent >= self.settings.idle_timeout_s:
                reason = f"expected a message within {self.settings.idle_timeout_s:g} s, got none"
                stream.owner.end(UnavailableError(reason), [_go_away(stream, reason)])
            elif stream.left is not None and now - stream.left >= self.settings.retention_s:
                log.info("stream %s was not resumed", stream.name)
                await self._give_up(stream)

    async def drain(self) -> None:
        """Sends every owner away with its token, ends all calls, saves all clusters. No stream opens after this."""
        async with self._opening:
            self._draining = True
        for stream in list(self._streams.values()):
            reason = "the server is about to stop"
            stream.end(UnavailableError(reason), [_go_away(stream, reason)])
            stream.touch()
            await stream.persist()

    async def clusters(self, id: str) -> Sequence[ClusterState]:
        """The clusters of a live, retained or stored stream. Raises NotFoundError."""
        stream = self._streams.get(id)
        return await self._shelf.clusters(id) if stream is None else (await stream.link.clusters()).clusters

    async def edit(self, id: str, edit: Edit) -> Sequence[ClusterState]:
        """The same, after `edit` in the session, or else in the store; saved."""
        async with self._opening:
            stream = self._streams.get(id)
            if stream is None:
                return await self._shelf.edit(id, edit)
            known = await stream.link.edit(edit)
            await self._save(stream, known)
            return known.clusters

    async def _create(self, request: pb.Open, old: Stream | None) -> Stream:
        model = self.catalog.find(request.model, request.version)
        model.check_layout(request)
        if old is not None:
            if old.owner is not None and not old.broken:
                raise InUseError(
                    f"expected a stream id that is free or its resume token, got {old.id!r}, which is live"
                )
            old.touch()
            await old.persist()
        stored = await self._shelf.load(model.key, request.stream_id)
        options = SessionOptions(LAGS[request.lag], request.provisional, self.settings.clusterer, request.rate_hz)
        link = await self._pool.open(model.key, options, Known(stored.next_id, stored.clusters))
        # nothing is given up for a request that is refused
        try:
            if old is not None:
                await self._give_up(old)
            await self._make_room()
        except BaseException:
            link.forget()
            raise
        credits = self.settings.credits
        stream = Stream(request.stream_id, model, options.lag, link, credits, self._metrics, self._try_to_save)
        self._streams[stream.id] = stream
        return stream

    def _take_over(self, stream: Stream, request: pb.Open) -> None:
        """Makes room for a new owner of a stream that goes on."""
        stream.model.check_layout(request)
        if stream.owner is not None:
            stream.owner.end(SupersededError(f"stream {stream.id!r} was resumed on another connection"))

    async def _make_room(self) -> None:
        """Gives up the stream that was lost first where there is no place for another. Raises ExhaustedError."""
        if len(self._streams) < self.settings.max_streams:
            return
        retained = [(stream.left, stream.id) for stream in self._streams.values() if stream.left is not None]
        if not retained:
            raise ExhaustedError(f"expected at most {self.settings.max_streams} live streams, got one more")
        await self._give_up(self._streams[min(retained)[1]])

    async def _give_up(self, stream: Stream) -> None:
        """Forgets a stream; its clusters stay in the store."""
        stream.fail(None)
        if self._streams.get(stream.id) is stream:  # else a newer one has its clusters
            del self._streams[stream.id]
            stream.touch()
            await stream.persist()
        stream.link.forget()

    async def _try_to_save(self, stream: Stream) -> None:
        """A full disk must not end streams: what could not be saved is tried again with the next change."""
        try:
            await self._save(stream, await stream.link.clusters())
        except (StoreError, EngineError):
            log.exception("clusters of %s are not saved", stream.name)
            self._metrics.store_failures.inc()

    async def _save(self, stream: Stream, known: Known) -> None:
        """Raises StoreError."""
        await self._shelf.save(stream.model.key, stream.id, known.next_cluster, known.clusters)


def _same(token: str, got: str) -> bool:
    return hmac.compare_digest(token.encode(), got.encode())


def _opened(stream: Stream, resumed: bool, credits: int, known: Known) -> pb.Opened:
    return pb.Opened(
        session=stream.name,
        resume_token=stream.token,
        epoch=stream.epoch,
        resumed=resumed,
        next_seq=stream.next_seq,
        credits=credits,
        model=stream.model.to_message(),
        latency_us=stream.model.latency_us(stream.lag),
        clusters=map(cluster_to_message, known.clusters),
    )


def _go_away(stream: Stream, reason: str) -> pb.StreamResponse:
    return pb.StreamResponse(go_away=pb.GoAway(reason=reason, resume_token=stream.token, retry_after_ms=RETRY_AFTER_MS))
