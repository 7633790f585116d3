"""Carries out an Open: resumes a stream, restores it from its checkpoint, or creates it, and makes room for it.

In: an OpenRequest whose key the caller holds. Out: a LiveStream in the table, without an owner, or the reason why there
is none. What is done, and which stream makes room, is decided in admission.py; stream_factory.py makes streams.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from motionscribe_server.errors import FencedError, InUseError, PreconditionError, SupersededError, UnavailableError
from motionscribe_server.settings import Settings
from motionscribe_server.storage.checkpoints import KeptStream
from motionscribe_server.stream_keys import same_token
from motionscribe_server.streams.admission import Admission, Incumbent, admit, choose_eviction
from motionscribe_server.streams.frame_layout import find_layout
from motionscribe_server.streams.key_locks import KeyLocks
from motionscribe_server.streams.life import Life
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.open_request import OpenRequest
from motionscribe_server.streams.retirement import retire, write_rest
from motionscribe_server.streams.stream_factory import StreamFactory
from motionscribe_server.streams.stream_table import StreamTable
from motionscribe_server.streams.tasks import Tasks

log = logging.getLogger(__name__)


class StreamOpener:
    """Puts what `factory` makes into `table`. `now` is a clock in seconds."""

    def __init__(
        self,
        settings: Settings,
        factory: StreamFactory,
        table: StreamTable,
        locks: KeyLocks,
        now: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._factory = factory
        self._table = table
        self._locks = locks
        self._now = now
        self._evictions = Tasks()

    async def open(self, request: OpenRequest) -> tuple[LiveStream, bool]:
        """The stream, and whether it goes on from an earlier call. Raises ServerError and ContractError."""
        kept: KeptStream | None = None
        has_checkpoint = None
        wants_resume = request.durable and bool(request.message.resume_token)
        while True:
            stream = self._table.get(request.key)
            match admit(self._table.is_draining, _incumbent(stream, request), has_checkpoint, wants_resume):
                case Admission.REFUSE_DRAINING:
                    raise UnavailableError("the server is about to stop: reconnect later")
                case Admission.LOOK_UP:
                    kept = await self._factory.find_kept(request)
                    has_checkpoint = kept is not None
                case Admission.RESUME if stream is not None:
                    if await self._resume(request, stream):
                        return stream, True
                case Admission.RESTORE if kept is not None:
                    return await self._restore(request, kept, stream), True
                case Admission.REFUSE_IN_USE:
                    self._factory.find_model(request)  # what is wrong with the request itself is said first
                    raise InUseError(
                        f"expected a stream id that is free or its resume token, got {request.id!r}, which is live"
                    )
                case Admission.REFUSE_TOKEN:
                    raise PreconditionError(
                        f"expected the resume token of durable stream {request.id!r}, got one that resumes nothing: "
                        "open it without a token to begin anew"
                    )
                case Admission.CREATE:
                    return await self._create(request, stream), False
                case impossible:
                    raise AssertionError(f"unreachable: {impossible} without what it speaks of")

    async def _resume(self, request: OpenRequest, stream: LiveStream) -> bool:
        """Makes way for a new owner. Returns False where the stream went on at another server, and is given up here."""
        find_layout(stream.info.model, request.message)
        try:
            await stream.claim()
        except FencedError as error:
            stream.give_up(error)
            return False
        if stream.owner:
            stream.owner.end(SupersededError(f"stream {request.id!r} was resumed on another connection"))
            stream.detach(stream.owner, self._now())
        return True

    async def _restore(self, request: OpenRequest, kept: KeptStream, old: LiveStream | None) -> LiveStream:
        kept, journal = await self._factory.claim(request, kept)
        async with self._place(request.key):
            if old is not None:
                await retire(old, self._table, reason=SupersededError(f"stream {request.id!r} was begun anew"))
            stream = await self._factory.restore(request, kept, journal)
            self._table.add(stream)
        return stream

    async def _create(self, request: OpenRequest, old: LiveStream | None) -> LiveStream:
        model = self._factory.find_model(request)
        link = await self._factory.begin_session(request, model)
        try:
            await self._factory.reserve(request, self._table.keys() | self._locks.in_use())
            # nothing is given up for a request that is refused: from here on only the store can fail
            async with self._place(request.key):
                if old is not None:
                    # what the old session learnt until its last answer is what the new one begins with
                    await retire(old, self._table, goes_on=False)
                    link.forget()
                    link = await self._factory.begin_session(request, model)
                stream = await self._factory.create(request, model, link)
                self._table.add(stream)
        except BaseException:
            link.forget()
            raise
        if request.durable:
            try:
                # a server that restores it must begin with what this one begins with
                await stream.checkpoint()
                await write_rest(stream)
            except BaseException as error:
                stream.give_up(error if isinstance(error, Exception) else None)
                self._table.remove(stream)
                link.forget()
                raise
        return stream

    @asynccontextmanager
    async def _place(self, key: str) -> AsyncIterator[None]:
        """A place for the stream of `key`, held until that stream is in the table. Raises ExhaustedError."""
        try:
            await self._make_room(key)
            yield
        finally:
            self._table.release(key)

    async def _make_room(self, key: str) -> None:
        """Reserves a place, and gives another stream up where there is none.

        The place is free as soon as that stream begins to go: nobody waits for its worker. Only where all that could
        go are in use does a task that holds one key wait for another key. No circle can arise: whoever has the key of
        a stream takes over its place and waits for none, and only keys with a stream are waited for.
        """
        if self._table.get(key) is not None:
            self._table.reserve(key)
            return
        limits = self._settings.limits.tenant_streams, self._settings.limits.max_streams
        while victim := choose_eviction(key, self._table.places(self._locks.in_use()), *limits):
            stream = self._table.get(victim.key)
            if not victim.is_in_use and stream is not None:
                self._table.reserve(key)
                leaving = AsyncExitStack()
                await leaving.enter_async_context(self._locks.hold(victim.key))  # at once, since it is not in use
                leaving.enter_context(self._table.leaving(stream))
                self._evictions.begin(self._evict(stream, leaving))
                return
            async with self._locks.hold(victim.key):
                pass  # by now it is live, gone, or to be had
        self._table.reserve(key)

    async def _evict(self, stream: LiveStream, leaving: AsyncExitStack) -> None:
        async with leaving:
            try:
                await retire(stream, self._table)
            except Exception:
                log.exception("stream %s cannot be given up", stream.info.name)


def _incumbent(stream: LiveStream | None, request: OpenRequest) -> Incumbent | None:
    if stream is None:
        return None
    matches = same_token(stream.info.token, request.message.resume_token)
    return Incumbent(stream.owner is not None, stream.life is Life.GIVEN_UP, matches)
