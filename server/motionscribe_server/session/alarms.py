"""The alarms of one stream: what its moments and its clusters say to the anomaly detector.

In: moments, the clusterer as it is before the moment is labelled, and final labels some moments later. Out: Anomaly
events, and AnomalyScores where the stream asked for them.
"""

from collections import deque

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_proto.events import AnomalyScores, Event
from motionscribe_proto.verdicts import Verdict
from motionscribe_server.session.anomaly.detector import LATER_S, AnomalyDetector
from motionscribe_server.session.anomaly.habitual_order import HabitualOrder
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.levels import Levels, levelled
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.reference import AnomalyReference, Distances
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import OnlineClusterer
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.span import Span

RECURRED = 2
"""Segments of a cluster from which on its behaviour is known to the stream."""


class Alarms:
    """Of one stream of a model that has anomaly constants."""

    def __init__(
        self, model: ServedModel, reference: AnomalyReference, options: SessionOptions, book: PackedBook
    ) -> None:
        """`book` has the anomalies of earlier sessions."""
        self._moment_s = model.moment_s
        self._wants_scores = options.anomaly_scores
        budgets = {
            Kind.SENSOR: options.sensor_false_alarms,
            Kind.MOTION: options.motion_false_alarms,
            Kind.BEHAVIOUR: options.behaviour_false_alarms,
        }
        spans = model.durations["level"], model.durations["usual"], round(LATER_S / model.moment_s)
        self._levels = None if reference.drift is None else Levels(reference.drift, *spans)
        self._order = HabitualOrder(model.moment_s)
        self._faults: deque[int] = deque()  # where moments begin with an open fault that are not final
        self._detector = AnomalyDetector(reference, model.manifest.skeleton.joints, model.moment_s, budgets, book)

    def update(self, moment: Moment, distances: Distances, clusterer: OnlineClusterer) -> list[Event]:
        """Takes the next moment, and how far it lies from what the training recordings have shown."""
        misfit, strangeness, unseen = distances.misfit, distances.strangeness, distances.unseen
        cluster = clusterer.nearest(moment.estimates[-1], RECURRED)
        if cluster and cluster[1] < strangeness:  # what recurs on this stream is known: all is nearer by as much
            unseen *= cluster[1] / strangeness
            strangeness = cluster[1]
        shift = self._shift(moment, misfit)
        observation = Observation(
            moment.span, moment.sensed, misfit, strangeness, unseen, moment.frames[-1], shift, *self._order.take()
        )
        events: list[Event] = [*self._detector.update(observation, cluster[0] if cluster else 0)]
        if self._levels is not None:
            self._levels.learn(self._detector.quiet)
        if self._detector.faulty:
            self._faults.append(moment.span.start_us)
        if self._wants_scores:
            rates = (self._detector.rates[kind] for kind in Kind)
            span = moment.span
            events.append(AnomalyScores(span.start_seq, span.end_seq, span.start_us, span.end_us, *rates))
        return events

    def _shift(self, moment: Moment, misfit: Array) -> Array:
        if self._levels is None:
            return np.zeros(0)
        last = self._detector.last
        if last is not None:
            self._levels.pass_time(round((moment.span.start_us - last.end_us) / 1e6 / self._moment_s))
        return self._levels.update(levelled(moment.frames, moment.sensed, misfit))

    def make_final(self, span: Span, cluster: int) -> None:
        """The oldest moment that is not final, which covers `span`, is of this cluster; 0 for none."""
        faulty = False
        while self._faults and self._faults[0] <= span.start_us:
            self._faults.popleft()
            faulty = True
        self._order.add(span, cluster, faulty)

    def merge(self, source: int, target: int) -> None:
        """Cluster `source` is part of `target`."""
        self._order.merge(source, target)

    def finish(self) -> list[Event]:
        """Open anomalies end: there is a gap, or no more frames; all moments are final."""
        self._order.cut()
        if self._levels is not None:
            self._levels.restart()
        return [*self._detector.finish()]

    def mark(self, id: int, verdict: Verdict) -> list[Event]:
        """What the user says of an anomaly. Raises NotFoundError, ExhaustedError."""
        return [*self._detector.mark(id, verdict)]

    @property
    def book(self) -> PackedBook:
        """The anomalies so far."""
        return self._detector.book

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        levels = None if self._levels is None else self._levels.state()
        return {
            "detector": self._detector.state(),
            "levels": levels,
            "order": self._order.state(),
            "faults": list(self._faults),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._detector.restore(state["detector"])
        if self._levels is not None:
            self._levels.restore(state["levels"])
        self._order.restore(state["order"])
        self._faults = deque(state["faults"])
