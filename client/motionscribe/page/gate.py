"""The gate before the page: refuses what access.py refuses, and gives each answer the headers of security."""

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motionscribe.page.access import Access

LOGIN = "/login"
OPEN_PATHS = {LOGIN, "/static/style.css", "/static/icon.svg"}
"""What the form to log in needs."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WASM_POLICY = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
"""Of the page alone, and only where it has the camera's pose model: it may compile WebAssembly, and nothing else."""
HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self)",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser hides where the form to log in comes from
    "X-Content-Type-Options": "nosniff",
}
"""The page loads and asks nothing but itself, runs no script but its files, and stands in no frame of another."""


class Gate:
    """ASGI middleware. `wasm` lets the page compile WebAssembly."""

    def __init__(self, app: ASGIApp, access: Access, wasm: bool = False) -> None:
        self._app = app
        self._access = access
        self._wasm = wasm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is allowed; answers everything else."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = WASM_POLICY if self._wasm and scope["path"] == "/" else POLICY
                MutableHeaders(scope=message).update({**HEADERS, "Content-Security-Policy": policy})
            await send(message)

        refusal = self._refusal(HTTPConnection(scope))
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP status 403
        else:
            await refusal(scope, receive, send_with_headers)

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        """The answer to what is not allowed."""
        reads = connection.scope.get("method") in ("GET", "HEAD")  # a WebSocket has no method
        if not self._access.is_known_host(connection):
            return PlainTextResponse("expected a name of this machine as host", 403)
        if not reads and not self._access.is_same_origin(connection):
            return PlainTextResponse("expected a request of this page", 403)
        if connection.url.path not in OPEN_PATHS and not self._access.is_logged_in(connection):
            return RedirectResponse(LOGIN, 303)
        return None
