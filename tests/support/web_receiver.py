"""A web server that takes events and misbehaves on purpose; it keeps its port when it stops and comes back."""

import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass
class Post:
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    """What was answered; None where the connection was cut instead."""


@dataclass
class WebReceiver:
    """Runs on a free port of loopback while the context lasts. Answers what `script` says, then 204."""

    script: list[tuple[int | None, dict[str, str]]] = field(default_factory=list)
    """Status and headers of each answer; None cuts the connection when the body has come."""
    posts: list[Post] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.free = threading.Event()
        """Unset while it hangs."""
        self.free.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?who=me"

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                receiver.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.free.wait(20)
                status, headers = receiver.script.pop(0) if receiver.script else (204, {})
                receiver.posts.append(Post(self.path, dict(self.headers), body, status))
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.close_connection = receiver._stopped

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._stopped = False
        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speaks TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def stop(self) -> None:
        """Nobody listens any more; a connection ends with its next answer."""
        self._stopped = True
        self._server.shutdown()
        self._server.server_close()
