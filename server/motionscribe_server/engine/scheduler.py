"""A process that computes: sessions and engines, without network, in one thread.

In: orders of the serving process, for many streams at once. Out: replies, and what became of frames. A turn is one
batch: the streams that have waited longest, each with its steps up to the next window; whoever was served goes to the
end of the queue, and orders that came meanwhile are taken before the next one. No stream waits for a batch to fill up.
`Scheduler` is what it knows, `main` the loop around it. Run by pool.py.
"""

import itertools
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.manifest import Manifest
from motionscribe_proto.events import Event
from motionscribe_server.engine.batching import choose, take
from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    CloseSession,
    EditClusters,
    ForgetSession,
    ListClusters,
    OpenSession,
    Order,
    Reply,
    Request,
    SessionClusters,
    TakeFrames,
    TakeSnapshot,
    Turn,
)
from motionscribe_server.engine.shedding import Shedding, shedding
from motionscribe_server.errors import EngineError
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import load, save
from motionscribe_server.session.steps import Engine, Step

log = logging.getLogger(__name__)

LONGEST_REST_S = 0.25
"""Frames wait for the window that they belong to, since a frame alone costs twice as much; but no longer than this."""


@dataclass(frozen=True)
class Served:
    """A model, what runs it, and the streams that wait for it, the one that has waited longest first."""

    model: ServedModel
    engine: Engine
    due: "dict[_Live, None]" = field(default_factory=dict)
    """Those with a complete window."""
    early: "dict[_Live, None]" = field(default_factory=dict)
    """Those with steps towards one."""


@dataclass(eq=False)
class _Live:
    """A session with frames on their way."""

    id: int
    session: Session
    served: Served
    state: NDArray[np.float32]
    steps: deque[Step] = field(default_factory=deque)
    received: int = 0
    """Steps that the frames so far make."""
    computed: int = 0
    blocks: deque[int] = field(default_factory=deque)
    """Steps received when a block was complete, of those not computed."""
    windows: int = 0
    """That are complete and not computed."""
    since: float = 0.0
    """When it began to wait for its turn."""
    durable: bool = False
    closing: bool = False
    wanted: bool = False
    """A snapshot is."""
    over: bool = False
    """Closed, lost or forgotten."""


