"""A worker as a process of its own on this machine, at the other end of a pair of sockets that nobody else can open."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence

from motionscribe_server.engine.codec import CodecError, Decoder, encode
from motionscribe_server.engine.messages import FromServer, FromWorker
from motionscribe_server.workers.transport import Receiver

log = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""Seconds that a worker has to end after its socket was closed. Nobody would hear what it still computes."""


def start_process(socket_number: int) -> subprocess.Popen[bytes]:
    """A worker, by its own command."""
    # products of a few rows are slower on two threads, and each worker has a core of its own
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "motionscribe_server.engine.main", str(socket_number)]
    # a group of its own: what a terminal says to this process, it says to this one alone
    return subprocess.Popen(command, pass_fds=[socket_number], env=environment, process_group=0)


class SubprocessTransport(asyncio.Protocol):
    """A Transport. Closing the socket ends the process, as does the end of this one.

    `start` makes a process that serves the socket of a number.
    """

    _receiver: Receiver
    """Known from `spawn` on, and nothing comes before."""

    def __init__(self, start: Callable[[int], subprocess.Popen[bytes]] = start_process) -> None:
        self._start = start
        self.process: subprocess.Popen[bytes] | None = None
        self._connection: asyncio.Transport | None = None
        self._decoder = Decoder(FromWorker)

    async def spawn(self, receiver: Receiver) -> None:
        """See Transport."""
        self._receiver = receiver
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = self._start(theirs.fileno())
        ours.setblocking(False)
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)

    def send(self, messages: Sequence[FromServer]) -> None:
        """See Transport."""
        if self._connection and self.alive:
            self._connection.write(encode(messages))

    @property
    def alive(self) -> bool:
        """See Transport."""
        return self._connection is not None and not self._connection.is_closing()

    def close(self) -> None:
        """See Transport."""
        if self._connection:
            self._connection.close()

    def kill(self) -> None:
        """See Transport."""
        if self.process:
            self.process.kill()
        if self._connection:
            self._connection.abort()  # closing it would wait until the worker reads

    async def wait_closed(self) -> None:
        """Kills a process that does not end by itself."""
        if self.process is None:
            return
        try:
            await asyncio.to_thread(self.process.wait, PATIENCE_S)
        except subprocess.TimeoutExpired:
            log.warning("worker %d does not end and is killed", self.process.pid)
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"expected the transport of a socket, got {transport!r}")
        self._connection = transport

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        try:
            messages = self._decoder.feed(data)
        except CodecError:
            log.exception("a worker sent bytes that are no messages; it is ended")
            if self._connection:
                self._connection.abort()
            return
        self._receiver.receive(messages)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop: the process ended, or `close` was called."""
        self._receiver.ended()
