"""The web server of the page: uvicorn on one address."""

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

SHUTDOWN_S = 3
# what waits in the system's buffers can no longer be replaced by something newer: by itself it would be some megabytes
SEND_BUFFER = 65_536
LONGEST_REQUEST = 65_536
"""Bytes of a message from a browser."""


class PageServer:
    """Listens from its construction, answers while `run` does. Port 0 takes any; `url` says which.

    With certificate and key (PEM files) it speaks HTTPS alone. Raises OSError where the address cannot be had.
    """

    def __init__(
        self, app: Starlette, host: str, port: int, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # and of all that it accepts
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if certificate else 'http'}://{name}:{self._socket.getsockname()[1]}"
        self._server = _Server(
            uvicorn.Config(
                app,
                log_level="warning",
                lifespan="on",
                server_header=False,
                ssl_certfile=certificate,
                ssl_keyfile=key,
                timeout_graceful_shutdown=SHUTDOWN_S,
                ws_max_size=LONGEST_REQUEST,
                ws_per_message_deflate=False,  # poses hardly shrink, and 30 of them a second cost more than they save
            )
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Returns after `stop`, or after a signal. Calls `ready` when the page can be opened."""
        self._server.ready = ready
        await self._server.serve([self._socket])

    def stop(self) -> None:
        """Ends `run` soon."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Says when it has started."""

    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn calls it."""
        await super().startup(sockets)
        if self.started:
            self.ready()
