"""The workers of one server: processes that compute, and sessions in them.

In: models to load, then sessions, frames, edits. Out: a Link for each session, which hands its answers to a listener.
A session lives in one worker, the one that had fewest. A worker that dies, or hangs and is killed, takes its sessions
with it: each listener gets an error, and another worker starts in its place. Loading a model starts new workers; the
old ones finish their sessions.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from motionscribe_server.engine.messages import EngineInfo, OpenSession, SessionClusters, Start
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import ExhaustedError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import PlacedEdit
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.workers.explainer import Explainer
from motionscribe_server.workers.process import Link, SilentError, WorkerProcess
from motionscribe_server.workers.subprocess_transport import SubprocessTransport
from motionscribe_server.workers.transport import Transport
from motionscribe_server.workers.watchdog import PING_S

log = logging.getLogger(__name__)

RESTART_AFTER_S = 1.0


class Pool:
    """All workers: `size` of them, each behind a transport of its own. `start` is their first message."""

    def __init__(
        self,
        start: Start,
        size: int,
        metrics: Metrics,
        transport: Callable[[], Transport] = SubprocessTransport,
        ping_s: float = PING_S,
    ) -> None:
        self._start = start
        self._size = size
        self._metrics = metrics
        self._transport = transport
        self._ping_s = ping_s
        self.explainer = Explainer(lambda: self._start, metrics, transport)
        """Computes explanations beside them."""
        self.workers: list[WorkerProcess] = []
        """Those that take new sessions."""
        self._leaving: set[WorkerProcess] = set()
        self._sessions = count(1)
        self._closing = False
        self._restarts: set[asyncio.Task[None]] = set()

    async def start(self) -> Mapping[str, EngineInfo]:
        """Starts all workers; returns how each model runs, by its key. Raises ContractError for one that cannot."""
        self.workers, engines = await self._start_workers(self._start)
        self._replace_dead()
        self._metrics.shedding.set_function(lambda: max((w.shedding for w in self.workers), default=0))
        return engines

    async def open(
        self,
        model: str,
        options: SessionOptions,
        known: SessionClusters,
        durable: bool = False,
        snapshot: bytes | None = None,
        edits: Sequence[PlacedEdit] = (),
    ) -> Link:
        """A session, new or from a snapshot, after which `edits` were made.

        Raises UnavailableError while no worker runs, ExhaustedError, SnapshotError and what the session refuses.
        """
        request = OpenSession(0, model, options, known, durable, snapshot, edits)
        try:
            return await self._open(request)
        except SilentError:
            # once: what hung one worker may hang the next
            return await self._open(request)

    async def _open(self, request: OpenSession) -> Link:
        worker = self._choose()
        link = Link(worker, next(self._sessions))
        worker.links[link.id] = link
        try:
            await worker.ask(request._replace(session=link.id))
        except BaseException:
            link.forget()  # who asked may be cancelled while the worker opens it
            raise
        return link

    def _choose(self) -> WorkerProcess:
        """Who begins the next session: of those that answer, the one with fewest."""
        if not self.workers:
            raise UnavailableError("no worker is running: try again in a few seconds")
        accepting = [worker for worker in self.workers if worker.shedding < Shedding.STREAMS]
        if not accepting:
            raise ExhaustedError("the server is overloaded: try again later")
        return min(accepting, key=lambda worker: (worker.is_silent, len(worker.links)))

    async def replace_workers(self, models: Sequence[ServedModel]) -> Mapping[str, EngineInfo]:
        """Starts workers that serve these models, for sessions to come; the old ones finish theirs.

        Returns how each model runs, by its key. Raises ContractError, and then nothing has changed.
        """
        start = replace(self._start, load=tuple((model.manifest.name, model.manifest.version) for model in models))
        workers, engines = await self._start_workers(start)
        self._start = start
        self._leaving.update(self.workers)
        old, self.workers = self.workers, workers
        self._replace_dead()
        for worker in old:
            worker.leave()
        return engines

    async def close(self) -> None:
        """Ends all workers."""
        self._closing = True
        for task in self._restarts:
            task.cancel()
        await asyncio.gather(*self._restarts, return_exceptions=True)
        await asyncio.gather(self.explainer.close(), *(worker.close() for worker in (*self.workers, *self._leaving)))

    def _new_worker(self) -> WorkerProcess:
        return WorkerProcess(self._transport(), self._metrics, self._worker_ended, self._ping_s)

    async def _start_workers(self, start: Start) -> tuple[list[WorkerProcess], Mapping[str, EngineInfo]]:
        """As many workers as there should be, all or none, and how their models run."""
        workers = [self._new_worker() for _ in range(self._size)]
        try:
            engines, *_ = await asyncio.gather(*(worker.start(start) for worker in workers))
        except BaseException:
            await asyncio.gather(*(worker.close() for worker in workers))
            raise
        return workers, engines

    def _replace_dead(self) -> None:
        """Those that ended while others were still loading."""
        for worker in [worker for worker in self.workers if not worker.transport.alive]:
            self._worker_ended(worker)

    def _worker_ended(self, worker: WorkerProcess) -> None:
        """Another worker takes the place of one that died; none that of one that was to leave."""
        if self._closing or worker not in (*self.workers, *self._leaving):
            return
        if worker in self._leaving:
            self._leaving.discard(worker)
            work = worker.close()
        else:
            self.workers.remove(worker)
            log.error("a worker is gone; another one starts")
            work = self._replace(worker)
        task = asyncio.create_task(work)
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def _replace(self, dead: WorkerProcess) -> None:
        """Tries to start a worker until one runs, or until all workers are replaced anyway."""
        start = self._start
        await dead.close()
        while self._start is start:
            worker = self._new_worker()
            try:
                await worker.start(start)
            except asyncio.CancelledError:
                await worker.close()
                raise
            except Exception:
                log.exception("a worker does not start; the next try follows")
                await worker.close()
                await asyncio.sleep(RESTART_AFTER_S)
            else:
                if self._start is start:
                    self.workers.append(worker)
                else:
                    await worker.close()
                return
