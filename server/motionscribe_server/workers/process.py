"""One worker as the serving process sees it, and the sessions that live there.

In: orders, for many sessions at once. Out: answers, to the listener of each Link. How orders get to the worker is the
transport's business, which of the workers gets a session the pool's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    CloseSession,
    EditClusters,
    EngineInfo,
    ForgetSession,
    FromServer,
    FromWorker,
    ListClusters,
    Ready,
    Reply,
    Request,
    SessionClusters,
    Start,
    StartFailed,
    TakeFrames,
    TakeSnapshot,
    Turn,
)
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import Edit
from motionscribe_server.workers.transport import Transport


class Link:
    """A session in a worker. Its answers go to `listener`, in order; set it before the first frames."""

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
        """Asks for a snapshot: an answer brings it as soon as all frames so far are computed."""
        self.worker.send(TakeSnapshot(self.id))

    async def clusters(self) -> SessionClusters:
        """Raises UnavailableError where the worker is gone."""
        return await self.worker.ask(ListClusters(self.id))

    async def edit(self, edit: Edit) -> SessionClusters:
        """The clusters after `edit`; its events come before. Raises what `edit` raises, UnavailableError."""
        return await self.worker.ask(EditClusters(self.id, edit))

    def forget(self) -> None:
        """No more answers; the session is gone."""
        self.worker.send(ForgetSession(self.id))
        self.worker.release(self.id)


class WorkerProcess:
    """One worker, the Receiver of its transport. `ended` is called once, when the worker is gone."""

    def __init__(self, transport: Transport, metrics: Metrics, ended: Callable[["WorkerProcess"], None]) -> None:
        self.transport = transport
        self._metrics = metrics
        self._ended = ended
        self.links: dict[int, Link] = {}
        self._leaving = False
        self.shedding = Shedding.NOTHING
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[SessionClusters]] = {}
        self._outgoing: list[FromServer] = []
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()

    async def start(self, start: Start) -> Mapping[str, EngineInfo]:
        """How each model runs, by its key, as soon as all are loaded.

        Raises what loading raises, UnavailableError where the worker ends before that.
        """
        await self.transport.spawn(self)
        self.send(start)
        return dict((await self._ready).engines)

    def send(self, message: FromServer) -> None:
        """Leaves with everything else that is sent in this round of the loop."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(message)

    async def ask(self, request: Request) -> SessionClusters:
        """The reply. Raises what the worker raised, UnavailableError where it is gone."""
        if not self.transport.alive:
            raise _gone()
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(Ask(number, request))
        return await self._asked[number]

    def leave(self) -> None:
        """Ends the worker as soon as it has no session."""
        self._leaving = True
        self._end_if_idle()

    def release(self, id: int) -> None:
        """The session of this link is gone."""
        self.links.pop(id, None)
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._leaving and not self.links:
            self.transport.close()

    async def close(self) -> None:
        """Ends the worker; returns when it is gone."""
        self.transport.close()
        await self.transport.wait_closed()

    # Receiver

    def receive(self, messages: Sequence[FromWorker]) -> None:
        """Called by the transport."""
        for message in messages:
            match message:
                case Turn():
                    self._take_turn(message)
                case Reply(number, value):
                    self._take_reply(number, value)
                case Ready():
                    self._ready.set_result(message)
                case StartFailed(error):
                    self._ready.set_exception(error)

    def ended(self) -> None:
        """Called by the transport."""
        if not self._ready.done():
            self._ready.set_exception(_gone())
        for future in self._asked.values():
            if not future.done():
                future.set_exception(_gone())
        links, self.links = self.links, {}
        for link in links.values():
            link.listener(Answer(link.id, error=_gone()))
        self._ended(self)

    def _take_turn(self, turn: Turn) -> None:
        self.shedding = turn.shedding
        if turn.streams:
            self._metrics.tick.observe(turn.seconds)
            self._metrics.batch.observe(turn.streams)
        for answer in turn.answers:
            if link := self.links.get(answer.session):
                link.listener(answer)

    def _take_reply(self, number: int, value: SessionClusters | Exception) -> None:
        future = self._asked.pop(number)
        if future.done():  # whoever asked was cancelled
            return
        if isinstance(value, Exception):
            future.set_exception(value)
        else:
            future.set_result(value)

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        self.transport.send(outgoing)


def _gone() -> UnavailableError:
    return UnavailableError("the worker of this stream is gone; the server's log says more")
