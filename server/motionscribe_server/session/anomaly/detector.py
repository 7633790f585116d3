"""Motion unlike what the model and this stream know: one score a moment, and events that begin and end.

In, for each moment (a stride, 0.1 s): `residual`, the norm of the decoder states outside the PCA subspace; `error`
(F,), squared errors of the forecast in normalised units; the Span of its frames. Out: Anomaly events, with scores
relative to the threshold.

Score: both inputs as robust z scores against normal motion, each averaged over the last second; the larger of the two,
since what only one of them sees would be halved in a mean.
Threshold: median + margin (quantile - median) of the scores of normal motion, or of the last ten minutes of this stream
where either term is higher. A noisy feed earns itself slack; a calm one does not make the first step after it an alarm.
Event: begins after `begin` moments at the threshold, ends after `end` moments below `release` of it. An event and what
leads up to it are not learnt, so that it cannot excuse itself, except after `patience`: a feed that changed for good is
the new normal.

No clock, no randomness. Distance to clusters is left out: abnormal motion hardly shows in it (AUC .56 on
CMU subject 86).
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_models.state import State
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.reference import QUANTILE, SMOOTH, AnomalyReference
from motionscribe_server.session.anomaly.rolling_quantiles import RollingQuantiles
from motionscribe_server.session.span import Span

MEMORY = 6000
"""Moments of a stream that the threshold is learnt from, ten minutes."""
LAG = 2 * SMOOTH
"""Moments until a score is learnt: those that lead up to an event, while the average climbs, are not."""
TOP = 5
"""Joints that an event names."""


@dataclass(frozen=True)
class AnomalySettings:
    """Counts are moments."""

    margin: float = 1.25
    begin: int = 10
    """Together two false alarms an hour on stationary noise, one event in 5 minutes of trials of subject 86 that the
    network had not seen (four steady seconds of an action new to it), and the synthetic performer's fall with every
    seed of five. Margin 1.5 finds no fall; 5 moments give 7 to 14 false alarms an hour."""
    end: int = 10
    release: float = 0.8
    """Share of the threshold below which an event ends."""
    burn_in: int = 100
    """Moments to learn, ten seconds, before anything is an event."""
    patience: int = 600
    """Moments after which an event is learnt as the new normal, one minute."""

    def __post_init__(self) -> None:
        if not (self.margin > 0 and 0 < self.release <= 1):
            raise LayoutError(f"expected margin > 0 and release in (0, 1], got {self.margin} and {self.release}")
        if min(self.begin, self.end, self.patience) < 1 or self.burn_in < 0:
            raise LayoutError(f"expected counts >= 1 and burn_in >= 0, got {self}")


class AnomalyDetector:
    """Scores moments of one stream and says when something abnormal begins and ends."""

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
        self._reference, self._joints, self._settings = reference, tuple(joints), settings
        self._slack = settings.margin * (reference.score_quantile - reference.score_median)
        self._trained = reference.score_median + self._slack
        if self._trained <= 0:
            raise LayoutError(f"expected a threshold > 0 from {reference} and margin {settings.margin}")
        self._scores = RollingQuantiles((0.5, QUANTILE), MEMORY)
        self._learnt = 0
        self._recent: deque[tuple[float, float]] = deque(maxlen=SMOOTH)  # z scores of residual and error
        self._run: list[_Moment] = []  # moments above the threshold that are no event yet
        self._pending: deque[float] = deque()  # scores that are learnt if no event begins soon
        self._event: _Event | None = None
        self._anomaly = 0
        self._last: Span | None = None

    @property
    def threshold(self) -> float:
        """The score, in standard deviations of the training recordings, that is reported as 1."""
        if self._learnt < max(self._settings.burn_in, 1):
            return self._trained
        median, quantile = self._scores.get()
        return max(self._trained, median + max(self._settings.margin * (quantile - median), self._slack))

    def update(self, residual: float, error: NDArray[np.floating], span: Span) -> list[Anomaly]:
        """One moment: residual >= 0, error (F,) >= 0, spans in order of time.

        A span that begins later than the last one ended, as after a gap, ends an open event and restarts the averages.
        Raises LayoutError for values that are negative or not finite, another F, or a span that begins earlier; then
        nothing has changed.
        """
        by_joint = self._check(residual, error, span)
        events = self.finish() if self._last is not None and span.start_seq > self._last.end_seq else []
        self._last = span
        z = self._reference.z_scores(np.array([residual]), np.array([np.mean(error)]))
        self._recent.append((float(z[0, 0]), float(z[1, 0])))
        if len(self._recent) < SMOOTH:
            return events
        score = max(math.fsum(z) / SMOOTH for z in zip(*self._recent, strict=True))
        moment = _Moment(span, score, score / self.threshold, by_joint)
        return events + (self._watch(moment) if self._event is None else self._follow(self._event, moment))

    def finish(self) -> list[Anomaly]:
        """End an open event where it was last above; the next moment starts the averages anew. The threshold stays."""
        self._recent.clear()
        self._pending.clear()
        self._run = []
        return [] if self._event is None else [self._end(self._event)]

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        event = self._event
        return {
            "scores": self._scores.state(),
            "learnt": self._learnt,
            "recent": [list(pair) for pair in self._recent],
            "run": [[*astuple(m.span), m.score, m.relative] for m in self._run],
            "run_by_joint": np.array([m.by_joint for m in self._run]).reshape(-1, len(self._joints)),
            "pending": list(self._pending),
            "event": event
            and {
                "start": list(astuple(event.start)),
                "last": list(astuple(event.last)),
                "age": event.age,
                "below": event.below,
                "score": event.score,
                "by_joint": event.by_joint,
            },
            "anomaly": self._anomaly,
            "last": None if self._last is None else list(astuple(self._last)),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._scores.restore(state["scores"])
        self._learnt = state["learnt"]
        self._recent = deque(((a, b) for a, b in state["recent"]), maxlen=SMOOTH)
        run = zip(state["run"], state["run_by_joint"], strict=True)
        self._run = [_Moment(Span(*row[:4]), row[4], row[5], by_joint) for row, by_joint in run]
        self._pending = deque(state["pending"])
        self._event = None
        if event := state["event"]:
            opened = _Moment(Span(*event["start"]), event["score"], event["score"], event["by_joint"])
            self._event = _Event([opened])
            self._event.last, self._event.age, self._event.below = Span(*event["last"]), event["age"], event["below"]
            self._event.by_joint = event["by_joint"]
        self._anomaly = state["anomaly"]
        self._last = None if state["last"] is None else Span(*state["last"])

    def _watch(self, moment: "_Moment") -> list[Anomaly]:
        self._pending.append(moment.score)
        if len(self._pending) > LAG:
            self._learn(self._pending.popleft())
        if moment.relative < 1 or self._learnt < self._settings.burn_in:
            self._run = []
            return []
        self._run.append(moment)
        if len(self._run) < self._settings.begin:
            return []
        self._anomaly += 1
        self._event = _Event(self._run)
        self._run = []
        self._pending.clear()
        return [self._report(self._event, ongoing=True)]

    def _follow(self, event: "_Event", moment: "_Moment") -> list[Anomaly]:
        event.age += 1
        if event.age > self._settings.patience:
            self._learn(moment.score)
        if moment.relative >= self._settings.release:
            event.add(moment)
        else:
            event.below += 1
        return [self._end(event)] if event.below == self._settings.end else []

    def _end(self, event: "_Event") -> Anomaly:
        self._event = None
        return self._report(event, ongoing=False)

    def _report(self, event: "_Event", ongoing: bool) -> Anomaly:
        total = event.by_joint.sum()
        top = [int(j) for j in np.argsort(-event.by_joint, kind="stable")[:TOP] if event.by_joint[j] > 0]
        return Anomaly(
            self._anomaly,
            ongoing,
            event.start.start_seq,
            event.last.end_seq,
            event.start.start_us,
            event.last.end_us,
            float(np.float32(event.score)),  # at the precision of the wire
            tuple(self._joints[j] for j in top),
            tuple(float(np.float32(event.by_joint[j] / total)) for j in top),
        )

    def _learn(self, score: float) -> None:
        self._learnt += 1
        self._scores.learn(score)

    def _check(self, residual: float, error: NDArray[np.floating], span: Span) -> NDArray[np.float64]:
        """Errors summed by joint (J,)."""
        if not 0 <= residual < math.inf:
            raise LayoutError(f"expected a finite residual >= 0, got {residual}")
        if np.shape(error) != self._joint_of.shape:
            raise LayoutError(f"expected error {self._joint_of.shape}, got {np.shape(error)}")
        bad = ~((np.asarray(error) >= 0) & (np.asarray(error) < math.inf))
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            raise LayoutError(f"expected finite errors >= 0, got {error[at]} at position {at}")
        last = self._last  # its end_us was a guess where it is one nominal period after its last frame
        if last is not None and (span.start_seq < last.end_seq or span.start_us < last.start_us):
            raise LayoutError(f"expected a span that begins at the end of {last} or later, got {span}")
        summed: NDArray[np.float64] = np.bincount(self._joint_of, error, len(self._joints)).astype(np.float64)
        return summed


@dataclass(frozen=True, slots=True)
class _Moment:
    span: Span
    score: float
    relative: float
    by_joint: NDArray[np.float64]  # (J,)


class _Event:
    """An open event: where it began, where it was last above, and what it summed up."""

    def __init__(self, run: Sequence[_Moment]) -> None:
        self.start = run[0].span
        self.age = 0
        self.score = 0.0
        self.by_joint = np.zeros_like(run[0].by_joint)
        for moment in run:
            self.add(moment)

    def add(self, moment: _Moment) -> None:
        self.last = moment.span
        self.below = 0
        self.score = max(self.score, moment.relative)
        self.by_joint = self.by_joint + moment.by_joint
