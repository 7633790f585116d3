"""Follows one stream for all its viewers: events and poses, clusters and anomalies, each asked for once."""

import asyncio
from contextlib import suppress

from motionscribe.async_client import AsyncClient
from motionscribe.errors import MotionscribeError, NotFound
from motionscribe.events import Anomaly, ClusterCreated, ClusterMerged, ClusterNamed, ClusterSplit, SegmentEnded
from motionscribe.page.audience import Audience
from motionscribe.page.messages import anomalies_message, clusters_message
from motionscribe.page.streams import StreamList
from motionscribe.page.tile import Tile
from motionscribe.poses import Poses

AGAIN_S = 0.5
"""After the end of a stream, or of its server."""
TABLES_S = 2.0
"""How soon is seen what no event tells of: names that the server gives, what others say of anomalies."""
CHANGES = Anomaly | ClusterCreated | ClusterMerged | ClusterNamed | ClusterSplit | SegmentEnded
"""Events after which clusters or anomalies are others."""


class Follower:
    """One stream. Cancel `run` to end it."""

    def __init__(self, client: AsyncClient, streams: StreamList, stream_id: str) -> None:
        self.stream_id = stream_id
        self.audience = Audience(stream_id)
        self.tile = Tile()
        self._client = client
        self._streams = streams
        self._outdated = asyncio.Event()

    async def run(self) -> None:
        """Never returns: a stream that ended, or whose server went away, is followed again when it is back."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_again_and_again())
            group.create_task(self._keep_tables())

    def refresh(self) -> None:
        """Clusters or anomalies have changed."""
        self._outdated.set()

    async def _watch_again_and_again(self) -> None:
        while True:
            error = None
            try:
                await self._watch()
            except NotFound:
                pass  # it ended, or has not begun
            except MotionscribeError as failure:
                error = str(failure)
            self.audience.end(error)
            await asyncio.sleep(AGAIN_S)

    async def _watch(self) -> None:
        """Returns when the stream has ended, or was not there. Raises MotionscribeError."""
        async with self._client.watch(self.stream_id, provisional=True, poses=True) as watch:
            stream = await self._streams.find(self.stream_id)
            if stream is None:
                return
            self.audience.open(stream, watch.start_us)
            self.tile.begin()
            self.refresh()
            async for item in watch:
                if isinstance(item, Poses):
                    self.audience.show(item)
                    self.tile.take_poses(item)
                    continue
                self.audience.tell(item)
                self.tile.take(item)
                if isinstance(item, CHANGES):
                    self.refresh()

    async def _keep_tables(self) -> None:
        while True:
            self._outdated.clear()
            try:
                clusters = await self._client.clusters(self.stream_id)
                self.audience.show_table(clusters_message(self.stream_id, clusters))
                anomalies = await self._client.anomalies(self.stream_id)
                self.tile.take_tables(clusters, anomalies)
                self.audience.show_table(anomalies_message(self.stream_id, anomalies))
            except NotFound:
                self.audience.forget()
            except MotionscribeError:
                pass  # who watches hears of a server that is not there
            with suppress(TimeoutError):
                await asyncio.wait_for(self._outdated.wait(), TABLES_S)
