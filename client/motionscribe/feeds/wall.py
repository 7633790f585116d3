"""All feeds of a file at a time: each begins, ends and fails by itself.

In: what the file holds, at first and whenever it has changed. Out: events in each feed's own sinks, and in those that
`also` makes for all; lines in the log.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from motionscribe.async_client import AsyncClient
from motionscribe.connection.arguments import Connection
from motionscribe.connection.backoff import Backoff
from motionscribe.feeds.feed_file import FeedFile
from motionscribe.feeds.server_wait import ServerWait
from motionscribe.feeds.supervised import SupervisedFeed
from motionscribe.sinks import MakeSink

log = logging.getLogger(__name__)

LOOK_S = 1.0
TELL_S = 60.0
FOREVER = Backoff(attempts=1 << 62)


class Wall:
    """Feeds by name."""

    def __init__(self, also: Sequence[MakeSink] = ()) -> None:
        self._also = also
        self._connection: Connection | None = None
        self._client: AsyncClient | None = None
        self._server: ServerWait | None = None
        self._feeds: dict[str, SupervisedFeed] = {}
        self._changing = asyncio.Lock()
        self.lost = False
        """Whether a feed that has ended lost events on their way to its outputs."""

    async def show(self, wanted: FeedFile) -> None:
        """Feeds that are the same go on undisturbed; others end well, and new and changed ones begin."""
        async with self._changing:
            await self._change(wanted)

    async def end(self) -> None:
        """All end well, within seconds."""
        await self._end(list(self._feeds))
        await self._disconnect()

    async def watch(self) -> None:
        """Tells the state of each feed every minute, and when it has changed. Returns when all have ended for good."""
        loop = asyncio.get_running_loop()
        told_s = loop.time()
        while self._changing.locked() or not all(feed.task.done() for feed in self._feeds.values()):
            for feed in self._feeds.values():
                feed.look()
            if loop.time() - told_s >= TELL_S:
                told_s = loop.time()
                for feed in self._feeds.values():
                    log.info("%s", feed)
            await asyncio.sleep(LOOK_S)

    @property
    def failed(self) -> bool:
        """Whether a feed has ended for good since it failed."""
        return any(feed.task.done() and feed.failure for feed in self._feeds.values())

    async def _change(self, wanted: FeedFile) -> None:
        feeds = {feed.name: feed for feed in wanted.feeds}
        before = set(self._feeds)
        client, server = self._client, self._server
        same = wanted.connection == self._connection
        if client is None or server is None or not same:  # made before anything ends: it may be refused
            # the server being away is no reason to end
            client = AsyncClient(**wanted.connection.arguments(), backoff=FOREVER)
            server = ServerWait(client)
        leaving = [name for name, one in self._feeds.items() if not same or one.feed != feeds.get(name)]
        await self._end(leaving)
        if client is not self._client:
            await self._disconnect()
            self._connection, self._client, self._server = wanted.connection, client, server
        beginning = [feed for name, feed in feeds.items() if name not in self._feeds]
        for feed in beginning:
            self._feeds[feed.name] = SupervisedFeed(feed, client, server, self._also)
        new, gone = len(feeds.keys() - before), len(before - feeds.keys())
        counts = f"{new} new, {len(beginning) - new} changed, {len(feeds) - len(beginning)} as it was, {gone} gone"
        log.info("%s: %s", "1 feed" if len(feeds) == 1 else f"{len(feeds)} feeds", counts)

    async def _end(self, names: Iterable[str]) -> None:
        ending = [self._feeds.pop(name) for name in names]
        await asyncio.gather(*(feed.end() for feed in ending))
        self.lost = self.lost or any(feed.lost for feed in ending)

    async def _disconnect(self) -> None:
        if self._client:
            await self._client.close()
            self._client = None
