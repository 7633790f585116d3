"""One viewer of saved streams: the same WebSocket as bridge.py has, with files in the place of a server.

A browser is told all events of the stream that it chooses, then its poses in pieces. Nothing can be edited.
"""

import asyncio
from collections.abc import Iterator, Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

from motionscribe.errors import BadRequest
from motionscribe.page.messages import (
    Message,
    clusters_message,
    event_message,
    past_poses_message,
    skeleton_layout,
    to_json,
)
from motionscribe.page.requests import Request, answered, text_of
from motionscribe.page.saved import SavedStream
from motionscribe_proto.events import to_dict

PIECE = 256
"""Poses of a message: some hundred kilobytes."""


class Replay:
    """Lives as long as the viewer."""

    def __init__(self, websocket: WebSocket, saved: Sequence[SavedStream]) -> None:
        self._websocket = websocket
        self._saved = {stream.title: stream for stream in saved}
        self._sending: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Returns when the viewer has gone."""
        await self._websocket.accept()
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._send(_streams_message([*self._saved.values()]))
                self._group.create_task(self._read())
        except* WebSocketDisconnect:
            pass

    async def _read(self) -> None:
        while True:
            failure = await answered(await self._websocket.receive_text(), self._do)
            if failure:
                await self._send(failure)

    async def _do(self, verb: object, ask: Request) -> None:
        """Raises BadRequest."""
        stream = self._find(text_of(ask, "stream"))
        if verb != "watch":
            raise BadRequest(f"expected a live stream, got {stream.title}, which is saved and stays as it is")
        if self._sending:
            self._sending.cancel()
        self._sending = self._group.create_task(self._send_all(stream))

    def _find(self, title: str) -> SavedStream:
        """Raises BadRequest."""
        if title not in self._saved:
            raise BadRequest(f"expected one of {', '.join(self._saved)}, got {title!r}")
        return self._saved[title]

    async def _send_all(self, stream: SavedStream) -> None:
        for message in _messages(stream):
            await self._send(message)

    async def _send(self, message: Message) -> None:
        await self._websocket.send_text(to_json(message))


def _streams_message(saved: Sequence[SavedStream]) -> Message:
    rows = [{"id": stream.title, "saved": True, "seconds": (stream.end_us - stream.start_us) / 1e6} for stream in saved]
    return {"is": "streams", "streams": rows, "error": None}


def _messages(stream: SavedStream) -> Iterator[Message]:
    layout = skeleton_layout(stream.figures.skeleton) if stream.figures else None
    yield {"is": "opened", "stream": stream.title, "saved": True, "start_us": stream.start_us, "skeleton": layout}
    yield clusters_message(stream.title, stream.clusters())
    anomalies = [{**to_dict(event), "verdict": "none", "fired": {}} for event in stream.anomalies()]
    yield {"is": "anomalies", "stream": stream.title, "anomalies": anomalies}
    for event in stream.events:
        yield event_message(stream.title, event)
    if stream.figures:
        times_us, frames = stream.figures.times_us, stream.figures.frames
        for start in range(0, len(times_us), PIECE):
            piece = slice(start, start + PIECE)
            yield past_poses_message(stream.title, times_us[piece], frames[piece])
