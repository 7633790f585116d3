"""The workers of one server: processes that compute, and sessions in them.

In: models to load, then sessions, frames, edits. Out: a Link for each session, which hands its answers to a listener.
A session lives in one worker, the one that had fewest. A worker that dies takes its sessions with it; each listener is
told, and another worker starts in its place.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import count

from motionscribe_proto.codec import FrameBlock
from motionscribe_server.edits import Edit
from motionscribe_server.errors import EngineError, ExhaustedError, UnavailableError
from motionscribe_server.exchange import (
    Answer,
    Ask,
    CloseSession,
    EditClusters,
    ForgetSession,
    Hello,
    Known,
    ListClusters,
    OpenSession,
    Order,
    Reply,
    Request,
    Start,
    TakeFrames,
    TakeSnapshot,
    Turn,
    Unpacker,
    pack,
)
from motionscribe_server.metrics import Metrics
from motionscribe_server.options import SessionOptions
from motionscribe_server.shedding import Shedding

log = logging.getLogger(__name__)

RESTART_AFTER_S = 1.0
PATIENCE_S = 10.0


class Link:
    """A session in a worker. `listener` is given its answers, in order; set it before the first frames."""

    def __init__(self, worker: "WorkerProcess", id: int) -> None:
        self.worker = worker
        self.id = id
        self.listener: Callable[[Answer], None] = lambda answer: None

    def take(self, block: FrameBlock) -> None:
        """Frames that passed admission."""
        self.worker.send(TakeFrames(self.id, block))

    def close(self) -> None:
        """No frames follow: the last answer says that it is closed."""
        self.worker.send(CloseSession(self.id))

    def snapshot(self) -> None:
        """Has an answer bring one, after all frames so far."""
        self.worker.send(TakeSnapshot(self.id))

    async def clusters(self) -> Known:
        """Raises EngineError where the worker is gone."""
        return await self.worker.ask(ListClusters(self.id))

    async def edit(self, edit: Edit) -> Known:
        """The clusters after `edit`, whose events were answered by then. Raises what `edit` raises, EngineError."""
        return await self.worker.ask(EditClusters(self.id, edit))

    def forget(self) -> None:
        """No more answers; the session is gone."""
        self.worker.links.pop(self.id, None)
        self.worker.send(ForgetSession(self.id))


class WorkerProcess(asyncio.Protocol):
    """One process and the socket to it. `lost` is called once when it ends."""

    def __init__(self, metrics: Metrics, lost: Callable[["WorkerProcess"], None]) -> None:
        self._metrics = metrics
        self._lost = lost
        self.links: dict[int, Link] = {}
        self.shedding = Shedding.NOTHING
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Known]] = {}
        self._unpacker = Unpacker()
        self._outgoing: list[Order | Start] = []
        self._hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    async def start(self, start: Start) -> Hello:
        """Returns when the models are loaded. Raises what loading raises, EngineError where the process ends."""
        ours, theirs = socket.socketpair()
        # products of a few rows are slower on two threads, and each worker has a core of its own
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "motionscribe_server.worker", str(theirs.fileno())]
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

    async def ask(self, request: Request) -> Known:
        """The reply. Raises what the worker could not do, EngineError where it is gone."""
        if self.transport is None or self.transport.is_closing():
            raise _died()
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(Ask(number, request))
        return await self._asked[number]

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


class Pool:
    """All workers."""

    def __init__(self, start: Start, size: int, metrics: Metrics) -> None:
        self._start = start
        self._size = size
        self._metrics = metrics
        self.workers: list[WorkerProcess] = []
        self._sessions = count(1)
        self._closing = False
        self._restarts: set[asyncio.Task[None]] = set()

    async def start(self) -> Hello:
        """Starts all workers; returns how the models run. Raises ContractError for one that cannot."""
        self.workers = [WorkerProcess(self._metrics, self._lost) for _ in range(self._size)]
        starts = [worker.start(self._start) for worker in self.workers]
        hello, *_ = await asyncio.gather(*starts)
        self._metrics.shedding.set_function(lambda: max((w.shedding for w in self.workers), default=0))
        return hello

    async def open(
        self, model: str, options: SessionOptions, known: Known, durable: bool = False, snapshot: bytes | None = None
    ) -> Link:
        """A session, new or from a snapshot.

        Raises UnavailableError while no worker runs, ExhaustedError, SnapshotError and what the session refuses.
        """
        if not self.workers:
            raise UnavailableError("no worker is running: try again in a few seconds")
        worker = min(self.workers, key=lambda worker: len(worker.links))
        if worker.shedding >= Shedding.STREAMS:
            raise ExhaustedError("expected processors that keep up with the streams there are: try again later")
        link = Link(worker, next(self._sessions))
        worker.links[link.id] = link
        try:
            await worker.ask(OpenSession(link.id, model, options, known, durable, snapshot))
        except BaseException:
            worker.links.pop(link.id, None)
            raise
        return link

    async def close(self) -> None:
        """Ends all workers."""
        self._closing = True
        for task in self._restarts:
            task.cancel()
        await asyncio.gather(*self._restarts, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in list(self.workers)))

    def _lost(self, worker: WorkerProcess) -> None:
        """A process ended: another one takes its place."""
        if self._closing or worker not in self.workers:
            return
        self.workers.remove(worker)
        log.error("a worker is gone; another one starts")
        task = asyncio.create_task(self._replace(worker))
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def _replace(self, lost: WorkerProcess) -> None:
        await lost.close()
        while True:
            worker = WorkerProcess(self._metrics, self._lost)
            try:
                await worker.start(self._start)
            except asyncio.CancelledError:
                await worker.close()
                raise
            except Exception:
                log.exception("a worker does not start; the next try follows")
                await worker.close()
                await asyncio.sleep(RESTART_AFTER_S)
            else:
                self.workers.append(worker)
                return


def _died() -> EngineError:
    return EngineError("the worker of this stream is gone; the server's log says more")
