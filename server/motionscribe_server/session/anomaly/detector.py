"""Tells when something abnormal begins and ends on one stream, of each kind against a budget of false alarms.

In: an Observation for each moment (a stride). Out: Anomaly events. What is measured is the business of table.py, how
rare it is that of the model's constants (reference.py).

An anomaly begins at once where fewer false alarms an hour are to be expected than the budget allows. Nothing is learnt
of a moment while an anomaly is open, nor of those that led to it. All anomalies stand in a book (anomaly_book.py); what
its user called normal there is allowed (allowances.py). No clock, no randomness.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import astuple

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.state import State
from motionscribe_proto.events import Anomaly
from motionscribe_proto.verdicts import Verdict
from motionscribe_server.session.anomaly.allowances import Allowances
from motionscribe_server.session.anomaly.frozen import ONCE_IN_H
from motionscribe_server.session.anomaly.habits import QUANTILE, Habits
from motionscribe_server.session.anomaly.jump import Jump
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.open_alarm import RELEASE, Judged, OpenAlarm
from motionscribe_server.session.anomaly.pools import Pools
from motionscribe_server.session.anomaly.rates import as_rate, log_rate, z_at
from motionscribe_server.session.anomaly.reference import AnomalyReference
from motionscribe_server.session.anomaly.score import standardise
from motionscribe_server.session.anomaly_book import AnomalyBook, PackedBook
from motionscribe_server.session.span import Span

LATER_S = 3.0
"""Until a moment is learnt: scores that climb to an alarm are not."""


class AnomalyDetector:
    """Judges the moments of one stream."""

    def __init__(
        self,
        reference: AnomalyReference,
        joints: Sequence[str],
        moment_s: float,
        budgets: Mapping[Kind, float],
        book: PackedBook | None = None,
    ) -> None:
        """`budgets` are false alarms an hour, each above 0; `book` has the anomalies of earlier sessions.

        Raises LayoutError.
        """
        if not all(0 < budget < math.inf for budget in budgets.values()):
            raise LayoutError(f"expected false alarms an hour above 0, got {dict(budgets)}")
        self._reference, self._joints, self._moment_s = reference, tuple(joints), moment_s
        self._jump = reference.layout.scores.index(Jump)
        self._limits = {kind: math.log(budgets[kind]) for kind in Kind}
        self._pools = Pools(reference.layout, moment_s)
        usual = [z_at(knots, math.log((1 - QUANTILE) * 3600 / moment_s)) for knots in reference.knots]
        self._knots: list[list[list[float]]] = [knots.tolist() for knots in reference.knots]
        fitted = [score.constants is None for score in reference.layout.scores]
        self._habits = Habits(np.where(fitted, usual, math.inf), moment_s)
        self._always = math.log(3600 / moment_s)  # each moment an alarm
        self._later = round(LATER_S / moment_s)
        self._waiting: deque[Array] = deque()  # scores that are learnt if no alarm begins soon
        self._open: dict[Kind, OpenAlarm] = {}
        self._book = AnomalyBook(book or PackedBook())
        self._book.end_all()
        self._allowances = Allowances(reference, {kind: limit + RELEASE for kind, limit in self._limits.items()})
        self._allow()
        self._last: Span | None = None
        self.rates: dict[Kind, float] = dict.fromkeys(Kind, math.inf)
        """False alarms an hour to be expected at the newest moment, by kind."""

    @property
    def last(self) -> Span | None:
        """The newest moment."""
        return self._last

    @property
    def quiet(self) -> bool:
        """No anomaly is open."""
        return not self._open

    @property
    def faulty(self) -> bool:
        """A fault of sensors or of motion is open: what is seen may not be what is done."""
        return not self._open.keys().isdisjoint((Kind.SENSOR, Kind.MOTION))

    def update(self, observation: Observation, cluster: int = 0) -> list[Anomaly]:
        """Takes the next moment; spans in order of time. `cluster` is the nearest known behaviour, 0 for none.

        A span that begins later than the last one ended, as after a gap, ends open anomalies and restarts the scores.
        Raises LayoutError for a span that begins earlier; then nothing has changed.
        """
        span, last = observation.span, self._last
        # the last end_us was a guess where it is one nominal period after its last frame
        if last is not None and (span.start_seq < last.end_seq or span.start_us < last.start_us):
            raise LayoutError(f"expected a span that begins at the end of {last} or later, got {span}")
        events = self.finish() if last is not None and span.start_seq > last.end_seq else []
        self._last = span
        pooled, vigour = self._pools.add(observation)
        measured = standardise(self._reference.normal, pooled, vigour)
        z = measured - self._allowed
        largest = np.maximum.reduceat(z, self._reference.layout.starts)
        lowered = (largest - self._habits.slack).tolist()
        rates = [log_rate(knots, own) for knots, own in zip(self._knots, lowered, strict=True)]
        if observation.sensed.jump.max() > self._reference.impossible:
            rates[self._jump] = min(rates[self._jump], math.log(ONCE_IN_H))
        for kind in self._limits:
            events += self._judge(kind, span, rates, z, measured, cluster)
        self._learn(self._unmarked(largest, z) if self._allows else largest)
        return events

    def finish(self) -> list[Anomaly]:
        """Ends open anomalies where they were last abnormal; scores begin anew with the next moment. Habits stay."""
        self._pools.restart()
        self._waiting.clear()
        ended = [self._note(alarm, "ended", 0) for alarm in self._open.values()]
        self._open = {}
        return ended

    def mark(self, id: int, verdict: Verdict) -> list[Anomaly]:
        """What the user says of an anomaly, from the next moment on; an open one that is normal ends at once.

        Raises NotFoundError, ExhaustedError; then nothing has changed.
        """
        self._book.mark(id, verdict)
        self._allow()
        over = [alarm for alarm in self._open.values() if alarm.number == id and verdict == "normal"]
        for alarm in over:
            del self._open[alarm.kind]
        return [self._note(alarm, "ended", 0) for alarm in over]

    @property
    def book(self) -> PackedBook:
        """The anomalies so far, those that are open as they stand."""
        return self._book.packed()

    def state(self) -> State:
        """Everything learnt of the stream, as nested plain values and arrays that share nothing with this object."""
        return {
            "pools": self._pools.state(),
            "habits": self._habits.state(),
            "waiting": [scores.copy() for scores in self._waiting],
            "open": {kind.value: alarm.state() for kind, alarm in self._open.items()},
            "book": self._book.state(),
            "last": None if self._last is None else list(astuple(self._last)),
        }

    def restore(self, state: State) -> None:
        """Goes on as the detector that gave `state`, of the same model and budgets, to the bit."""
        self._pools.restore(state["pools"])
        self._habits.restore(state["habits"])
        self._waiting = deque(scores.copy() for scores in state["waiting"])
        self._open = {Kind(kind): OpenAlarm.of(own, self._moment_s) for kind, own in state["open"].items()}
        self._book.restore(state["book"])
        self._allow()
        self._last = None if state["last"] is None else Span(*state["last"])

    def _allow(self) -> None:
        self._allowed = self._allowances.of(self._book.kept)  # (C,)
        self._allows = bool(self._allowed.any())

    def _judge(
        self, kind: Kind, span: Span, rates: Sequence[float], z: Array, measured: Array, cluster: int
    ) -> list[Anomaly]:
        """By z before and after what is allowed."""
        own = self._reference.of_kind[kind]
        score = min(own, key=rates.__getitem__)
        rate = rates[score] + self._reference.shared[kind]
        self.rates[kind] = as_rate(min(rate, self._always))
        alarm, limit = self._open.get(kind), self._limits[kind]
        if alarm is None and rate > limit:
            return []
        peaks = self._allowances.peaks(kind, measured, z)
        name = self._reference.layout.scores[score].name
        judged = Judged(span, rate, name, self._deviations(score, z), peaks)
        if alarm is None:
            alarm = self._open[kind] = OpenAlarm(self._book.begin(), kind, self._moment_s, judged)
            return [self._note(alarm, "begun", cluster)]
        phase = alarm.add(judged, limit)
        if phase == "ended":
            del self._open[kind]
        event = self._note(alarm, phase or alarm.phase, cluster)
        return [event] if phase else []

    def _note(self, alarm: OpenAlarm, phase: str, cluster: int) -> Anomaly:
        """The anomaly as it stands, which the book has from now on."""
        event = alarm.report(self._joints, phase, cluster)
        self._book.put(event, self._allowances.fired(alarm.peaks))
        return event

    def _deviations(self, score: int, z: Array) -> Array:
        """(J,) the largest z of the columns that speak of each joint, -inf where none does."""
        layout = self._reference.layout
        found = np.full(len(self._joints), -np.inf)
        for column in range(layout.starts[score], layout.ends[score]):
            for joint in layout.columns[column]:
                found[joint] = max(found[joint], z[column])
        return found

    def _unmarked(self, largest: Array, z: Array) -> Array:
        """(S,) the largest z of columns of which nothing is allowed: the others must not earn these any slack.

        Of a score that has no such column, that of all.
        """
        others = np.maximum.reduceat(np.where(self._allowed > 0, -np.inf, z), self._reference.layout.starts)
        return np.where(np.isfinite(others), others, largest)

    def _learn(self, scores: Array) -> None:
        if self._open or not all(map(math.isfinite, scores.tolist())):
            self._waiting.clear()
            return
        self._waiting.append(scores)
        if len(self._waiting) > self._later:
            self._habits.learn(self._waiting.popleft())
