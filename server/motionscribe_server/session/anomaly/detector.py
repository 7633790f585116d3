"""Motion unlike what the model and this stream know: events that begin and end, from the largest of the anomaly scores.

In: an Observation for each moment (a stride). Out: Anomaly events, with scores relative to the threshold.
Which scores there are is the business of table.py, how high is abnormal that of threshold.py.

Event: begins after `begin` moments at the threshold, ends after `end` moments below RELEASE of it. An event and what
leads up to it are not learnt, so that it cannot excuse itself, except after `patience`: a feed that changed for good is
the new normal. No clock, no randomness.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_models.state import State
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.open_event import OpenEvent, ScoredMoment, event_from, moment_from
from motionscribe_server.session.anomaly.reference import AnomalyReference
from motionscribe_server.session.anomaly.score import largest
from motionscribe_server.session.anomaly.threshold import Threshold
from motionscribe_server.session.span import Span

LAG = 20
"""Moments until a score is learnt, twice the second that scores average: those that lead up to an event, while the
average climbs, are not learnt."""
RELEASE = 0.8
"""Share of the threshold below which an event ends."""


@dataclass(frozen=True)
class AnomalySettings:
    """Counts are moments."""

    margin: float = 1.25
    begin: int = 10
    """Together two false alarms an hour on stationary noise, one event in 5 minutes of trials of subject 86 that the
    network had not seen (four steady seconds of an action new to it), and the synthetic performer's fall with every
    seed of five. Margin 1.5 finds no fall; 5 moments give 7 to 14 false alarms an hour."""
    end: int = 10
    burn_in: int = 100
    """Moments to learn before anything is an event."""
    patience: int = 600
    """Moments after which an event is learnt as the new normal."""
    memory: int = 6000
    """Moments of a stream that the threshold is learnt from."""

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise LayoutError(f"expected margin > 0, got {self.margin}")
        if min(self.begin, self.end, self.patience, self.memory) < 1 or self.burn_in < 0:
            raise LayoutError(f"expected counts >= 1 and burn_in >= 0, got {self}")


def settings_of(durations: Mapping[str, int]) -> AnomalySettings:
    """The settings that follow from a model's durations in moments, named as in durations.SESSION."""
    begin, end, burn_in, patience, memory = (
        durations[f"anomaly_{name}"] for name in ("begin", "end", "burn_in", "patience", "memory")
    )
    return AnomalySettings(begin=begin, end=end, burn_in=burn_in, patience=patience, memory=memory)


class AnomalyDetector:
    """Scores the moments of one stream and tells when something abnormal begins and ends."""

    def __init__(
        self,
        reference: AnomalyReference,
        joint_of: NDArray[np.integer],
        joints: Sequence[str],
        settings: AnomalySettings = AnomalySettings(),
    ) -> None:
        """`joint_of` (F,) is the index into `joints` of each feature. Raises LayoutError for one out of range."""
        self._joint_of = np.array(joint_of, np.int64)
        if (
            self._joint_of.ndim != 1
            or not self._joint_of.size
            or not np.isin(self._joint_of, np.arange(len(joints))).all()
        ):
            raise LayoutError(f"expected joint_of (F,), F >= 1, in 0..{len(joints) - 1}, got {self._joint_of}")
        self._joints, self._settings = tuple(joints), settings
        self._scores = reference.scores()
        self._threshold = Threshold(reference, settings.margin, settings.burn_in, settings.memory)
        self._run: list[ScoredMoment] = []  # moments above the threshold that are no event yet
        self._pending: deque[float] = deque()  # scores that are learnt if no event begins soon
        self._event: OpenEvent | None = None
        self._events = 0  # that began
        self._last: Span | None = None

    @property
    def threshold(self) -> float:
        """The score, in standard deviations of normal motion, that is reported as 1."""
        return self._threshold.value()

    def update(self, observation: Observation) -> list[Anomaly]:
        """Takes the next moment; spans in order of time.

        A span that begins later than the last one ended, as after a gap, ends an open event and restarts the scores.
        Raises LayoutError for another F, or a span that begins earlier; then nothing has changed.
        """
        self._check(observation)
        span = observation.span
        events = self.finish() if self._last is not None and span.start_seq > self._last.end_seq else []
        self._last = span
        score = largest(self._scores.values(), observation)
        if score is None:
            return events
        by_joint = np.bincount(self._joint_of, observation.forecast_error, len(self._joints)).astype(np.float64)
        moment = ScoredMoment(span, score, score / self.threshold, by_joint)
        return events + (self._watch(moment) if self._event is None else self._follow(self._event, moment))

    def finish(self) -> list[Anomaly]:
        """Ends an open event where it was last above; scores begin anew with the next moment. The threshold stays."""
        for score in self._scores.values():
            score.restart()
        self._pending.clear()
        self._run = []
        return [] if self._event is None else [self._end(self._event)]

    def state(self) -> State:
        """Everything learnt of the stream, as nested plain values and arrays that share nothing with this object."""
        return {
            "scores": {name: score.state() for name, score in self._scores.items()},
            "threshold": self._threshold.state(),
            "run": [moment.state() for moment in self._run],
            "pending": list(self._pending),
            "event": None if self._event is None else self._event.state(),
            "events": self._events,
            "last": None if self._last is None else list(astuple(self._last)),
        }

    def restore(self, state: State) -> None:
        """Goes on as the detector that gave `state`, of the same model and settings, to the bit."""
        for name, score in self._scores.items():
            score.restore(state["scores"][name])
        self._threshold.restore(state["threshold"])
        self._run = [moment_from(moment) for moment in state["run"]]
        self._pending = deque(state["pending"])
        self._event = None if state["event"] is None else event_from(state["event"])
        self._events = state["events"]
        self._last = None if state["last"] is None else Span(*state["last"])

    def _watch(self, moment: ScoredMoment) -> list[Anomaly]:
        """No event is open."""
        self._pending.append(moment.score)
        if len(self._pending) > LAG:
            self._threshold.learn(self._pending.popleft())
        if moment.relative < 1 or not self._threshold.armed:
            self._run = []
            return []
        self._run.append(moment)
        if len(self._run) < self._settings.begin:
            return []
        self._events += 1
        self._event = OpenEvent(self._events, self._run[0].span, len(self._joints))
        for above in self._run:
            self._event.add(above)
        self._run = []
        self._pending.clear()
        return [self._event.report(self._joints, ongoing=True)]

    def _follow(self, event: OpenEvent, moment: ScoredMoment) -> list[Anomaly]:
        """An event is open."""
        event.age += 1
        if event.age > self._settings.patience:
            self._threshold.learn(moment.score)
        if moment.relative >= RELEASE:
            event.add(moment)
        else:
            event.below += 1
        return [self._end(event)] if event.below == self._settings.end else []

    def _end(self, event: OpenEvent) -> Anomaly:
        self._event = None
        return event.report(self._joints, ongoing=False)

    def _check(self, observation: Observation) -> None:
        if observation.forecast_error.shape != self._joint_of.shape:
            raise LayoutError(f"expected errors {self._joint_of.shape}, got {observation.forecast_error.shape}")
        last, span = self._last, observation.span
        # the last end_us was a guess where it is one nominal period after its last frame
        if last is not None and (span.start_seq < last.end_seq or span.start_us < last.start_us):
            raise LayoutError(f"expected a span that begins at the end of {last} or later, got {span}")
