"""The page as a Starlette app: its files, the form to log in, and WebSockets for each viewer and each camera."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from motionscribe.async_client import AsyncClient
from motionscribe.page.access import COOKIE, Access
from motionscribe.page.bridge import Bridge
from motionscribe.page.camera import Cameras
from motionscribe.page.export import export
from motionscribe.page.gate import LOGIN, Gate
from motionscribe.page.hub import Hub
from motionscribe.page.pose_model import HOW
from motionscribe.page.replay import Replay
from motionscribe.page.saved import SavedStream
from motionscribe.page.streams import StreamList
from motionscribe.page.wall import Wall

STATIC = Path(__file__).parent / "static"
LONGEST_FORM = 8192
"""Bytes of a filled form."""
WRONG_TOKEN_S = 1.0
"""How long a wrong token waits for its answer."""


def make_app(
    client: AsyncClient,
    token: str | None = None,
    encrypted: bool = False,
    saved: Sequence[SavedStream] = (),
    pose_model: Path | None = None,
) -> Starlette:
    """The app. With `token`, viewers must give it; `encrypted` says that they come by HTTPS.

    Where there are `saved` streams they alone are shown, and no server is asked. `pose_model` is the folder of the
    camera's pose model. The client stays the caller's.
    """
    access = Access(token)
    streams = StreamList(client)
    hub = Hub(client, streams)
    wall = Wall(hub, streams)
    cameras = Cameras(client, streams)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with streams, hub, wall:
            yield

    async def index(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def show_login(_: Request) -> Response:
        return FileResponse(STATIC / "login.html")

    async def log_in(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_FORM:
                return PlainTextResponse("expected a token", 413)
        given = parse_qs(body.decode("latin-1")).get("token", [""])[0].strip()
        if not access.accepts(given):
            await asyncio.sleep(WRONG_TOKEN_S)
            return FileResponse(STATIC / "login.html", 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, access.cookie, secure=encrypted, httponly=True, samesite="strict")
        return answer

    async def live(websocket: WebSocket) -> None:
        await (Replay(websocket, saved) if saved else Bridge(websocket, client, streams, hub, wall)).run()

    async def tell_of_camera(_: Request) -> Response:
        missing = "a camera needs a server, and this page shows a file" if saved else None if pose_model else HOW
        return JSONResponse({"missing": missing})

    routes: list[BaseRoute] = [
        Route("/", index),
        Route(LOGIN, show_login),
        Route(LOGIN, log_in, methods=["POST"]),
        Route("/export/{ending}", export, methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
        WebSocketRoute("/live", live),
        Route("/camera", tell_of_camera),
        WebSocketRoute("/camera", cameras.serve),
    ]
    if pose_model:
        routes.append(Mount("/pose", StaticFiles(directory=pose_model)))
    gate = Middleware(Gate, access=access, wasm=pose_model is not None)
    return Starlette(routes=routes, lifespan=lifespan, middleware=[gate])
