"""The server's state of one stream, without network, clock, log or randomness.

Frames in (`receive_frames`), steps out (`take_steps`); states in, events out (`receive_states`).

Between its two doors stands the encoder, which advances one state per frame for many sessions at once. Time is event
time, so that replaying a recording is a pure function of its frames.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence

from motionscribe_models.state import State
from motionscribe_proto.events import Event, Restarted
from motionscribe_proto.frames import FrameBlock
from motionscribe_proto.verdicts import Verdict
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.arrivals import Arrival, Break, MomentSource
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.frame_checks import CheckedBlock, check
from motionscribe_server.session.intake import Intake
from motionscribe_server.session.labelling import Labelling
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.moment import Moment, MomentBuilder
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.recall import Recalled
from motionscribe_server.session.span import Span
from motionscribe_server.session.steps import Step, WindowStates


class Session:
    """The way of one stream's frames to events. Rules: steps are answered in order; a refused block changes nothing."""

    def __init__(
        self,
        model: ServedModel,
        options: SessionOptions | None = None,
        clusters: Sequence[ClusterState] = (),
        next_cluster: int = 1,
        on_moment: Callable[[Moment], None] | None = None,
        book: PackedBook | None = None,
    ) -> None:
        """Begins with the model's clusters, and those and the `book` stored of earlier sessions of the same stream.

        `on_moment` is shown each moment before it is labelled: for evaluation, which needs more than events.
        """
        self.model = model
        self.options = options or SessionOptions()
        self._on_moment = on_moment
        self._intake = Intake(model, self.options.rate_hz)
        self._pending: deque[Arrival | Break] = deque()  # taken from the intake and not answered
        self._builder = MomentBuilder(model)
        self._answered = 0
        self._window_full = False  # the newest window holds as many frames as the model wants
        self._labelling = Labelling(model, self.options, clusters, next_cluster, book or PackedBook())

    def __repr__(self) -> str:
        return f"<Session of {self.model.manifest.name}, next seq {self.next_seq}, {self._labelling.moments} moments>"

    @property
    def next_seq(self) -> int:
        """Seq of the next frame."""
        return self._intake.next_seq

    @property
    def next_cluster(self) -> int:
        """First cluster id that no final label ever bore."""
        return self._labelling.next_cluster

    @property
    def answered(self) -> int:
        """Steps that were answered since the first frame: the place of an edit that is made now."""
        return self._answered

    # frames in, steps out

    def receive_frames(self, block: FrameBlock) -> tuple[int, int]:
        """Takes frames; returns how many steps they make (`take_steps`), and how many windows these complete.

        Raises LayoutError for what is not finite, not (K, D), or runs backwards.
        """
        return self.receive_checked(check(block, self.model, self.next_seq, self._intake.last_us))

    def receive_checked(self, block: CheckedBlock) -> tuple[int, int]:
        """The same for frames that were checked before, against all frames of this stream that came before them."""
        return self._intake.push(block)

    def take_steps(self) -> list[Step]:
        """Steps for the encoder of the frames that came since the last call."""
        (steps,) = self.take_steps_many([self])
        return steps

    @classmethod
    def take_steps_many(cls, sessions: Sequence["Session"]) -> list[list[Step]]:
        """take_steps of each of some sessions of one model."""
        arrived = Intake.take_arrivals_many([*map(cls._get_intake, sessions)])
        return [cls._await(session, own) for session, own in zip(sessions, arrived, strict=True)]

    # states in, events out

    def receive_states(self, run: Sequence[Step], states: WindowStates | None) -> list[Event]:
        """The answer to the oldest steps: `states` where the last of them completed a window.

        Raises ValueError for other steps than the oldest.
        """
        (events,) = self.receive_states_many([self], [run], [states])
        if isinstance(events, Exception):
            raise events
        return events

    @classmethod
    def receive_states_many(
        cls,
        sessions: Sequence["Session"],
        runs: Sequence[Sequence[Step]],
        answers: Sequence[WindowStates | None],
        final_only: Collection["Session"] = (),
    ) -> list[list[Event] | Exception]:
        """receive_states of each of some sessions of one model.

        Sessions in `final_only` keep labels that may still change until a later call. An exception stands in place of
        the events of a session that failed; it does no harm to the others.
        """
        outcomes: list[list[Event] | Exception] = []
        groups: dict[int, list[tuple[int, list[Event], MomentSource, WindowStates]]] = {}  # by frames of the moment
        for i, (session, run, states) in enumerate(zip(sessions, runs, answers, strict=True)):
            try:
                events, source = cls._answer(session, run)
            except Exception as error:
                outcomes.append(error)
                continue
            outcomes.append(events)
            # a window in which no source frame fell is no moment: the next one has its frames and is longer
            if states is not None and source is not None:
                groups.setdefault(len(cls._get_builder(session)), []).append((i, events, source, states))
        for group in groups.values():
            indices, before, sources, windows = zip(*group, strict=True)
            moments = MomentBuilder.build_many([cls._get_builder(sessions[i]) for i in indices], sources, windows)
            for i, events, moment in zip(indices, before, moments, strict=True):
                try:
                    events += cls._label(sessions[i], moment, sessions[i] not in final_only)
                except Exception as error:
                    outcomes[i] = error
        return outcomes

    def close(self) -> list[Event]:
        """No more frames: every label is final, every segment ended, everything learnt."""
        self.take_steps()
        events = self._pass_breaks()
        if self._pending:
            raise ValueError(f"expected answers to {len(self._pending)} steps before the end")
        events += self._intake.end()
        return events + self._end_timeline(self._intake.tail(), self._intake.last_us or 0)

    # clusters

    def clusters(self) -> list[ClusterState]:
        """All clusters that are remembered, in ascending order of id."""
        return self._labelling.clusters()

    def rename(self, id: int, name: str) -> list[Event]:
        """Gives a name, or takes it with an empty one. Raises UnknownClusterError."""
        return self._labelling.rename(id, name)

    def merge(self, sources: Sequence[int], target: int) -> list[Event]:
        """Makes `sources` part of `target`. Raises UnknownClusterError, ClusterError for a cluster and itself."""
        return self._labelling.merge(sources, target)

    def split(self, id: int) -> list[Event]:
        """Undoes a merge. Raises UnknownClusterError, ClusterError for a cluster that no user merged."""
        return self._labelling.split(id)

    def map(self) -> ClusterMap:
        """Where clusters and the newest moments lie."""
        return self._labelling.map()

    # anomalies

    @property
    def book(self) -> PackedBook:
        """Those so far, as they stand, and what was said of them."""
        return self._labelling.book

    def mark(self, id: int, verdict: Verdict) -> list[Event]:
        """What the user says of an anomaly: an open one that is normal ends. Raises NotFoundError, ExhaustedError."""
        return self._labelling.mark(id, verdict)

    # explanations

    def recall(self, segment: int) -> Recalled:
        """A segment by its number, 0 for the newest, to be explained (explanation.py). Raises NotFoundError."""
        return self._labelling.recall(segment)

    def forget_exemplars(self) -> None:
        """What clusters look like is not kept from now on."""
        self._labelling.forget_exemplars()

    # to be stored (snapshot.py)

    def state(self) -> State:
        """See motionscribe_models/state.py. Raises ValueError while steps that were taken are not answered."""
        if self._pending:
            raise ValueError(f"expected answers to {len(self._pending)} steps before a snapshot")
        return {
            "intake": self._intake.state(),
            "builder": self._builder.state(),
            "answered": self._answered,
            "window_full": self._window_full,
            "labelling": self._labelling.state(),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken, of a session of the same model with the same options."""
        self._intake.restore(state["intake"])
        self._pending.clear()
        self._builder.restore(state["builder"])
        self._answered = state["answered"]
        self._window_full = state["window_full"]
        self._labelling.restore(state["labelling"])

    # one session's part in what is done for many

    def _get_intake(self) -> Intake:
        return self._intake

    def _get_builder(self) -> MomentBuilder:
        return self._builder

    def _await(self, arrived: Sequence[Arrival | Break]) -> list[Step]:
        """The steps of what arrived, which are to be answered in order."""
        self._pending.extend(arrived)
        return [item.step for item in arrived if isinstance(item, Arrival)]

    def _answer(self, run: Sequence[Step]) -> tuple[list[Event], MomentSource | None]:
        """The oldest steps were computed: what happened before, and whence the moment that the last one completes.

        None where it completes none, or one that saw no frame.
        """
        events: list[Event] = []
        source: MomentSource | None = None
        for step in run:
            events += self._pass_breaks()
            arrival = self._pending.popleft() if self._pending else None
            if not isinstance(arrival, Arrival) or arrival.step is not step:
                raise ValueError(f"expected the oldest step that waits, got step {step.index}")
            events += arrival.degraded
            self._labelling.degrade(arrival.degraded)
            self._builder.add(step.features)
            self._answered += 1
            self._window_full = step.index >= self.model.manifest.window
            if arrival.source is not None:  # where there is one already, a window was passed over
                source = arrival.source if source is None else source.followed_by(arrival.source)
        return events, source

    def _label(self, moment: Moment, provisional: bool) -> list[Event]:
        if self._on_moment:
            self._on_moment(moment)
        return self._labelling.add(moment, self._window_full, provisional)

    def _pass_breaks(self) -> list[Event]:
        events: list[Event] = []
        while self._pending and isinstance(broken := self._pending[0], Break):
            self._pending.popleft()
            events += broken.degraded
            self._labelling.degrade(broken.degraded)
            events += self._end_timeline(broken.tail, broken.gap.start_us)
            events += [broken.gap, Restarted(broken.restart_seq, broken.gap.end_us, "gap")]
        return events

    def _end_timeline(self, tail: Span | None, time_us: int) -> list[Event]:
        events = self._labelling.end(tail, time_us)
        self._builder.restart()
        return events
