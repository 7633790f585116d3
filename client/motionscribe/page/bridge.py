"""One viewer: a WebSocket of JSON messages on one side, the server on the other.

A browser asks {"do": "watch" | "rename" | "merge" | "split" | "mark" | "explain" | "exemplars" | "map", "stream": ID,
...}, or for the wall {"do": "wall", "on": true | false}. messages.py has what it is told. An edit has no answer of its
own: the tables that come after it, of every viewer, are the answer. What fails is told as {"is": "failed", "do": ...,
"error": ...}.
"""

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from motionscribe.async_client import AsyncClient
from motionscribe.errors import BadRequest
from motionscribe.page.follow import Follower
from motionscribe.page.hub import Hub
from motionscribe.page.messages import (
    Message,
    exemplars_message,
    explanation_message,
    map_message,
    streams_message,
    to_json,
)
from motionscribe.page.outgoing import Outgoing, TooSlowError
from motionscribe.page.requests import Request, answered, text_of
from motionscribe.page.streams import StreamList
from motionscribe.page.wall import Wall
from motionscribe_proto.verdicts import VERDICTS, Verdict

TRY_AGAIN_LATER = 1013
"""Status of a WebSocket that is closed because its viewer does not read."""


class Bridge:
    """Lives as long as the viewer."""

    def __init__(self, websocket: WebSocket, client: AsyncClient, streams: StreamList, hub: Hub, wall: Wall) -> None:
        self._websocket = websocket
        self._client = client
        self._streams = streams
        self._hub = hub
        self._wall = wall
        self._outgoing = Outgoing()
        self._followed: Follower | None = None

    async def run(self) -> None:
        """Returns when the viewer has gone."""
        await self._websocket.accept()
        self._streams.attend()
        try:
            async with asyncio.TaskGroup() as group:
                for part in (self._read, self._write, self._list_streams, self._outgoing.wait_until_overfull):
                    group.create_task(part())
        except* WebSocketDisconnect:
            pass
        except* TooSlowError as slow:
            await self._websocket.close(TRY_AGAIN_LATER, str(slow.exceptions[0])[:100])
        finally:
            self._leave()
            self._wall.leave(self._outgoing)
            self._streams.leave()

    async def _read(self) -> None:
        while True:
            failure = await answered(await self._websocket.receive_text(), self._do)
            if failure:
                self._put(failure)

    async def _write(self) -> None:
        while True:
            await self._websocket.send_text(await self._outgoing.take())
            await asyncio.sleep(0)  # a viewer that has gone is heard of before the next one is written

    async def _list_streams(self) -> None:
        while True:
            message = streams_message(self._streams.streams, self._streams.error)
            self._outgoing.replace("streams", to_json(message))
            await self._streams.wait_for_answer()

    async def _do(self, verb: object, ask: Request) -> None:
        """Raises MotionscribeError."""
        if verb == "wall":
            self._show_wall(ask.get("on"))
            return
        stream_id = text_of(ask, "stream")
        match verb:
            case "watch":
                self._watch(stream_id)
                return
            case "rename":
                await self._client.rename(stream_id, ask.get("cluster", 0), text_of(ask, "name"))
            case "merge":
                await self._client.merge(stream_id, [ask.get("source", 0)], ask.get("into", 0))
            case "split":
                await self._client.split(stream_id, ask.get("cluster", 0))
            case "mark":
                await self._client.mark_anomaly(stream_id, ask.get("anomaly", 0), _verdict(ask))
            case "explain":
                explanation = await self._client.explain(stream_id, ask.get("segment", 0))
                self._put(explanation_message(stream_id, explanation))
                return
            case "exemplars":
                cluster = ask.get("cluster", 0)
                exemplars = await self._client.exemplars(stream_id, cluster)
                self._put(exemplars_message(stream_id, cluster, exemplars))
                return
            case "map":
                found = map_message(stream_id, await self._client.map(stream_id))
                self._outgoing.replace("map", to_json(found), stream_id)
                return
            case _:
                verbs = "watch, wall, rename, merge, split, mark, explain, exemplars or map"
                raise BadRequest(f"expected {verbs}, got {verb!r}")
        self._hub.refresh(stream_id)

    def _watch(self, stream_id: str) -> None:
        self._leave()
        self._followed = self._hub.hold(stream_id, self)
        self._followed.audience.join(self._outgoing)

    def _leave(self) -> None:
        if self._followed:
            self._followed.audience.leave(self._outgoing)
            self._hub.release(self._followed.stream_id, self)
            self._followed = None

    def _show_wall(self, on: object) -> None:
        """Raises BadRequest."""
        if not isinstance(on, bool):
            raise BadRequest(f"expected on as true or false, got {on!r}")
        if on:
            self._wall.join(self._outgoing)
        else:
            self._wall.leave(self._outgoing)

    def _put(self, message: Message) -> None:
        self._outgoing.put(to_json(message))


def _verdict(ask: Request) -> Verdict:
    """Raises BadRequest."""
    for verdict in VERDICTS:
        if verdict == ask.get("verdict"):
            return verdict
    raise BadRequest(f"expected a verdict, one of {', '.join(VERDICTS)}, got {ask.get('verdict')!r}")