class Scheduler:
    """Take orders, and a turn where `next_turn_in_s` is 0. `now` is a clock in seconds."""

    def __init__(self, models: Mapping[str, Served], batch_sizes: Sequence[int], now: Callable[[], float]) -> None:
        self._models = models
        self._batch_sizes = tuple(batch_sizes)
        self._now = now
        self._live: dict[int, _Live] = {}
        self._quiet: list[_Live] = []  # something may be told of them though nothing was computed
        self._told: list[Answer] = []

    @property
    def next_turn_in_s(self) -> float | None:
        """Seconds until there is something for a turn, 0 where there is; None until an order comes."""
        if self._quiet or self._told or any(served.due for served in self._models.values()):
            return 0.0
        since = [next(iter(served.early)).since for served in self._models.values() if served.early]
        return max(0.0, min(since) + LONGEST_REST_S - self._now()) if since else None

    def receive(self, order: Order) -> Reply | None:
        """Takes an order. Bad ones end their session or are replied to; they never raise."""
        match order:
            case Ask(number, request):
                try:
                    return Reply(number, self._reply(request))
                except Exception as error:
                    return Reply(number, error)
            case TakeFrames(id, block):
                live = self._live.get(id)
                if live and not live.over:
                    try:
                        steps, windows = live.session.receive_checked(block)
                    except Exception:
                        self._lose(live, "the session failed")
                        return None
                    live.received += steps
                    live.windows += windows
                    live.blocks.append(live.received)
                    self._wait(live)
            case CloseSession(id):
                live = self._live.get(id)
                if live and not live.over:
                    live.closing = True
                    self._wait(live)
            case TakeSnapshot(id):
                live = self._live.get(id)
                if live and not live.over:
                    live.wanted = True
                    self._wait(live)
            case ForgetSession(id):
                live = self._live.pop(id, None)
                if live:
                    self._end(live)
        return None

    def turn(self) -> Turn:
        """One batch, and whatever else there is to tell."""
        begin = self._now()
        streams = self._compute(shedding(self._wait_s()))
        quiet, self._quiet = self._quiet, []
        for live in quiet:
            self._tell(live, 0, [])
        return self.tell()._replace(streams=streams, seconds=self._now() - begin)

    def manifest(self, key: str) -> Manifest:
        """Of a model that is served."""
        return self._models[key].model.manifest

    def tell(self) -> Turn:
        """What there is to tell already; nothing is computed."""
        told, self._told = self._told, []
        return Turn(0, 0.0, shedding(self._wait_s()), told)

    def _reply(self, request: Request) -> SessionClusters:
        match request:
            case OpenSession(id, key, options, known, durable, snapshot):
                served = self._models[key]
                if snapshot is None:
                    session = Session(served.model, options, known.clusters, known.next_cluster)
                    state = served.engine.new_state()
                else:
                    session, state = load(snapshot, served.model)
                self._live[id] = _Live(id, session, served, state, durable=durable)
            case ListClusters(id):
                session = self._live[id].session
            case EditClusters(id, edit):
                session = self._live[id].session
                events = edit.apply(session)
                if events:
                    self._told.append(Answer(id, events=events))
        return SessionClusters(session.next_cluster, session.clusters())

    def _wait_s(self) -> float:
        """How long the stream has waited that has waited longest of those with a window."""
        due = [next(iter(served.due)).since for served in self._models.values() if served.due]
        return self._now() - min(due) if due else 0.0

    def _compute(self, level: Shedding) -> int:
        """A batch of the model whose streams have waited longest; returns how many it had."""
        queues = [(served, served.due) for served in self._models.values() if served.due]
        late = self._now() - LONGEST_REST_S
        queues = queues or [
            (s, s.early) for s in self._models.values() if s.early and next(iter(s.early)).since <= late
        ]
        if not queues:
            return 0
        served, queue = min(queues, key=lambda pair: next(iter(pair[1])).since)
        batch = list(itertools.islice(queue, choose(len(queue), self._batch_sizes)))
        for live in batch:
            del queue[live]
        sessions = [live.session for live in batch]
        try:
            for live, steps in zip(batch, Session.take_steps_many(sessions), strict=True):
                live.steps += steps
            hurried = [live for live in batch if not live.durable]
            passed = set(hurried) if level >= Shedding.WINDOWS else set()
            quiet = {live.session for live in hurried} if level >= Shedding.PROVISIONAL else set()
            runs = [take(live.steps, 2 if live in passed else 1) for live in batch]
            windows = served.engine.advance([live.state for live in batch], runs)
            told = Session.receive_states_many(sessions, runs, windows, quiet)
        except Exception:
            for live in batch:
                self._lose(live, "inference failed")
            return len(batch)
        for live, run, window, events in zip(batch, runs, windows, told, strict=True):
            if isinstance(events, Exception):
                self._lose(live, "the session failed", events)
                continue
            live.computed += len(run)
            live.windows -= sum(step.decode_slot >= 0 for step in run)
            self._wait(live)
            self._tell(live, int(window is not None), events)
        return len(batch)

    def _wait(self, live: _Live) -> None:
        """Puts a session where it belongs: at the end of a queue, unless it is in it."""
        if live.windows or ((live.closing or live.wanted) and live.received > live.computed):
            live.served.early.pop(live, None)
            queue = live.served.due
        elif live.received > live.computed:
            queue = live.served.early
        else:
            self._quiet.append(live)
            return
        if live not in queue:
            live.since = self._now()
            queue[live] = None

    def _tell(self, live: _Live, windows: int, events: list[Event]) -> None:
        """An answer of a session, where there is anything to say; the last one where it is closed by now."""
        if live.over:
            return
        blocks = 0
        while live.blocks and live.blocks[0] <= live.computed:
            live.blocks.popleft()
            blocks += 1
        snapshot = None
        try:
            if live.closing and not live.blocks:
                live.over = True
                events = [*events, *live.session.close()]
            elif live.wanted and live.received == live.computed:
                live.wanted = False
                snapshot = save(live.session, live.state)
        except Exception as error:
            self._lose(live, "the session failed", error)
            return
        if blocks or windows or events or live.over or snapshot:
            self._told.append(Answer(live.id, blocks, windows, events, live.over, None, snapshot))

    def _lose(self, live: _Live, what: str, error: Exception | None = None) -> None:
        log.error("%s", what, exc_info=error or True)
        self._end(live)
        reason = EngineError(f"{what}; the server's log says why")
        self._told.append(Answer(live.id, error=reason))

    def _end(self, live: _Live) -> None:
        live.over = True
        for queue in (live.served.due, live.served.early):
            queue.pop(live, None)
