"""Follows one stream for one viewer: its events and poses, its clusters and anomalies, as long as somebody looks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from motionscribe.async_client import AsyncClient
from motionscribe.errors import MotionscribeError, NotFound
from motionscribe.events import Anomaly, ClusterCreated, ClusterMerged, SegmentEnded
from motionscribe.page.messages import (
    anomalies_message,
    clusters_message,
    event_message,
    opened_message,
    poses_message,
)
from motionscribe.page.outgoing import Message, Outgoing
from motionscribe.page.streams import StreamList
from motionscribe.poses import Poses

AGAIN_S = 0.5
"""After the end of a stream, or of its server."""
TABLES_S = 2.0
"""How soon names that others give are seen."""


class Follower:
    """One stream and one viewer. Cancel `run` to end it."""

    def __init__(self, client: AsyncClient, streams: StreamList, stream_id: str, outgoing: Outgoing) -> None:
        self.stream_id = stream_id
        self._client = client
        self._streams = streams
        self._outgoing = outgoing
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
        told: Message = {}
        while True:
            state: Message = {"is": "ended", "stream": self.stream_id, "error": None}
            try:
                if await self._watch():
                    told = {}
            except NotFound:
                pass  # it ended, or has not begun
            except MotionscribeError as error:
                state["error"] = str(error)
            if state != told:
                self._outgoing.put(state)
                told = state
            await asyncio.sleep(AGAIN_S)

    async def _watch(self) -> bool:
        """Returns when the stream ends, False where it was not there. Raises MotionscribeError."""
        async with self._client.watch(self.stream_id, provisional=True, poses=True) as watch:
            stream = await self._streams.find(self.stream_id)
            if stream is None:
                return False
            self._outgoing.put(opened_message(stream, watch.start_us))
            self.refresh()
            async for item in watch:
                if isinstance(item, Poses):
                    self._outgoing.replace(poses_message(self.stream_id, item))
                    continue
                self._outgoing.put(event_message(self.stream_id, item))
                if isinstance(item, Anomaly | ClusterCreated | ClusterMerged | SegmentEnded):
                    self.refresh()
        return True

    async def _keep_tables(self) -> None:
        """Sends clusters and anomalies when they have changed."""
        told: dict[str, Message] = {}
        asked: tuple[Callable[[], Awaitable[Message]], ...] = (self._clusters, self._anomalies)
        while True:
            self._outdated.clear()
            for ask in asked:
                # who watches hears of a server that is not there
                with suppress(MotionscribeError):
                    message = await ask()
                    if told.get(message["is"]) != message:
                        told[message["is"]] = message
                        self._outgoing.replace(message)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._outdated.wait(), TABLES_S)

    async def _clusters(self) -> Message:
        return clusters_message(self.stream_id, await self._client.clusters(self.stream_id))

    async def _anomalies(self) -> Message:
        return anomalies_message(self.stream_id, await self._client.anomalies(self.stream_id))
