"""Which streams are computed together, and the loop that has it done: one engine thread, many streams, several models.

In: streams for which something waits. Out: runs of their steps with WindowStates, handed back in order. A stream's turn
is its steps up to the next window; whoever was served goes to the end of the queue. While a batch is computed, others
gather, and the answers of the batch before are handed back: no stream waits for a batch to fill up. Policy is `plan`
and `take`, pure functions; the rest is effects.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from motionscribe_server.errors import EngineError
from motionscribe_server.inference import WindowStates
from motionscribe_server.metrics import Metrics
from motionscribe_server.window import Step

log = logging.getLogger(__name__)

T = TypeVar("T")


def plan(due: Sequence[T], batch_sizes: Sequence[int]) -> list[Sequence[T]]:
    """Cuts `due` into batches, in order, for an engine that pads each one to the next of `batch_sizes` (ascending).

    A batch is padded by no more rows than it has; where it would be, it is cut at the largest size that it fills.
    """
    batches = []
    while due:
        fitting = next((size for size in batch_sizes if size >= len(due)), None)
        if fitting is not None and fitting <= 2 * len(due):
            count = len(due)
        else:
            # where even the smallest size is too large there is no better cut
            count = max((size for size in batch_sizes if size <= len(due)), default=len(due))
        batches.append(due[:count])
        due = due[count:]
    return batches


def take(steps: deque[Step]) -> list[Step]:
    """Takes the oldest of some steps, up to the first that completes a window."""
    run = [steps.popleft()]
    while steps and run[-1].decode_slot < 0:
        run.append(steps.popleft())
    return run


class Engine(Protocol):
    """What computes: inference.Inference."""

    def advance(
        self, states: Sequence[NDArray[np.float32]], runs: Sequence[Sequence[Step]]
    ) -> list[WindowStates | None]:
        """Advances `states` in place by a run of steps each."""


class Client(Protocol):
    """What the batcher needs of a stream: stream.Stream."""

    state: NDArray[np.float32]
    """(W, H) encoder states."""
    steps: deque[Step]
    """Steps that wait, the oldest first."""

    @property
    def waiting(self) -> bool:
        """There are steps, or what steps will be made of."""

    def fail(self, error: EngineError) -> None:
        """Its state is lost; no answer will come."""


C = TypeVar("C", bound=Client)


class Lane(Generic[C]):
    """The streams of one engine for which something waits."""

    def __init__(self, engine: Engine, batch_sizes: Sequence[int]) -> None:
        self.engine = engine
        self.batch_sizes = tuple(batch_sizes)
        self.due: deque[C] = deque()
        # the streams in `due` and in the engine: each is in the queue once
        self.known: set[C] = set()


class Batcher(Generic[C]):
    """The loop over lanes, round and round; start it with `run` as a task."""

    def __init__(
        self,
        metrics: Metrics,
        make_steps: Callable[[Sequence[C]], None],
        hand_back: Callable[[Sequence[C], Sequence[Sequence[Step]], Sequence[WindowStates | None]], None],
    ) -> None:
        """`make_steps` fills the `steps` of clients of one engine; `hand_back` takes the answers to runs of them."""
        self._metrics = metrics
        self._make_steps = make_steps
        self._give = hand_back
        self._lanes: dict[Engine, Lane[C]] = {}
        self._wake = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, "engine")
        self._computed: tuple[Any, ...] = ()  # what was not handed back yet

    def add(self, engine: Engine, batch_sizes: Sequence[int]) -> None:
        """Makes a lane for an engine."""
        self._lanes[engine] = Lane(engine, batch_sizes)

    def submit(self, engine: Engine, client: C) -> None:
        """Says that something waits for `client`; saying it twice does no harm."""
        lane = self._lanes[engine]
        if client.waiting and client not in lane.known:
            lane.known.add(client)
            lane.due.append(client)
            self._wake.set()

    async def run(self) -> None:
        """Computes whatever is due, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for lane in self._lanes.values():
                due, lane.due = list(lane.due), deque()
                self._make_steps(due)
                for batch in plan(due, lane.batch_sizes):
                    await self._compute(lane, batch)
                if lane.due:
                    self._wake.set()
            if not self._wake.is_set():
                self._hand_back()

    def close(self) -> None:
        """Waits for the batch that is being computed and ends the thread."""
        self._executor.shutdown()

    async def _compute(self, lane: Lane[C], batch: Sequence[C]) -> None:
        """One batch through the engine and back to its streams."""
        # a stream that ended while it was in the queue has no steps any more
        lane.known.difference_update(client for client in batch if not client.steps)
        batch = [client for client in batch if client.steps]
        if not batch:
            return
        runs = [take(client.steps) for client in batch]
        states = [client.state for client in batch]
        begin = time.perf_counter()
        turn = asyncio.get_running_loop().run_in_executor(self._executor, lane.engine.advance, states, runs)
        self._hand_back()
        try:
            answers = await turn
        except Exception:
            log.exception("the engine failed on %d streams", len(batch))
            for client in batch:
                lane.known.discard(client)
                client.fail(EngineError("inference failed; the server's log says why"))
            return
        self._metrics.tick.observe(time.perf_counter() - begin)
        self._metrics.batch.observe(len(batch))
        self._computed = batch, runs, answers
        for client in batch:
            if client.waiting:
                lane.due.append(client)
            else:
                lane.known.discard(client)

    def _hand_back(self) -> None:
        """Gives the streams of the last batch their answers."""
        computed, self._computed = self._computed, ()
        if computed:
            self._give(*computed)
