"""The list of live streams, asked for once a second while somebody looks, whatever the number of viewers."""

import asyncio

from motionscribe.async_client import AsyncClient
from motionscribe.descriptions import StreamInfo
from motionscribe.errors import MotionscribeError
from motionscribe.page.background import Background

EVERY_S = 1.0


class StreamList(Background):
    """An async context manager: asks as long as it is entered."""

    def __init__(self, client: AsyncClient) -> None:
        self.streams: tuple[StreamInfo, ...] = ()
        self.error: str | None = None
        """Why the server did not answer last; None where it did. `streams` are empty then."""
        self._client = client
        self._viewers = 0
        self._wanted = asyncio.Event()
        self._news = asyncio.Condition()

    def attend(self) -> None:
        """A viewer came."""
        self._viewers += 1
        self._wanted.set()

    def leave(self) -> None:
        """A viewer went."""
        self._viewers -= 1
        if not self._viewers:
            self._wanted.clear()

    @property
    def viewers(self) -> int:
        """How many look."""
        return self._viewers

    async def wait_for_answer(self) -> None:
        """Returns when the server has answered, or failed to, once more."""
        async with self._news:
            await self._news.wait()

    async def find(self, stream_id: str) -> StreamInfo | None:
        """What the server says of a stream now; None where it is not live. Raises MotionscribeError."""
        return next((stream for stream in await self._client.streams() if stream.stream_id == stream_id), None)

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                self.streams, self.error = tuple(await self._client.streams()), None
            except MotionscribeError as error:
                self.streams, self.error = (), str(error)
            async with self._news:
                self._news.notify_all()
            await asyncio.sleep(EVERY_S)
