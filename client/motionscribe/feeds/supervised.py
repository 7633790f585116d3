"""One feed of a wall, kept alive: opened, run, and after its end begun anew, whatever it raised.

Nothing that it does reaches another feed: what blocks is called in threads of its own, and every error ends here.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from motionscribe.async_client import AsyncClient
from motionscribe.errors import ConnectionFailed, MotionscribeError
from motionscribe.feed_clock import FeedClock
from motionscribe.feeds.feed_file import Feed
from motionscribe.feeds.outputs import CLOSING_S, Outputs
from motionscribe.feeds.restarting import next_wait_s
from motionscribe.feeds.server_wait import ServerWait
from motionscribe.feeds.streams import FeedStreams, Numbers
from motionscribe.sinks import MakeSink
from motionscribe.sources import Source, open_source
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.threads import OwnThread
from motionscribe_models.errors import ContractError

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""How long a feed that is ended may take for its last labels."""
STUCK_S = 2.0
"""And then, until its outputs are closed over the head of a sink that does not return."""


class SupervisedFeed:
    """Runs from its construction, in the running loop, until it has ended for good or `end` is called."""

    def __init__(self, feed: Feed, client: AsyncClient, server: ServerWait, also: Sequence[MakeSink]) -> None:
        self.feed = feed
        self.failure: BaseException | None = None
        """Why its last run ended, None where it ended well."""
        self._state = self._told = self._traced = ""
        self._client = client
        self._server = server
        self._also = also
        self._streams: FeedStreams | None = None
        self._clock: FeedClock | None = None
        self._before = Numbers()
        """Of runs that have ended."""
        self._began_s: float | None = None
        """When the source of this run was open."""
        self._ending = self._closing = self._stuck = False
        self._sinks = OwnThread(f"motionscribe sinks of {feed.name}")
        self._outputs = Outputs(feed.name, feed.places)
        self.task = asyncio.create_task(self._run(), name=f"motionscribe {feed.name}")

    async def end(self) -> None:
        """Returns when the last labels are in closed sinks, or after some seconds."""
        self._ending = True
        if self._streams:
            self._streams.finish()
        elif not self._closing:
            self.task.cancel()
        await asyncio.wait({self.task}, timeout=GRACE_S)
        if not self.task.done() and not self._closing:
            log.warning("%s: ends without its last labels, which did not come within %g s", self.feed.name, GRACE_S)
            self.task.cancel()
        await asyncio.wait({self.task}, timeout=STUCK_S)
        if not self._closing:
            log.warning("%s: a sink does not return; its events are lost", self.feed.name)
            self._stuck = True
            await self._call_outputs(self._outputs.close)
        elif not self.task.done():
            await asyncio.wait({self.task}, timeout=CLOSING_S)

    @property
    def lost(self) -> bool:
        """Whether events that came may not be in its outputs."""
        return self._stuck or self._outputs.lost

    def look(self) -> None:
        """Says what has changed, if it lasts: whether frames flow, and whether the server has gone or is back."""
        if self._streams and self._streams.opened:
            self._state = "running" if self._streams.connected else "waiting for the server, which has gone"
        self._tell()

    def __str__(self) -> str:
        numbers = self._before + self._streams.numbers if self._streams else self._before
        parts = [self._state, f"{numbers.frames} frames sent", f"{numbers.dropped} dropped"]
        if self._clock and (drift := self._clock.describe()):
            parts.append(drift)
        parts.append(f"{numbers.events} events")
        if self._streams and self._streams.count > 1:
            parts.append(f"{self._streams.count} streams")
        return f"{self.feed.name}: {', '.join(parts)}"

    def _tell(self, error: BaseException | None = None) -> None:
        if self._state != self._told:
            self._told = self._state
            # where it came from is told once, not every minute
            unknown = error if error and not _says_enough(error) and repr(error) != self._traced else None
            self._traced = repr(unknown) if unknown else self._traced
            log.log(logging.WARNING if error else logging.INFO, "%s", self, exc_info=unknown)

    async def _run(self) -> None:
        loop, waited_s = asyncio.get_running_loop(), 0.0
        try:
            while True:
                error = self.failure = await self._attempt()
                if self._ending:
                    if error:
                        log.warning("%s: as it ended: %s", self.feed.name, _describe(error))
                    break
                # the server is waited for, whatever the policy
                restart = "always" if isinstance(error, ConnectionFailed) else self.feed.restart
                ran_s = loop.time() - self._began_s if self._began_s is not None else 0.0
                wait_s = next_wait_s(restart, failed=error is not None, ran_s=ran_s, waited_s=waited_s)
                what = f"failed: {_describe(error)}" if error else "ended"
                self._state = f"{what}; begins anew in {wait_s:g} s" if wait_s else what
                self._tell(error)
                if not wait_s:
                    break
                await asyncio.sleep(wait_s)
                waited_s = wait_s
        finally:
            self._closing = True
            await self._call_outputs(self._outputs.close)
            self._sinks.end()
            if self._ending:
                self._state = "ended"
                self._tell()

    async def _attempt(self) -> BaseException | None:
        """Once from opening to end. What it raised, None where the feed ended well."""
        self._began_s = None
        try:
            self._state = "waiting for the server"
            await self._server.there()
            self._state = "opening"
            makers = await self._sinks.call(self._outputs.open)
            source = await self._open()
            self._began_s, self._clock = asyncio.get_running_loop().time(), source.clock
            for note in source.notes:
                log.info("%s: %s", self.feed.name, note)
            self._state = "waiting for frames"
            await self._stream(source, [*makers, *self._also])
        except BaseException as error:
            task = asyncio.current_task()
            if task and task.cancelling():  # by `end`; a source may raise CancelledError as well
                raise
            return error
        return None

    async def _stream(self, source: Source, makers: Sequence[MakeSink]) -> None:
        warn = partial(log.warning, "%s: %s", self.feed.name)
        self._streams = streams = FeedStreams(self._client, source, self.feed.plan, makers, warn)
        try:
            await streams.run()
        finally:
            self._before += streams.numbers
            self._streams = None
            if streams.sinks_failed:
                await self._call_outputs(self._outputs.reopen)

    async def _open(self) -> Source:
        """The source, opened in a thread. Where nobody waits for it any more, it is closed once it is open."""
        thread = OwnThread(f"motionscribe opening {self.feed.name}")
        opening = thread.call(open_source, self.feed.plan.text)
        thread.end()
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise

    async def _call_outputs(self, act: Callable[[], None]) -> None:
        """In a thread of its own: that which opens outputs may wait for one of them."""
        thread = OwnThread(f"motionscribe closing {self.feed.name}")
        closing = thread.call(act)
        thread.end()
        await closing


def _close_late(opening: asyncio.Future[Source]) -> None:
    if not opening.cancelled() and not opening.exception():
        source = opening.result()
        if isinstance(source, LiveFeed):
            source.close()


def _says_enough(error: BaseException) -> bool:
    """Errors that are made for people; of any other one the kind is of use, and where it came from."""
    return isinstance(error, MotionscribeError | ContractError | OSError) and bool(str(error))


def _describe(error: BaseException) -> str:
    return str(error) if _says_enough(error) else f"{type(error).__name__}: {error}"
