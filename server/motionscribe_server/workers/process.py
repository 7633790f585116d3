"""One process that computes and the socket to it, and the sessions that live there.

In: orders, for many sessions at once. Out: answers to the listener of each Link. The pool decides who gets a session.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import count

from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    CloseSession,
    EditClusters,
    ForgetSession,
    Hello,
    ListClusters,
    Order,
    Reply,
    Request,
    SessionClusters,
    Start,
    TakeFrames,
    TakeSnapshot,
    Turn,
    Unpacker,
    pack,
)
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import Edit
from motionscribe_server.session.frame_checks import CheckedBlock

log = logging.getLogger(__name__)

PATIENCE_S = 10.0


class Link:
    """A session in a worker. `listener` is given its answers, in order; set it before the first frames."""

    def __init__(self, worker: "WorkerProcess", id: int) -> None:
        self.worker = worker
        self.id = id
        self.listener: Callable[[Answer], None] = lambda answer: None

    def take(self, block: CheckedBlock) -> None:
        """Frames that passed admission."""
        self.worker.send(TakeFrames(self.id, block))

    def close(self) -> None:
        """No frames follow: the last answer says that it is closed."""
        self.worker.send(CloseSession(self.id))

    def snapshot(self) -> None:
        """Has an answer bring one, after all frames so far."""
        self.worker.send(TakeSnapshot(self.id))

    async def clusters(self) -> SessionClusters:
        """Raises UnavailableError where the worker is gone."""
        return await self.worker.ask(ListClusters(self.id))

    async def edit(self, edit: Edit) -> SessionClusters:
        """The clusters after `edit`, whose events were answered by then. Raises what it raises, UnavailableError."""
        return await self.worker.ask(EditClusters(self.id, edit))

    def forget(self) -> None:
        """No more answers; the session is gone."""
        self.worker.send(ForgetSession(self.id))
        self.worker.release(self.id)


class WorkerProcess(asyncio.Protocol):
    """One process and the socket to it. `lost` is called once when it ends."""

    def __init__(self, metrics: Metrics, lost: Callable[["WorkerProcess"], None]) -> None:
        self._metrics = metrics
        self._lost = lost
        self.links: dict[int, Link] = {}
        self._leaving = False
        self.shedding = Shedding.NOTHING
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[SessionClusters]] = {}
        self._unpacker = Unpacker()
        self._outgoing: list[Order | Start] = []
        self._hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    async def start(self, start: Start) -> Hello:
        """Returns when the models are loaded. Raises what loading raises, UnavailableError where the process ends."""
        ours, theirs = socket.socketpair()
        # products of a few rows are slower on two threads, and each worker has a core of its own
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "motionscribe_server.engine.main", str(theirs.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment)
        theirs.close()
        ours.setblocking(False)
        await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)
        self.send(start)
        return await self._hello

    def send(self, order: Order | Start) -> None:
        """Leaves with everything else that is sent in this round of the loop."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(order)

    async def ask(self, request: Request) -> SessionClusters:
        """The reply. Raises what the worker could not do, UnavailableError where it is gone."""
        if self.transport is None or self.transport.is_closing():
            raise _died()
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(Ask(number, request))
        return await self._asked[number]

    def leave(self) -> None:
        """Ends the process as soon as it has no session."""
        self._leaving = True
        self._end_if_idle()

    def release(self, id: int) -> None:
        """The session of this link is gone."""
        self.links.pop(id, None)
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._leaving and not self.links and self.transport:
            self.transport.close()

    async def close(self) -> None:
        """Ends the process."""
        if self.transport:
            self.transport.close()
        try:
            await asyncio.to_thread(self.process.wait, PATIENCE_S)
        except subprocess.TimeoutExpired:
            log.warning("worker %d does not end and is killed", self.process.pid)
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        for message in self._unpacker.feed(data):
            match message:
                case Turn():
                    self._take_turn(message)
                case Reply(number, value):
                    future = self._asked.pop(number)
                    if future.done():  # whoever asked was cancelled
                        continue
                    if isinstance(value, Exception):
                        future.set_exception(value)
                    else:
                        future.set_result(value)
                case Exception():
                    self._hello.set_exception(message)
                case _:
                    self._hello.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop: the process ended, or close was called."""
        if not self._hello.done():
            self._hello.set_exception(_died())
        for future in self._asked.values():
            if not future.done():
                future.set_exception(_died())
        links, self.links = self.links, {}
        for link in links.values():
            link.listener(Answer(link.id, error=_died()))
        self._lost(self)

    def _take_turn(self, turn: Turn) -> None:
        self.shedding = turn.shedding
        if turn.streams:
            self._metrics.tick.observe(turn.seconds)
            self._metrics.batch.observe(turn.streams)
        for answer in turn.answers:
            if link := self.links.get(answer.session):
                link.listener(answer)

    def _flush(self) -> None:
        orders, self._outgoing = self._outgoing, []
        if self.transport and not self.transport.is_closing():
            self.transport.write(pack(orders))


def _died() -> UnavailableError:
    return UnavailableError("the worker of this stream is gone; the server's log says more")
