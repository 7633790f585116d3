"""What a worker computes next: sessions, the engines of their models, and whose turn it is.

In: orders, for many sessions at once, and turns when the loop around it (main.py) has time. Out: replies, and what
became of frames. A turn is one batch: the sessions that have waited longest, each with its steps up to the next window;
whoever was served goes to the end of the queue. No session waits for a batch to fill up. batching.py says how large a
batch is, shedding.py what is given up under load. No network, and no clock but the one that it is given.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from motionscribe_models.manifest import Manifest
from motionscribe_proto.events import Event
from motionscribe_server.engine.batching import choose
from motionscribe_server.engine.messages import (
    Answer,
    Ask,
    CloseSession,
    EditClusters,
    ExplainSegment,
    ForgetSession,
    ListClusters,
    MapClusters,
    OpenSession,
    Order,
    Ping,
    RecallSegment,
    Reply,
    Request,
    SessionClusters,
    TakeFrames,
    TakeSnapshot,
    Turn,
    Value,
)
from motionscribe_server.engine.scheduled_session import ScheduledSession, Wait
from motionscribe_server.engine.shedding import Shedding, shedding
from motionscribe_server.engine.waiting_queue import WaitingQueue
from motionscribe_server.errors import EngineError
from motionscribe_server.session.explanation import explain
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import load
from motionscribe_server.session.steps import Engine

log = logging.getLogger(__name__)

LONGEST_REST_S = 0.25
"""Frames wait for the window that they belong to, since a frame alone costs twice as much; but no longer than this."""
SHORT_REST_S = 0.02
"""Between two turns of a session of which gap follows gap: their events cost the serving process, and so all streams of
all workers, what their steps cost this one. 800 gaps a second are more than any feed has."""
MOST_ANSWERS = 16
"""Sessions that are answered in a turn without computing: a snapshot takes milliseconds, and a drain wants all."""


@dataclass(frozen=True)
class Served:
    """A model, what runs it, and the sessions that wait for it."""

    model: ServedModel
    engine: Engine
    for_batch: WaitingQueue = field(default_factory=WaitingQueue)
    """Those that wait for the next batch."""
    for_window: WaitingQueue = field(default_factory=WaitingQueue)
    """Those that wait for the rest of their window."""
    resting: WaitingQueue = field(default_factory=WaitingQueue)
    """Those of which gap follows gap."""


class Scheduler:
    """Give it orders, and a turn where `next_turn_in_s` is 0. `now` is a clock in seconds."""

    def __init__(self, models: Mapping[str, Served], batch_sizes: Sequence[int], now: Callable[[], float]) -> None:
        self._models = models
        self._batch_sizes = tuple(batch_sizes)
        self._now = now
        self._sessions: dict[int, ScheduledSession] = {}
        self._without_batch: list[ScheduledSession] = []  # may have an answer though nothing was computed
        self._answers: list[Answer] = []
        self._is_pinged = False

    @property
    def next_turn_in_s(self) -> float | None:
        """Seconds until there is something for a turn, 0 where there is; None until an order comes."""
        if self._is_pinged or self._without_batch or self._answers:
            return 0.0
        if any(served.for_batch for served in self._models.values()):
            return 0.0
        window = _longest_since(served.for_window for served in self._models.values())
        resting = _longest_since(served.resting for served in self._models.values())
        ends = [] if window is None else [window + LONGEST_REST_S]
        ends += [] if resting is None else [resting + SHORT_REST_S]
        return max(0.0, min(ends) - self._now()) if ends else None

    def manifest(self, key: str) -> Manifest:
        """The manifest of a model that is served."""
        return self._models[key].model.manifest

    def receive(self, order: Order) -> Reply | None:
        """Takes an order. Bad ones end their session or are replied to; they never raise."""
        match order:
            case Ask(number, request):
                try:
                    return Reply(number, self._reply(request))
                except Exception as error:
                    return Reply(number, error)
            case ForgetSession(id):
                if id in self._sessions:
                    self._end(self._sessions.pop(id))
            case TakeFrames(id) | CloseSession(id) | TakeSnapshot(id):
                session = self._sessions.get(id)
                if session and not session.ended:
                    self._take(session, order)
            case Ping():
                self._is_pinged = True
        return None

    def turn(self) -> Turn:
        """One batch, and answers that there are by then."""
        begin = self._now()
        streams = self._compute(shedding(self._longest_wait_s()))
        waiting, self._without_batch = self._without_batch[:MOST_ANSWERS], self._without_batch[MOST_ANSWERS:]
        for session in waiting:
            self._answer(session)
            self._enqueue_if_waiting(session)
        return self.collect()._replace(streams=streams, seconds=self._now() - begin)

    def collect(self) -> Turn:
        """The answers that there are already; nothing is computed."""
        answers, self._answers = self._answers, []
        self._is_pinged = False
        return Turn(0, 0.0, shedding(self._longest_wait_s()), answers)

    def _reply(self, request: Request) -> Value:
        match request:
            case OpenSession(id, key, options, known, durable, snapshot, edits):
                served = self._models[key]
                if snapshot is None:
                    session = Session(served.model, options, known.clusters, known.next_cluster, book=known.book)
                    states = served.engine.new_state()
                else:
                    session, states = load(snapshot, served.model)
                    if not options.exemplars:  # the setting was another one when it was taken
                        session.forget_exemplars()
                self._sessions[id] = ScheduledSession(id, key, session, states, durable, edits)
            case ListClusters(id):
                session = self._sessions[id].session
            case EditClusters(id, edit):
                session = self._sessions[id].session
                self._answers.append(self._sessions[id].edit(edit))
            case RecallSegment(id, segment):
                return self._sessions[id].session.recall(segment)
            case MapClusters(id):
                return self._sessions[id].session.map()
            case ExplainSegment(key, recalled):
                return explain(self._models[key].model, self._models[key].engine, recalled)
        return SessionClusters(session.next_cluster, session.clusters(), session.book)

    def _take(self, session: ScheduledSession, order: TakeFrames | CloseSession | TakeSnapshot) -> None:
        try:
            match order:
                case TakeFrames(_, block):
                    session.receive_frames(block)
                case CloseSession():
                    session.close()
                case TakeSnapshot():
                    session.ask_snapshot()
        except Exception as error:
            self._fail(session, "the session failed", error)
        else:
            self._enqueue(session)

    def _enqueue(self, session: ScheduledSession) -> None:
        """Puts a session where it belongs: at the end of a queue, unless it waits there already."""
        served = self._models[session.model]
        match session.waits_for:
            case Wait.BATCH:
                served.for_window.discard(session)
                served.for_batch.add(session, self._now())
            case Wait.WINDOW:
                served.for_window.add(session, self._now())
            case Wait.REST:
                served.for_window.discard(session)
                served.resting.add(session, self._now())
            case Wait.NOTHING:
                self._without_batch.append(session)

    def _enqueue_if_waiting(self, session: ScheduledSession) -> None:
        """After an answer, which may have released frames that were held."""
        if not session.ended and session.waits_for is not Wait.NOTHING:
            self._enqueue(session)

    def _longest_wait_s(self) -> float:
        """How long the session has waited that has waited longest for a batch."""
        since = _longest_since(served.for_batch for served in self._models.values())
        return 0.0 if since is None else self._now() - since

    def _next_queue(self) -> tuple[Served, WaitingQueue] | None:
        """The sessions that have waited longest for a batch, or else too long for their window, and their model."""
        now = self._now()
        queues = [(served, served.for_batch) for served in self._models.values() if served.for_batch]
        resting = [(served, served.resting) for served in self._models.values() if served.resting]
        queues += [(served, queue) for served, queue in resting if queue.longest_since + SHORT_REST_S <= now]
        if not queues:
            waiting = [(served, served.for_window) for served in self._models.values() if served.for_window]
            queues = [(served, queue) for served, queue in waiting if queue.longest_since + LONGEST_REST_S <= now]
        return min(queues, key=lambda pair: pair[1].longest_since, default=None)

    def _compute(self, level: Shedding) -> int:
        """One batch, of one model; returns how many sessions it had."""
        following = self._next_queue()
        if following is None:
            return 0
        served, queue = following
        batch = [each for each in queue.take(choose(len(queue), self._batch_sizes)) if self._repeats_edits(each)]
        if not batch:
            return 0
        sessions = [scheduled.session for scheduled in batch]
        shed = [scheduled for scheduled in batch if not scheduled.durable]  # may give something up
        two_windows = set(shed) if level >= Shedding.WINDOWS else set()
        only_final = {scheduled.session for scheduled in shed} if level >= Shedding.PROVISIONAL else set()
        try:
            runs = [
                scheduled.take_run(steps, 2 if scheduled in two_windows else 1)
                for scheduled, steps in zip(batch, Session.take_steps_many(sessions), strict=True)
            ]
            windows = served.engine.advance([scheduled.states for scheduled in batch], runs)
            outcomes = Session.receive_states_many(sessions, runs, windows, only_final)
        except Exception as error:
            for scheduled in batch:
                self._fail(scheduled, "inference failed", error)
            return len(batch)
        for scheduled, run, window, outcome in zip(batch, runs, windows, outcomes, strict=True):
            try:
                if isinstance(outcome, Exception):
                    raise outcome
                scheduled.note_computed(run)
            except Exception as error:
                self._fail(scheduled, "the session failed", error)
                continue
            self._answer(scheduled, int(window is not None), outcome)
            self._enqueue_if_waiting(scheduled)
        return len(batch)

    def _repeats_edits(self, session: ScheduledSession) -> bool:
        """Returns False for a session that cannot, and is lost."""
        try:
            session.repeat_edits()
        except Exception as error:
            self._fail(session, "the session failed", error)
        return not session.ended

    def _answer(self, session: ScheduledSession, windows: int = 0, events: Sequence[Event] = ()) -> None:
        """Keeps what the session has to say for the next turn."""
        try:
            self._answers += session.answers(windows, events)
        except Exception as error:
            self._fail(session, "the session failed", error)

    def _fail(self, session: ScheduledSession, what: str, error: Exception) -> None:
        """Ends a session with an error: its clients learn what failed, the log why."""
        log.error("%s", what, exc_info=error)
        self._end(session)
        self._answers.append(Answer(session.id, error=EngineError(f"{what}; the server's log says why")))

    def _end(self, session: ScheduledSession) -> None:
        session.end()
        served = self._models[session.model]
        for queue in (served.for_batch, served.for_window, served.resting):
            queue.discard(session)


def _longest_since(queues: Iterable[WaitingQueue]) -> float | None:
    """When the first of all who wait came, None where nobody does."""
    return min((queue.longest_since for queue in queues if queue), default=None)
