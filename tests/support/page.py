"""The page on a free port within a test's event loop, viewers of it, and plain requests without a browser."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE_S
from websockets.asyncio.client import ClientConnection, connect

from motionscribe import AsyncClient
from motionscribe.page.app import make_app
from motionscribe.page.saved import SavedStream
from motionscribe.page.serving import PageServer


@asynccontextmanager
async def page_of(
    address: str,
    token: str | None = None,
    port: int = 0,
    saved: Sequence[SavedStream] = (),
    pose_model: Path | None = None,
) -> AsyncIterator[str]:
    """The address, host:port, of a page that shows the streams of a server at `address`, or saved ones."""
    async with AsyncClient(address) as client:
        server = PageServer(make_app(client, token, saved=saved, pose_model=pose_model), "127.0.0.1", port)
        ready = asyncio.Event()
        running = asyncio.create_task(server.run(ready.set))
        await asyncio.wait_for(ready.wait(), PATIENCE_S)
        try:
            yield server.url.removeprefix("http://")
        finally:
            server.stop()
            await running


class Viewer:
    """What a browser does with its WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []
        """All messages that were read."""

    async def ask(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def find(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The newest message that is wanted; the next one where none was read yet."""
        return next((message for message in reversed(self.seen) if wanted(message)), None) or await self.read(wanted)

    async def read(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message that is wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                self.seen.append(message)
                if wanted(message):
                    return message

    async def read_a(self, kind: str) -> dict[str, Any]:
        """The next message of a kind."""
        return await self.read(lambda message: message["is"] == kind)


@asynccontextmanager
async def viewing(
    page: str, cookie: str = "", origin: str | None = None, buffer: int | None = None, path: str = "/live"
) -> AsyncIterator[Viewer]:
    """A viewer, from this page where no other origin is given; `buffer` is how many bytes its system keeps for it."""
    headers = {"Origin": f"http://{page}" if origin is None else origin} | ({"Cookie": cookie} if cookie else {})
    host, port = page.split(":")
    plug = socket.socket()
    if buffer:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plug.connect((host, int(port)))
    async with connect(f"ws://{page}{path}", sock=plug, additional_headers=headers, max_queue=None) as opened:
        yield Viewer(opened)


async def request(page: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers (names in small letters) and text. With a body it is a POST."""
    host, port = page.split(":")
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in ({"Host": page, "Connection": "close"} | headers).items()]
    lines += [f"Content-Length: {len(body)}", "", body]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join(lines).encode())
    head, _, text = (await asyncio.wait_for(reader.read(), PATIENCE_S)).decode().partition("\r\n\r\n")
    writer.close()
    status, *rest = head.split("\r\n")
    return int(status.split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in rest)}, text
