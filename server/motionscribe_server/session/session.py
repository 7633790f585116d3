"""The server's state of one stream, without network, clock, log or randomness.

Frames in (`receive_frames`), steps out (`steps_of`); states in, events out (`events_of`).

Between its two doors stands the encoder, which advances one state per frame for many sessions at once. What is
arithmetic on a few rows is done for many sessions at once too: no answer depends on which. Time is event time, so that
replaying a recording is a pure function of its frames. Predict, then learn: a label is told before the clusterer learns
from its segment, and a final label never changes.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motionscribe_proto.events import ClusterCreated, ClusterMerged, Event, Label, Restarted
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.anomaly.detector import AnomalyDetector
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.cluster_counts import ClusterCounts
from motionscribe_server.session.clustering import ClusterState, DPMeans, Merged, initial_clusters
from motionscribe_server.session.embedding import Embedding, estimate
from motionscribe_server.session.intake import Arrival, Break, Intake, arrivals
from motionscribe_server.session.labeller import Labeller
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.prediction_error import PredictionError, compare
from motionscribe_server.session.segmenter import Segmenter
from motionscribe_server.session.span import Span
from motionscribe_server.session.stability import stability, stability_inputs
from motionscribe_server.session.steps import Step, WindowStates
from motionscribe_server.session.timeline import Timeline

HORIZON = 300
"""Moments over which segments are cut anew; 30 s lost nothing against the whole past of CMU subject 86."""


HOLD_S = 0.8
"""A final label that would change for less than this is not changed."""


class Session:
    """Owns everything learnt on one stream. Rules: steps are answered in order; a refused block changes nothing."""

    def __init__(
        self,
        model: ServedModel,
        options: SessionOptions | None = None,
        clusters: Sequence[ClusterState] = (),
        next_cluster: int = 1,
    ) -> None:
        """Begins with the model's clusters and those stored of an earlier session of the same stream."""
        self.model = model
        self.options = options or SessionOptions()
        lag = self.options.lag
        self._latency = model.latency(lag)
        self._stability = model.stability(lag)
        self._hold = round(HOLD_S / model.moment_s)
        self._intake = Intake(model, self.options.rate_hz)
        self._embedding = Embedding(model)
        self._segmenter = Segmenter(model.dimensions, model.penalty, HORIZON)
        start = initial_clusters(model.centres, clusters)
        self._clusterer = DPMeans(model.dimensions, start, next_cluster, radius=model.radius)
        self._labeller = Labeller(self._clusterer, model.radius, model.moment_s)
        self._timeline = Timeline()
        self._cluster_counts = ClusterCounts(clusters)
        self._prediction_error = PredictionError(model.feature_scale, model.manifest.stride)
        self._anomaly = AnomalyDetector(model.anomaly, model.feature_map.joint_of, model.manifest.skeleton.joints)
        self._pending: deque[Arrival | Break] = deque()
        self._fresh: list[NDArray[np.float32]] = []  # features of the frames since the last moment
        self._warmed = False  # the newest window is full
        self._moments = 0
        self._spans: deque[Span] = deque()  # of the moments that are not final
        self._told: deque[int] = deque()  # their last provisional labels, 0 for none

    def __repr__(self) -> str:
        return f"<Session of {self.model.manifest.name}, next seq {self.next_seq}, {self._moments} moments>"

    @property
    def next_seq(self) -> int:
        """Seq of the next frame."""
        return self._intake.next_seq

    @property
    def next_cluster(self) -> int:
        """First cluster id that no final label ever bore."""
        return self._labeller.next_id

    def receive_frames(self, block: FrameBlock) -> tuple[int, int]:
        """Takes frames; returns how many steps they make (`steps_of`), and how many windows these complete.

        Raises LayoutError for what is not finite, not (K, D), or runs backwards.
        """
        return self._intake.push(block)

    def receive_states(self, run: Sequence[Step], states: WindowStates | None) -> list[Event]:
        """The answer to the oldest steps, `states` where the last one completed a window: events_of, for one session.

        Raises ValueError for other steps than the oldest.
        """
        (events,) = events_of([self], [run], [states])
        if isinstance(events, Exception):
            raise events
        return events

    def close(self) -> list[Event]:
        """No more frames: every label is final, every segment ended, everything learnt."""
        steps_of([self])
        events = self._pass_breaks()
        if self._pending:
            raise ValueError(f"expected answers to {len(self._pending)} steps before the end")
        return events + self._flush(self._intake.tail(), self._intake.last_us)

    def clusters(self) -> list[ClusterState]:
        """All clusters that are remembered, in ascending order of id."""
        states = sorted([*self._clusterer.clusters(), *self._labeller.young()], key=lambda state: state.id)
        return self._cluster_counts.complete(states)

    def rename(self, id: int, name: str) -> None:
        """Gives a name, or takes it with an empty one. Raises UnknownClusterError."""
        self._labeller.introduce([id])
        self._clusterer.rename(id, name)

    def merge(self, sources: Sequence[int], target: int) -> list[Event]:
        """Makes `sources` part of `target`. Raises UnknownClusterError, ClusterError for a cluster and itself."""
        self._labeller.introduce([*sources, target])
        self._clusterer.merge(sources, target)
        return self._changes(self._spans[-1].end_us if self._spans else 0)

    def _pass_breaks(self) -> list[Event]:
        events: list[Event] = []
        while self._pending and isinstance(self._pending[0], Break):
            broken = self._pending.popleft()
            assert isinstance(broken, Break)
            events += self._flush(broken.tail, broken.gap.start_us)
            events += [broken.gap, Restarted(broken.restart_seq, broken.gap.end_us, "gap")]
        return events

    def _answer(self, run: Sequence[Step]) -> tuple[list[Event], Span | None]:
        """The oldest steps were computed: what happened before, and the span of the moment that the last one completes.

        None where it completes none, or one that saw no frame.
        """
        events: list[Event] = []
        span = None
        for step in run:
            events += self._pass_breaks()
            arrival = self._pending.popleft() if self._pending else None
            if not isinstance(arrival, Arrival) or arrival.step is not step:
                raise ValueError(f"expected the oldest step that waits, got step {step.index}")
            self._fresh.append(step.features)
            self._warmed = step.index >= self.model.manifest.window
            if span is None:
                span = arrival.moment
            elif arrival.moment is not None:  # of a window that was passed over
                span = Span(span.start_seq, arrival.moment.end_seq, span.start_us, arrival.moment.end_us)
        return events, span

    def _advance(self, span: Span, moment: "_Moment", provisional: bool) -> list[Event]:
        """A moment more."""
        events: list[Event] = []
        if self._spans:
            self._spans[-1] = replace(self._spans[-1], end_us=span.start_us)
        self._spans.append(span)
        self._told.append(0)
        self._moments += 1
        if moment.error is not None and self._warmed:
            observation = Observation(
                span=span, frames=moment.frames, residual=moment.residual, forecast_error=moment.error
            )
            events += self._anomaly.update(observation)
        hypotheses = self._segmenter.push(moment.estimates)
        if len(moment.estimates) > self._embedding.revisions:
            self._segmenter.settle()
        self._labeller.push(hypotheses, span.end_us)
        events += self._changes(span.end_us)
        while len(self._spans) > self._latency:
            events += self._finalise()
        if provisional and self.options.provisional:
            events += self._provisional()
        return events

    def _finalise(self) -> list[Event]:
        """The oldest moment that is not final becomes it."""
        id = self._lasting(self._moments - len(self._spans))
        span = self._spans.popleft()
        self._told.popleft()
        events: list[Event] = []
        if self._labeller.give(id):
            events.append(ClusterCreated(id, span.start_us))
        self._cluster_counts.add(id, span, begins=id != self._timeline.cluster)
        return events + self._timeline.add(span, id, self._name(id), self._name(self._timeline.cluster))

    def _lasting(self, moment: int) -> int:
        """Label of a moment; another one than the open segment's only where it lasts for HOLD_S."""
        id = self._labeller.label(moment)
        before = self._clusterer.resolve(self._timeline.cluster) or self._timeline.cluster
        ahead = range(moment, min(moment + self._hold, self._moments))
        if before and any(self._labeller.label(m) != id for m in ahead):
            return before
        return id

    def _provisional(self) -> list[Event]:
        """Labels that are new or changed, as runs."""
        first = self._moments - len(self._spans)
        runs: list[Label] = []
        for shown in self._labeller.current:
            start, end = max(shown.segment.start, first) - first, shown.segment.end - first
            changed = [i for i in range(start, end) if self._told[i] != shown.cluster or i == len(self._spans) - 1]
            for i in changed:
                self._told[i] = shown.cluster
                moment, span = first + i, self._spans[i]
                inputs = stability_inputs(
                    shown.segment.start, shown.segment.end, moment, self._moments - 1, shown.margin
                )
                chance = stability(inputs, self._stability)
                last = runs[-1] if runs else None
                if last and last.cluster == shown.cluster and last.end_seq == span.start_seq:
                    runs[-1] = replace(last, end_seq=span.end_seq, end_us=span.end_us, stability=chance)
                else:
                    runs.append(
                        Label(span.start_seq, span.end_seq, span.start_us, span.end_us, shown.cluster, chance, False)
                    )
        return list(runs)

    def _flush(self, tail: Span | None, time_us: int) -> list[Event]:
        """The timeline ends at `time_us`, with `tail` frames that no moment covers."""
        events: list[Event] = []
        if tail is not None and self._spans:
            last = self._spans[-1]
            self._spans[-1] = Span(last.start_seq, tail.end_seq, last.start_us, tail.end_us)
            tail = None
        while self._spans:
            events += self._finalise()
        if tail is not None:  # too short to know: cluster 0
            events += self._timeline.add(tail, 0, "", self._name(self._timeline.cluster))
        events += self._timeline.end(self._name(self._timeline.cluster))
        events += self._anomaly.finish()
        self._labeller.finish(time_us)
        events += self._changes(time_us)
        self._segmenter.restart(self._moments)
        self._embedding.restart()
        self._prediction_error.restart()
        self._fresh = []
        return events

    def _changes(self, time_us: int) -> list[Event]:
        """Merges since the last call, and births that no final label told."""
        events: list[Event] = []
        for change in self._clusterer.changes():
            if isinstance(change, Merged):
                self._cluster_counts.merge(change.source, change.target)
                self._labeller.relabel()
                events.append(ClusterMerged(change.source, change.target, time_us))
            elif self._labeller.announce(change.id):
                events.append(ClusterCreated(change.id, time_us))
        return events

    def _name(self, id: int) -> str:
        return self._clusterer.name(id)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the frames and the window of a moment say."""

    frames: NDArray[np.float32]
    """(n, F) features."""
    estimates: NDArray[np.float64]
    """(l, d) embeddings of the newest moments, oldest first."""
    residual: float
    """Mean length of what the PCA leaves out."""
    error: NDArray[np.float64] | None
    """(F,) squared errors of the forecast, None where there was none."""


def steps_of(sessions: Sequence[Session]) -> list[list[Step]]:
    """Steps for the encoder of the frames that sessions of one model received since the last call."""
    steps: list[list[Step]] = []
    for session, arrived in zip(sessions, arrivals([session._intake for session in sessions]), strict=True):
        session._pending.extend(arrived)
        steps.append([arrival.step for arrival in arrived if isinstance(arrival, Arrival)])
    return steps


def events_of(
    sessions: Sequence[Session],
    runs: Sequence[Sequence[Step]],
    answers: Sequence[WindowStates | None],
    quiet: Collection[Session] = (),
) -> list[list[Event] | Exception]:
    """The answers to the oldest steps of sessions of one model, a run each: states where its last completed a window.

    Of sessions that are `quiet`, labels that may still change are kept back until a later call.
    What fails in a session is told in place of its events and does no harm to the others.
    """
    outcomes: list[list[Event] | Exception] = []
    together: dict[int, list[tuple[int, list[Event], Span, WindowStates]]] = {}
    for i, (session, run, states) in enumerate(zip(sessions, runs, answers, strict=True)):
        try:
            events, span = session._answer(run)
        except Exception as error:
            outcomes.append(error)
            continue
        outcomes.append(events)
        # a window in which no source frame fell is no moment: its frames are the next one's, which has more than others
        if states is not None and span is not None:
            together.setdefault(len(session._fresh), []).append((i, events, span, states))
    for group in together.values():
        moments = _moments([sessions[i] for i, *_ in group], [states for *_, states in group])
        for (i, events, span, _), moment in zip(group, moments, strict=True):
            try:
                events += sessions[i]._advance(span, moment, sessions[i] not in quiet)
            except Exception as error:
                outcomes[i] = error
    return outcomes


def _moments(sessions: Sequence[Session], windows: Sequence[WindowStates]) -> Iterator[_Moment]:
    """Of sessions that have equally many new frames."""
    frames = np.array([session._fresh for session in sessions])  # (s, n, F)
    estimates = estimate([s._embedding for s in sessions], frames, np.array([w.projected for w in windows]))
    errors = compare([s._prediction_error for s in sessions], frames, np.array([w.prediction for w in windows]))
    residuals = np.array([window.residual for window in windows]).mean(axis=1).tolist()
    for session, *moment in zip(sessions, frames, estimates, residuals, errors, strict=True):
        session._fresh = []
        yield _Moment(*moment)
