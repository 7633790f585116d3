"""One worker as the serving process sees it, and the sessions that live there.

In: orders, for many sessions at once. Out: answers, to the listener of each Link. How orders get to the worker is the
transport's business, which of the workers gets a session the pool's. Nobody waits for a worker for ever: one that does
not answer (watchdog.py) is killed, and every question has a time limit.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, overload

from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    CloseSession,
    EditClusters,
    EngineInfo,
    ExplainSegment,
    ForgetSession,
    FromServer,
    FromWorker,
    ListClusters,
    MapClusters,
    OpenSession,
    Ping,
    Ready,
    RecallSegment,
    Reply,
    Request,
    SessionClusters,
    Start,
    StartFailed,
    TakeFrames,
    TakeSnapshot,
    Turn,
    Value,
)
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.edits import Edit
from motionscribe_server.session.explanation import Explanation
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.recall import Recalled
from motionscribe_server.workers.transport import Transport
from motionscribe_server.workers.watchdog import PING_S, REPLY_S, START_S, Watchdog

log = logging.getLogger(__name__)


class SilentError(UnavailableError):
    """The worker says nothing. It may be hung; another one can begin the session."""


class _Question(NamedTuple):
    request: Request
    reply: "asyncio.Future[Any]"


class Link:
    """A session in a worker. Its answers go to `listener`, in order; set it before the first frames."""

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
        """Asks for a snapshot: an answer brings it as soon as all frames so far are computed."""
        self.worker.send(TakeSnapshot(self.id))

    async def clusters(self) -> SessionClusters:
        """Raises UnavailableError where the worker is gone."""
        return await self.worker.ask(ListClusters(self.id))

    async def edit(self, edit: Edit) -> SessionClusters:
        """The clusters after `edit`; its events come before. Raises what `edit` raises, UnavailableError."""
        return await self.worker.ask(EditClusters(self.id, edit))

    async def recall(self, segment: int) -> Recalled:
        """A segment of the session, 0 for the newest. Raises NotFoundError, UnavailableError."""
        return await self.worker.ask(RecallSegment(self.id, segment))

    async def map(self) -> ClusterMap:
        """Raises UnavailableError where the worker is gone."""
        return await self.worker.ask(MapClusters(self.id))

    def forget(self) -> None:
        """No more answers; the session is gone."""
        self.worker.send(ForgetSession(self.id))
        self.worker.release(self.id)


class WorkerProcess:
    """One worker, the Receiver of its transport. `ended` is called once, when the worker is gone."""

    def __init__(
        self,
        transport: Transport,
        metrics: Metrics,
        ended: Callable[["WorkerProcess"], None],
        ping_s: float = PING_S,
        reply_s: float = REPLY_S,
    ) -> None:
        """`reply_s` is the patience with a question, `ping_s` the time between two pings."""
        self.transport = transport
        self._metrics = metrics
        self._ended = ended
        self._ping_s = ping_s
        self.reply_s = reply_s
        self._watchdog = Watchdog()
        self._next_ping: asyncio.TimerHandle | None = None
        self.links: dict[int, Link] = {}
        self._leaving = False
        self.shedding = Shedding.NOTHING
        self._numbers = count(1)
        self._asked: dict[int, _Question] = {}
        self._outgoing: list[FromServer] = []
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()

    async def start(self, start: Start) -> Mapping[str, EngineInfo]:
        """How each model runs, by its key, as soon as all are loaded.

        Raises what loading raises, UnavailableError where the worker ends before that or takes longer than START_S.
        """
        await self.transport.spawn(self)
        self.send(start)
        try:
            async with asyncio.timeout(START_S):
                ready = await self._ready
        except TimeoutError:
            self.transport.kill()
            raise UnavailableError(f"expected a worker that loads its models within {START_S:g} s") from None
        self._ping()
        return dict(ready.engines)

    @property
    def is_silent(self) -> bool:
        """It has not answered for some time, and may be hung."""
        return self._watchdog.is_silent

    def send(self, message: FromServer) -> None:
        """Leaves with everything else that is sent in this round of the loop."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(message)

    @overload
    async def ask(self, request: OpenSession | ListClusters | EditClusters) -> SessionClusters: ...
    @overload
    async def ask(self, request: RecallSegment) -> Recalled: ...
    @overload
    async def ask(self, request: MapClusters) -> ClusterMap: ...
    @overload
    async def ask(self, request: ExplainSegment) -> Explanation: ...

    async def ask(self, request: Request) -> Value:
        """The reply. Raises what the worker raised, UnavailableError where it is gone or takes longer than `reply_s`.

        A question to begin a session raises SilentError as soon as the worker is silent.
        """
        if not self.transport.alive:
            raise _gone()
        number = next(self._numbers)
        reply: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._asked[number] = _Question(request, reply)
        self.send(Ask(number, request))
        try:
            async with asyncio.timeout(self.reply_s):
                return await reply
        except TimeoutError:
            said = f"expected a worker that replies within {self.reply_s:g} s: try again later"
            raise UnavailableError(said) from None

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
        self._watchdog.hear()
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
        if self._next_ping:
            self._next_ping.cancel()
        if not self._ready.done():
            self._ready.set_exception(_gone())
        for question in self._asked.values():
            if not question.reply.done():
                question.reply.set_exception(_gone())
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

    def _take_reply(self, number: int, value: Value | Exception) -> None:
        reply = self._asked.pop(number).reply
        if reply.done():  # whoever asked does not wait any more
            return
        if isinstance(value, Exception):
            reply.set_exception(value)
        else:
            reply.set_result(value)

    def _ping(self) -> None:
        """Pings once more, unless the worker is hung: then it is killed."""
        self._watchdog.ping()
        if self._watchdog.is_hung:
            log.error("a worker does not answer and is killed")
            self.transport.kill()
            return
        if self._watchdog.is_silent:
            for request, reply in self._asked.values():
                if isinstance(request, OpenSession) and not reply.done():
                    reply.set_exception(SilentError("the worker does not answer: try again"))
        self.send(Ping())
        self._next_ping = asyncio.get_running_loop().call_later(self._ping_s, self._ping)

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        self.transport.send(outgoing)


def _gone() -> UnavailableError:
    return UnavailableError("the worker of this stream is gone; the server's log says more")
