"""The wall: a tile for each live stream, computed once for all who look at it, several times a second."""

import asyncio

from motionscribe.page.background import Background
from motionscribe.page.follow import Follower
from motionscribe.page.hub import Hub
from motionscribe.page.messages import to_json
from motionscribe.page.outgoing import Outgoing
from motionscribe.page.streams import StreamList

PERIOD_S = 0.125
"""Between two pictures: smooth enough for small figures, an eighth of what one large figure gets for each."""
MOST_TILES = 64
"""More streams than a screen shows; each costs a watch of the server."""


class Wall(Background):
    """An async context manager: follows all live streams as long as it is entered and somebody looks."""

    def __init__(self, hub: Hub, streams: StreamList) -> None:
        self._hub = hub
        self._streams = streams
        self._viewers: set[Outgoing] = set()
        self._wanted = asyncio.Event()
        self._followers: dict[str, Follower] = {}

    def join(self, viewer: Outgoing) -> None:
        """Somebody looks at the wall."""
        self._viewers.add(viewer)
        self._wanted.set()

    def leave(self, viewer: Outgoing) -> None:
        """Somebody does not look any more, or never did."""
        self._viewers.discard(viewer)
        if not self._viewers:
            self._wanted.clear()
            self._follow(frozenset())

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            shown = self._streams.streams[:MOST_TILES]
            self._follow(frozenset(stream.stream_id for stream in shown))
            tiles = [self._followers[stream.stream_id].tile.message(stream) for stream in shown]
            text = to_json({"is": "wall", "tiles": tiles, "left_out": len(self._streams.streams) - len(shown)})
            for viewer in self._viewers:
                viewer.replace("wall", text)
            await asyncio.sleep(PERIOD_S)

    def _follow(self, stream_ids: frozenset[str]) -> None:
        """Follows these streams and no others."""
        for stream_id in self._followers.keys() - stream_ids:
            del self._followers[stream_id]
            self._hub.release(stream_id, self)
        for stream_id in stream_ids - self._followers.keys():
            self._followers[stream_id] = self._hub.hold(stream_id, self)
