"""Cameras of viewers: landmarks that a browser has found go into an ordinary stream. Pictures never come here.

A WebSocket for each camera, /camera?stream=ID&rate=HZ. The browser sends a binary message for each picture, all numbers
little-endian: its time as float64 in microseconds, then float32 x, y, z and visibility of MediaPipe's 33 landmarks, NaN
where nobody was found. x, y and z are world coordinates: metres from the middle of the hips, y down. It is told
{"is": "opened", "stream": ID} or {"is": "failed", "error": ...}; after an error the camera is closed.
"""

import asyncio
import time
from contextlib import suppress

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from motionscribe.async_client import AsyncClient
from motionscribe.errors import BadFrames, BadRequest, MotionscribeError, TooMuch
from motionscribe.page.messages import to_json
from motionscribe.page.streams import StreamList
from motionscribe.sources import PushSource
from motionscribe_models.recordings.keypoint_names import MEDIAPIPE_33
from motionscribe_models.recordings.spaces import METRES_OF_CAMERA
from motionscribe_models.skeleton import Skeleton

LANDMARKS = Skeleton(
    "mediapipe",
    MEDIAPIPE_33,
    (-1,) * len(MEDIAPIPE_33),
    "positions",
    METRES_OF_CAMERA.units,
    METRES_OF_CAMERA.metres_per_unit,
    METRES_OF_CAMERA.up_axis,
    rate_hz=30.0,
    level=METRES_OF_CAMERA.level,
)
MESSAGE_BYTES = 8 + 4 * 4 * len(MEDIAPIPE_33)
LEAST_HZ = 10.0
"""The models take no slower source; a browser that has too much to do sends fewer frames, and they are bridged."""
MOST_HZ, BURST = 120.0, 240.0
"""Frames a second of the fastest camera, and frames that may come at once after the network stood still."""
PATIENCE_S = 60.0
"""How long a camera may send nothing, as in a browser's tab that nobody sees."""


class Cameras:
    """All cameras of a page: not more than viewers, so that nobody fills the server with them."""

    def __init__(self, client: AsyncClient, streams: StreamList) -> None:
        self._client = client
        self._streams = streams
        self._open = 0

    async def serve(self, websocket: WebSocket) -> None:
        """Returns when the viewer has gone, or was told why the camera was closed."""
        await websocket.accept()
        self._open += 1
        try:
            if self._open > self._streams.viewers:
                raise TooMuch(f"expected one camera per viewer, got {self._open} for {self._streams.viewers}")
            asked = websocket.query_params
            await self._feed(websocket, asked.get("stream"), _rate(asked.get("rate", "")))
        except MotionscribeError as error:
            with suppress(WebSocketDisconnect, RuntimeError):
                await websocket.send_text(to_json({"is": "failed", "error": str(error)}))
                await websocket.close()
        except WebSocketDisconnect:
            pass  # it went before the stream was open
        finally:
            self._open -= 1

    async def _feed(self, websocket: WebSocket, stream_id: str | None, rate_hz: float) -> None:
        """Until the viewer stops or goes: then the stream ends. Raises MotionscribeError."""
        source = PushSource(name="camera", skeleton=LANDMARKS, rate_hz=rate_hz)
        # a frame a message: none waits for the next
        async with self._client.stream(source, stream_id=stream_id, block=1) as stream:
            await websocket.send_text(to_json({"is": "opened", "stream": stream.opened.stream_id}))
            reading = asyncio.create_task(_read(websocket, source))
            try:
                async for _ in stream:
                    pass
            finally:
                reading.cancel()
                await asyncio.wait([reading])
        if not reading.cancelled():
            reading.result()


def _rate(text: str) -> float:
    """Raises BadRequest."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= MOST_HZ:
        raise BadRequest(f"expected a rate of at most {MOST_HZ:g} Hz, got {text[:40]!r}")
    return max(LEAST_HZ, rate)


async def _read(websocket: WebSocket, source: PushSource) -> None:
    """Closes the source in the end. Raises BadFrames, TooMuch."""
    credit, before = BURST, time.monotonic()
    try:
        while True:
            async with asyncio.timeout(PATIENCE_S):
                message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            now = time.monotonic()
            credit, before = min(BURST, credit + MOST_HZ * (now - before)) - 1, now
            if credit < 0:
                raise TooMuch(f"expected at most {MOST_HZ:g} frames a second, got more")
            _push(source, message.get("bytes"))
    except TimeoutError:
        raise BadFrames(f"expected frames, got none for {PATIENCE_S:g} s") from None
    finally:
        source.close()


def _push(source: PushSource, message: bytes | None) -> None:
    """Raises BadFrames."""
    if message is None or len(message) != MESSAGE_BYTES:
        got = "text" if message is None else f"{len(message)}"
        raise BadFrames(f"expected {MESSAGE_BYTES} bytes a frame, got {got}")
    time_us = np.frombuffer(message, "<f8", 1)[0]
    if not 0 <= time_us < 2**53:
        raise BadFrames(f"expected a time in microseconds, got {time_us}")
    rows = np.frombuffer(message, "<f4", offset=8).reshape(len(MEDIAPIPE_33), 4)
    source.push(rows[:, :3].ravel(), round(float(time_us)), rows[:, 3])
