"""A client of HTTP/2 that keeps the protocol's rules and none of good manners.

It may have no flow-control window, so that the server can send it nothing; send messages that no library would; and
never read. It answers settings and pings, since a client that does not is cut off for that alone.
"""

import contextlib
import gzip
import socket
import struct
import threading
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

RECEIVED = 1 << 16


class RawClient:
    """One connection. `window` is how many bytes of each call the server may send before it is told to go on."""

    def __init__(self, port: int, window: int = 65535, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port))
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._lock = threading.Condition()
        self.headers: dict[int, dict[str, str]] = {}
        """Of each call, all that came, trailers too."""
        self.data: dict[int, bytes] = {}
        self.ended: set[int] = set()
        """Calls that are over, well or not."""
        self.sent_away = False
        """The server takes no more calls; h2 reads nothing that comes after that."""
        self.closed = False
        """The connection is closed."""
        self.is_frozen = False
        """Nothing that comes is looked at, pings neither, as where a process stands still."""
        self._h2.initiate_connection()
        self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self._flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def call(self, path: str, message: bytes = b"", end: bool = False, zipped: bool = False) -> int:
        """Begins a call with one message; returns its number. Waits for the server's window, not for its answer."""
        number = self.begin(path, zipped)
        body = gzip.compress(message) if zipped else message
        self.send(number, struct.pack(">BI", zipped, len(body)) + body, end)
        return number

    def begin(self, path: str, zipped: bool = False) -> int:
        """Begins a call without any message; returns its number."""
        headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "raw"}
        headers |= {"te": "trailers", "content-type": "application/grpc"}
        headers |= {"grpc-encoding": "gzip"} if zipped else {}
        with self._lock:
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, list(headers.items()))
            self._flush()
        return number

    def send(self, number: int, data: bytes, end: bool = False) -> None:
        """More bytes of a call; those that the server does not want any more are dropped."""
        with self._lock:
            while data:
                self._lock.wait_for(lambda: self._is_over(number) or self._room(number) > 0)
                if self._is_over(number):
                    return
                part, data = data[: self._room(number)], data[self._room(number) :]
                self._h2.send_data(number, part)
                self._flush()
            if end and not self._is_over(number):
                self._h2.end_stream(number)
                self._flush()

    def widen(self, number: int, window: int) -> None:
        """Lets the server send so many more bytes of a call."""
        with self._lock:
            self._h2.increment_flow_control_window(window, number)
            self._flush()

    def wait(self, number: int, timeout_s: float = 20.0) -> dict[str, str]:
        """The headers of a call that has ended. Raises TimeoutError."""
        with self._lock:
            if not self._lock.wait_for(lambda: self._is_over(number), timeout_s):
                raise TimeoutError(f"expected the end of call {number} within {timeout_s:g} s")
            return self.headers.get(number, {})

    def close(self) -> None:
        """Closes the connection without a word."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()

    def _is_over(self, number: int) -> bool:
        return self.closed or number in self.ended

    def _room(self, number: int) -> int:
        return min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)

    def _flush(self) -> None:
        self._socket.sendall(self._h2.data_to_send())

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(RECEIVED)
            except OSError:
                data = b""
            with self._lock:
                if not data:
                    self.closed = True
                elif not (self.sent_away or self.is_frozen):
                    self._take(data)
                self._lock.notify_all()
            if not data:
                return

    def _take(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:  # more came with the server's farewell, after which h2 wants nothing
            self.sent_away = True
            return
        for event in events:
            match event:
                case ResponseReceived() | TrailersReceived():
                    found = {str(name): str(value) for name, value in event.headers}
                    self.headers.setdefault(event.stream_id, {}).update(found)
                case DataReceived():
                    self.data[event.stream_id] = self.data.get(event.stream_id, b"") + event.data
                case StreamEnded() | StreamReset():
                    self.ended.add(event.stream_id)
                case ConnectionTerminated():
                    self.sent_away = True
        with contextlib.suppress(OSError):  # the reader will hear of it
            self._flush()
