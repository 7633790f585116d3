"""From the moments of one stream to its events: scored, cut into segments, given clusters, made final, learnt.

In: Moments in order, and where the timeline ends. Out: all events but those about frames and gaps, which are
session.py's. A label is sent before the clusterer learns from its segment, and a final label never changes.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace

import numpy as np

from motionscribe_models.state import State
from motionscribe_proto.events import (
    ClusterCreated,
    ClusterMerged,
    ClusterNamed,
    ClusterSplit,
    ClusterTableFull,
    Degraded,
    Event,
    SegmentEnded,
)
from motionscribe_proto.verdicts import Verdict
from motionscribe_server.errors import NotFoundError
from motionscribe_server.session.alarms import Alarms
from motionscribe_server.session.all_or_nothing import all_or_nothing
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.cluster_counts import ClusterCounts
from motionscribe_server.session.cluster_map import ClusterMap, map_of
from motionscribe_server.session.clustering import ClusterState, DPMeans, Merged, Named, initial_clusters
from motionscribe_server.session.default_names import DefaultNames, Name
from motionscribe_server.session.exemplars import EDGE_S, Exemplars
from motionscribe_server.session.final_labels import FinalLabels
from motionscribe_server.session.labeller import Labeller
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.provisional import ProvisionalLabels
from motionscribe_server.session.recall import Recall, Recalled
from motionscribe_server.session.segmenter import Segmenter
from motionscribe_server.session.span import Span
from motionscribe_server.session.waiting_frames import WaitingFrames


class Labelling:
    """Everything that is learnt on one stream, and the moments whose labels may still change."""

    def __init__(
        self,
        model: ServedModel,
        options: SessionOptions,
        clusters: Sequence[ClusterState],
        next_cluster: int,
        book: PackedBook,
    ) -> None:
        """Begins with the model's clusters, and those and the anomalies stored of earlier sessions of the stream."""
        self._model = model
        self._latency = model.latency(options.lag)
        self._wants_provisional = options.provisional
        self._revisions = model.revisions
        self._segmenter = Segmenter(model.dimensions, model.penalty, model.durations["history"])
        start = initial_clusters(model.centres, clusters)
        self._clusterer = DPMeans(model.dimensions, start, next_cluster, radius=model.radius)
        self._labeller = Labeller(self._clusterer, model.radius, model.moment_s, model.durations["history"])
        self._cluster_counts = ClusterCounts(clusters)
        self._default_names = DefaultNames(model, clusters)
        parts = self._labeller, self._clusterer, self._cluster_counts, self._name
        self._finals = FinalLabels(*parts, model.durations["hold"])
        self._provisionals = ProvisionalLabels(model.stability(options.lag))
        self._alarms = None if model.anomaly is None else Alarms(model, model.anomaly, options, book)
        self._recall = Recall(model.moment_s, model.revisions)
        self._exemplars = Exemplars(model.feature_map, model.manifest.rate_hz, clusters, options.exemplars)
        self._estimates = np.empty((0, model.dimensions))  # embeddings of the newest moments
        self._unseen = 0  # joints that are out of sight
        self._moments = 0  # so far
        self._spans: deque[Span] = deque()  # of the newest moments, which are not final
        wanted = self._default_names.wants_frames or self._exemplars.wants_frames
        self._waiting = WaitingFrames(model.manifest.features, wanted)

    @property
    def moments(self) -> int:
        """How many there were."""
        return self._moments

    @property
    def next_cluster(self) -> int:
        """First cluster id that no final label ever bore."""
        return self._clusterer.next_id

    def degrade(self, told: Iterable[Degraded]) -> None:
        """Joints are lost or found: the stability of provisional labels follows."""
        for event in told:
            self._unseen = len(event.joints) if event.ongoing else 0

    def add(self, moment: Moment, scored: bool, provisional: bool) -> list[Event]:
        """One more moment, `scored` for anomalies where its window was full; with or without `provisional` labels."""
        events: list[Event] = []
        span = moment.span
        if self._spans:
            self._spans[-1] = replace(self._spans[-1], end_us=span.start_us)
        self._spans.append(span)
        self._provisionals.add_moment()
        self._waiting.add(moment.frames)
        self._recall.add(span, moment.frames)
        self._moments += 1
        self._estimates = moment.estimates
        if self._alarms and scored and moment.distances is not None:
            events += self._alarms.update(moment, moment.distances, self._clusterer)
        hypotheses = self._segmenter.push(moment.estimates)
        if len(moment.estimates) > self._revisions:
            self._segmenter.settle()
        has_learnt = self._labeller.push(hypotheses, span.end_us)
        events += self._changes(span.end_us)
        while len(self._spans) > self._latency:
            events += self._finalise()
        self._recall.note(events)
        if has_learnt:
            self._forget_gone()
        if provisional and self._wants_provisional:
            first = self._moments - len(self._spans)
            told = self._labeller.current, self._spans, first, self._estimates[-1], self._unseen
            events += self._provisionals.update(*told)
        return events

    def end(self, tail: Span | None, time_us: int) -> list[Event]:
        """The timeline ends at `time_us`, with `tail` frames that no moment covers; the next moment begins another."""
        events: list[Event] = []
        if tail is not None and self._spans:
            last = self._spans[-1]
            self._spans[-1] = Span(last.start_seq, tail.end_seq, last.start_us, tail.end_us)
            tail = None
        while self._spans:
            events += self._finalise()
        events += self._note_ends(self._finals.end(tail), self._moments)
        self._recall.note(events)
        self._recall.end()
        self._default_names.end_segment()
        events += self._alarms.finish() if self._alarms else []
        self._labeller.finish(time_us)
        events += self._changes(time_us)
        self._forget_gone()
        self._segmenter.restart(self._moments)
        return events

    def clusters(self) -> list[ClusterState]:
        """All clusters that are remembered, in ascending order of id."""
        named = map(self._named, self._cluster_counts.complete(self._states()))
        return [replace(state, exemplars=self._exemplars.of(state.id)) for state in named]

    def _states(self) -> list[ClusterState]:
        return sorted([*self._clusterer.clusters(), *self._labeller.young()], key=lambda state: state.id)

    def rename(self, id: int, name: str) -> list[Event]:
        """Gives a name, or takes it with an empty one. Raises UnknownClusterError."""
        with all_or_nothing(self._clusterer, self._labeller):
            self._labeller.introduce([id])
            self._clusterer.rename(id, name)
        # where all moments are final, what it is from now on is not known before the next one
        return self._changes(self._now_us) if self._spans else []

    def merge(self, sources: Sequence[int], target: int) -> list[Event]:
        """Makes `sources` part of `target`. Raises UnknownClusterError, ClusterError for a cluster and itself."""
        with all_or_nothing(self._clusterer, self._labeller):
            self._labeller.introduce([*sources, target])
            self._clusterer.merge(sources, target)
        return self._changes(self._now_us)

    def split(self, id: int) -> list[Event]:
        """Undoes a merge. Raises UnknownClusterError, ClusterError for a cluster that no user merged."""
        target = self._clusterer.split(id)
        self._cluster_counts.split(id, target)
        self._default_names.split(id, target)
        self._labeller.split(id)
        return [ClusterSplit(id, target, self._now_us)]

    @property
    def book(self) -> PackedBook:
        """The anomalies so far; none of a model without anomaly constants."""
        return self._alarms.book if self._alarms else PackedBook()

    def mark(self, id: int, verdict: Verdict) -> list[Event]:
        """What the user says of an anomaly. Raises NotFoundError, ExhaustedError; then nothing has changed."""
        if self._alarms is None:
            raise NotFoundError(f"expected a stream whose model gives alarms, got anomaly {id} of another")
        return self._alarms.mark(id, verdict)

    def map(self) -> ClusterMap:
        """Where clusters and the newest moments lie."""
        return map_of(self._model.plane, self._states(), self._estimates, self._now_us)

    def forget_exemplars(self) -> None:
        """What clusters look like is not kept from now on."""
        self._exemplars.forget()

    def recall(self, segment: int) -> Recalled:
        """A segment by its number, 0 for the newest, to be explained. Raises NotFoundError."""
        return self._recall.recall(segment, self.clusters(), self._clusterer.resolve)

    @property
    def _now_us(self) -> int:
        """The end of the newest moment, 0 where all are final."""
        return self._spans[-1].end_us if self._spans else 0

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "segmenter": self._segmenter.state(),
            "clusterer": self._clusterer.state(),
            "labeller": self._labeller.state(),
            "cluster_counts": self._cluster_counts.state(),
            "default_names": self._default_names.state(),
            "finals": self._finals.state(),
            "provisionals": self._provisionals.state(),
            "alarms": None if self._alarms is None else self._alarms.state(),
            "exemplars": self._exemplars.state(),
            "unseen": self._unseen,
            "moments": self._moments,
            "spans": [list(astuple(span)) for span in self._spans],
            "waiting": self._waiting.state(),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._segmenter.restore(state["segmenter"])
        self._clusterer.restore(state["clusterer"])
        self._labeller.restore(state["labeller"])
        self._cluster_counts.restore(state["cluster_counts"])
        self._default_names.restore(state["default_names"])
        self._finals.restore(state["finals"])
        self._provisionals.restore(state["provisionals"])
        if self._alarms:
            self._alarms.restore(state["alarms"])
        self._exemplars.restore(state["exemplars"])
        self._unseen, self._moments = state["unseen"], state["moments"]
        self._spans = deque(Span(*span) for span in state["spans"])
        self._waiting.restore(state["waiting"])

    def _finalise(self) -> list[Event]:
        """The oldest moment that is not final becomes it."""
        moment, span = self._moments - len(self._spans), self._spans.popleft()
        self._provisionals.drop_moment()
        events = self._note_ends(self._finals.add(moment, span, self._moments), moment)
        frames = self._waiting.take()
        self._default_names.make_final(self._finals.open_cluster, frames)
        self._exemplars.add_final(frames)
        if self._alarms:
            self._alarms.make_final(span, self._finals.open_cluster)
        return events + self._changes(span.start_us)

    def _note_ends(self, events: list[Event], moment: int) -> list[Event]:
        """The same events; segments among them that ended before `moment` leave exemplars."""
        inside = moment - 1 - round(EDGE_S / self._model.moment_s)
        for event in [event for event in events if isinstance(event, SegmentEnded)]:
            distance = self._labeller.distance_to_centre(inside, event.cluster)
            self._exemplars.end_segment(event.cluster, event.start_us, distance)
        return events

    def _name(self, id: int) -> Name:
        """Of a cluster, or of what it was merged into; a user's own comes first."""
        given = self._clusterer.name(id)
        guessed = "" if given else self._default_names.name(self._clusterer.resolve(id) or id)
        return Name(given or guessed, guessed=bool(guessed))

    def _named(self, state: ClusterState) -> ClusterState:
        if state.given_name or state.merged_into:
            return state
        name = self._name(state.id)
        return replace(state, name=name.text, guessed=name.guessed)

    def _forget_gone(self) -> None:
        kept = self._labeller.forget_gone(self._finals.open_cluster)
        self._cluster_counts.keep(kept)
        self._default_names.keep(kept)
        self._exemplars.keep(kept)

    def _changes(self, time_us: int) -> list[Event]:
        """Merges and names since the last call, births that no final label showed, and what made room."""
        events: list[Event] = []
        for change in self._clusterer.changes():
            if isinstance(change, Merged):
                self._cluster_counts.merge(change.source, change.target)
                self._default_names.merge(change.source, change.target)
                if self._alarms:
                    self._alarms.merge(change.source, change.target)
                self._labeller.relabel()
                events.append(ClusterMerged(change.source, change.target, time_us))
            elif isinstance(change, Named):
                name = self._name(change.id)
                events.append(ClusterNamed(change.id, name.text, time_us, name.guessed))
            elif self._labeller.announce(change.id):
                events.append(ClusterCreated(change.id, time_us))
        limit = self._clusterer.capacity
        return events + [ClusterTableFull(limit, id, time_us) for id in self._labeller.take_made_room()]
