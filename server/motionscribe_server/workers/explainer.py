"""A worker of its own that computes explanations, so that no stream waits for one.

In: the key of a model, and where a recalled segment comes from. Out: its Explanation. The worker starts with the first
question, computes when nothing else wants the processor, and ends when nobody has asked for IDLE_S. One question is
computed at a time and few may wait: whoever asks without end slows down nobody but those who ask. A question whose
asker has left is computed all the same, and holds its place until then: else those who ask and leave had no limit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from motionscribe_server.engine.messages import ExplainSegment, Start
from motionscribe_server.errors import ExhaustedError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.explanation import Explanation
from motionscribe_server.session.recall import Recalled
from motionscribe_server.workers.process import WorkerProcess
from motionscribe_server.workers.subprocess_transport import SubprocessTransport
from motionscribe_server.workers.transport import Transport

PING_S, REPLY_S = 10.0, 50.0
"""Where streams want all of the processor it has to wait, and is not hung."""
MOST_WAITING = 8
IDLE_S = 60.0
"""A worker holds some 100 MB."""


class Explainer:
    """`start` gives the Start message of the workers of now: it has the models that are served."""

    def __init__(
        self,
        start: Callable[[], Start],
        metrics: Metrics,
        transport: Callable[[], Transport] = SubprocessTransport,
        idle_s: float = IDLE_S,
    ) -> None:
        self._start = start
        self._metrics = metrics
        self._transport = transport
        self.idle_s = idle_s
        """Without a question, until the worker ends."""
        self._lock = asyncio.Lock()
        self._questions: set[asyncio.Task[Explanation]] = set()
        self._ending: asyncio.Task[None] | None = None
        self.worker: WorkerProcess | None = None
        """The one that runs or ran last."""
        self._started: Start | None = None
        self._end: asyncio.TimerHandle | None = None

    async def explain(self, model: str, recall: Callable[[], Awaitable[Recalled]]) -> Explanation:
        """`recall` is called when its turn has come, since it costs the stream's own worker something, too.

        Raises what that raises, ExhaustedError where too many wait, UnavailableError where the worker ended meanwhile.
        """
        if len(self._questions) >= MOST_WAITING:
            raise ExhaustedError(f"expected at most {MOST_WAITING} explanations at a time: try again later")
        question = asyncio.create_task(self._answer(model, recall))
        self._questions.add(question)
        question.add_done_callback(self._forget)
        return await asyncio.shield(question)

    async def _answer(self, model: str, recall: Callable[[], Awaitable[Recalled]]) -> Explanation:
        async with self._lock:
            recalled = await recall()
            worker = await self._ready_worker()
            try:
                return await worker.ask(ExplainSegment(model, recalled))
            except UnavailableError as error:
                raise UnavailableError("the explanation was broken off: try again") from error
            finally:
                self._end_when_idle()

    def _forget(self, question: "asyncio.Task[Explanation]") -> None:
        self._questions.discard(question)
        if not question.cancelled():
            question.exception()  # who asked may have left: nobody else looks at it

    async def close(self) -> None:
        """Breaks off what is asked, and ends the worker, where there is one."""
        for question in self._questions:
            question.cancel()
        await self._end_worker()

    async def _end_worker(self) -> None:
        if self._end:
            self._end.cancel()
        worker, self.worker = self.worker, None
        if worker:
            await worker.close()

    async def _ready_worker(self) -> WorkerProcess:
        """The worker of before, or another where that is gone or does not have the models of now."""
        start = self._start()
        if self.worker and (not self.worker.transport.alive or self._started is not start):
            await self._end_worker()
        if self._end:
            self._end.cancel()
        if self.worker is None:
            worker = WorkerProcess(self._transport(), self._metrics, lambda gone: None, PING_S, REPLY_S)
            try:
                await worker.start(replace(start, yields=True))
            except BaseException:
                await worker.close()
                raise
            self.worker, self._started = worker, start
        return self.worker

    def _end_when_idle(self) -> None:
        if self.worker:
            self._end = asyncio.get_running_loop().call_later(self.idle_s, self._end_idle)

    def _end_idle(self) -> None:
        self._ending = asyncio.create_task(self._end_worker())  # the loop itself would forget it
