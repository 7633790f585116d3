"""A network that can be broken: a TCP proxy on loopback, in a thread of its own."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable

CHUNK = 1 << 16
NO_LINGER = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards connections to `127.0.0.1:target`; a context manager. Its methods may be called from any thread."""

    def __init__(self, target: int) -> None:
        self.target = target
        """Where new connections go."""
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[_Connection] = set()

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._now(self._server.close)
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def stall(self) -> None:
        """The connections that there are carry nothing any more, and stay open."""
        self._each(lambda connection: connection.flowing.clear())

    def flow(self) -> None:
        """They carry again what waited."""
        self._each(lambda connection: connection.flowing.set())

    def drop(self) -> None:
        """They are closed, both ways."""
        self._each(_Connection.close)

    def reset(self) -> None:
        """They end with RST: what was on its way is gone."""
        self._each(_Connection.reset)

    def part(self, target: int) -> None:
        """They are closed for whoever connected, and silent and open for the server; new ones go to `target`."""
        self.target = target
        self._each(_Connection.part)

    def _each(self, work: Callable[["_Connection"], None]) -> None:
        """Does it to every connection, in the proxy's thread, and waits for that."""

        def all_of_them() -> None:
            for connection in list(self._connections):
                work(connection)

        self._now(all_of_them)

    def _now(self, work: Callable[[], None]) -> None:
        done = threading.Event()

        def then_say_so() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(then_say_so)
        done.wait()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._forward, "127.0.0.1", 0)

    async def _end(self) -> None:
        forwarding = asyncio.all_tasks() - {asyncio.current_task()}
        for task in forwarding:
            task.cancel()
        await asyncio.gather(*forwarding, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # nobody listens there, as behind a router whose server is off
            writer.close()
            return
        connection = _Connection([writer, theirs[1]])
        self._connections.add(connection)
        try:
            pumps = connection.pump(reader, theirs[1]), connection.pump(theirs[0], writer)
            with contextlib.suppress(asyncio.CancelledError):  # at the end of all
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            connection.close()
            self._connections.discard(connection)


class _Connection:
    """Two sockets."""

    def __init__(self, writers: list[asyncio.StreamWriter]) -> None:
        self._writers = writers
        self._parted = False
        self.flowing = asyncio.Event()
        self.flowing.set()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction until it ends, and then both."""
        try:
            while data := await reader.read(CHUNK):
                await self.flowing.wait()
                writer.write(data)
                await writer.drain()
        finally:
            if not self._parted:
                self.close()

    def part(self) -> None:
        """Only the first of the two is closed."""
        self._parted = True
        self.flowing.clear()
        self._writers[0].close()

    def close(self) -> None:
        """FIN, after what was written."""
        self.flowing.set()
        for writer in self._writers:
            writer.close()

    def reset(self) -> None:
        """RST."""
        for writer in self._writers:
            with contextlib.suppress(OSError):  # closed before, when both sides were parted
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            writer.transport.abort()
        self.flowing.set()
