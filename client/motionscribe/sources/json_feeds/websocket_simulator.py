"""A WebSocket server that sends recordings as JSON to whoever connects, as a program of one's own would."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from motionscribe.errors import NotFound
from motionscribe.loop_thread import LoopThread
from motionscribe.sources.host_port import bare_host
from motionscribe.sources.json_feeds.encoding import Encoder
from motionscribe.sources.json_feeds.websocket import load_websockets
from motionscribe_models.recordings import Recording

KEPT = 64
"""Frames for a client that is slow: then the oldest go."""
CLOSING_S = 1.0
"""How long a slow client may take at the end."""


class WebSocketSender:
    """The address `ws:HOST:PORT`, as sources/sending.py wants it: waits for a client before the first frame.

    Any path leads to it. Raises MissingExtraError, RecordingError for what is no body in space, NotFound for what is no
    address, OSError for a port that is taken.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        library = load_websockets()
        from websockets.asyncio.server import serve

        self._closed = library.exceptions.ConnectionClosed
        self._encoder = Encoder(recordings)
        try:
            place = library.uri.parse_uri(f"ws://{address.removeprefix('//')}")
        except (ValueError, library.exceptions.InvalidURI) as error:
            raise NotFound(f"expected ws:HOST:PORT, got ws:{address}") from error
        bare_host(place.host)
        self._clients: dict[asyncio.Event, deque[str]] = {}
        """What each is still to get, and the event that says so."""
        self._ended = False
        self._loop = LoopThread("motionscribe-ws")
        try:
            self._loop.wait(self._open(serve, place.host, place.port))
        except BaseException:
            self._loop.close()
            raise

    async def _open(self, serve: Any, host: str, port: int) -> None:
        self._connected = asyncio.Event()
        self._server = await serve(self._serve, host, port, compression=None, close_timeout=CLOSING_S)
        try:
            await self._connected.wait()
        except BaseException:
            self._server.close()
            raise

    async def _serve(self, connection: Any) -> None:
        """One client, until it leaves or all is sent."""
        news, waiting = asyncio.Event(), deque[str](maxlen=KEPT)
        self._clients[news] = waiting
        self._connected.set()
        try:
            while waiting or not self._ended:
                if waiting:
                    await connection.send(waiting.popleft())
                else:
                    news.clear()
                    await news.wait()
        except self._closed:
            pass
        finally:
            del self._clients[news]

    @property
    def clients(self) -> int:
        """How many there are."""
        return len(self._clients)

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """One message for each client."""
        self._loop.wait(self._put(self._encoder.message(time_us, rows)))

    async def _put(self, message: str) -> None:
        for news, waiting in self._clients.items():
            waiting.append(message)
            news.set()

    def close(self) -> None:
        """Returns when all clients have all, or were too slow."""
        self._loop.wait(self._end())
        self._loop.close()

    async def _end(self) -> None:
        self._ended = True
        for news in self._clients:
            news.set()
        self._server.close(close_connections=False)
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._server.wait_closed()
        except TimeoutError:
            for connection in self._server.connections:
                connection.transport.abort()
            await self._server.wait_closed()
