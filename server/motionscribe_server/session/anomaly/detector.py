"""Tells when something abnormal begins and ends on one stream, of each kind against a budget of false alarms.

In: an Observation for each moment (a stride). Out: Anomaly events. What is measured is the business of table.py, how
rare it is that of the model's constants (reference.py).

An anomaly begins at once where fewer false alarms an hour are to be expected than the budget allows. Nothing is learnt
of a moment while an anomaly is open, nor of those that led to it. No clock, no randomness.
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
from motionscribe_server.session.anomaly.frozen import ONCE_IN_H
from motionscribe_server.session.anomaly.habits import QUANTILE, Habits
from motionscribe_server.session.anomaly.jump import Jump
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.open_alarm import Judged, OpenAlarm
from motionscribe_server.session.anomaly.pools import Pools
from motionscribe_server.session.anomaly.rates import log_rate
from motionscribe_server.session.anomaly.reference import AnomalyReference
from motionscribe_server.session.anomaly.score import standardise
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
    ) -> None:
        """`budgets` are false alarms an hour, each above 0. Raises LayoutError."""
        if not all(0 < budget < math.inf for budget in budgets.values()):
            raise LayoutError(f"expected false alarms an hour above 0, got {dict(budgets)}")
        self._reference, self._joints, self._moment_s = reference, tuple(joints), moment_s
        self._jump = reference.layout.scores.index(Jump)
        self._limits = {kind: math.log(budgets[kind]) for kind in Kind}
        self._pools = Pools(reference.layout, moment_s)
        usual = [_at_rate(knots, math.log((1 - QUANTILE) * 3600 / moment_s)) for knots in reference.knots]
        self._habits = Habits(usual, moment_s)
        self._later = round(LATER_S / moment_s)
        self._waiting: deque[Array] = deque()  # scores that are learnt if no alarm begins soon
        self._open: dict[Kind, OpenAlarm] = {}
        self._events = 0  # that began
        self._last: Span | None = None
        self.rates: dict[Kind, float] = dict.fromkeys(Kind, math.inf)
        """False alarms an hour to be expected at the newest moment, by kind."""

    @property
    def quiet(self) -> bool:
        """No anomaly is open."""
        return not self._open

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
        z = standardise(self._reference.normal, pooled, vigour)
        largest = np.maximum.reduceat(z, self._reference.layout.starts)
        lowered = (largest - self._habits.slack).tolist()
        rates = [log_rate(knots, own) for knots, own in zip(self._reference.knots, lowered, strict=True)]
        if observation.sensed.jump.max() > self._reference.impossible:
            rates[self._jump] = min(rates[self._jump], math.log(ONCE_IN_H))
        for kind in Kind:
            events += self._judge(kind, span, rates, z, cluster)
        self._learn(largest)
        return events

    def finish(self) -> list[Anomaly]:
        """Ends open anomalies where they were last abnormal; scores begin anew with the next moment. Habits stay."""
        self._pools.restart()
        self._waiting.clear()
        ended = [alarm.report(self._joints, "ended", 0) for alarm in self._open.values()]
        self._open = {}
        return ended

    def state(self) -> State:
        """Everything learnt of the stream, as nested plain values and arrays that share nothing with this object."""
        return {
            "pools": self._pools.state(),
            "habits": self._habits.state(),
            "waiting": [scores.copy() for scores in self._waiting],
            "open": {kind.value: alarm.state() for kind, alarm in self._open.items()},
            "events": self._events,
            "last": None if self._last is None else list(astuple(self._last)),
        }

    def restore(self, state: State) -> None:
        """Goes on as the detector that gave `state`, of the same model and budgets, to the bit."""
        self._pools.restore(state["pools"])
        self._habits.restore(state["habits"])
        self._waiting = deque(scores.copy() for scores in state["waiting"])
        self._open = {Kind(kind): OpenAlarm.of(own, self._moment_s) for kind, own in state["open"].items()}
        self._events = state["events"]
        self._last = None if state["last"] is None else Span(*state["last"])

    def _judge(self, kind: Kind, span: Span, rates: Sequence[float], z: Array, cluster: int) -> list[Anomaly]:
        own = self._reference.of_kind[kind]
        score = min(own, key=lambda s: rates[s])
        rate = rates[score] + self._reference.shared[kind]
        self.rates[kind] = math.exp(min(rate, 700.0))
        alarm, limit = self._open.get(kind), self._limits[kind]
        if alarm is None and rate > limit:
            return []
        judged = Judged(span, rate, self._reference.layout.scores[score].name, self._deviations(score, z))
        if alarm is None:
            self._events += 1
            alarm = self._open[kind] = OpenAlarm(self._events, kind, self._moment_s, judged)
            return [alarm.report(self._joints, "begun", cluster)]
        phase = alarm.add(judged, limit)
        if phase == "ended":
            del self._open[kind]
        return [alarm.report(self._joints, phase, cluster)] if phase else []

    def _deviations(self, score: int, z: Array) -> Array:
        """(J,) the largest z of the columns that speak of each joint."""
        layout = self._reference.layout
        found = np.zeros(len(self._joints))
        for column in range(layout.starts[score], layout.ends[score]):
            for joint in layout.columns[column]:
                found[joint] = max(found[joint], z[column])
        return found

    def _learn(self, scores: Array) -> None:
        if self._open or not np.isfinite(scores).all():
            self._waiting.clear()
            return
        self._waiting.append(scores)
        if len(self._waiting) > self._later:
            self._habits.learn(self._waiting.popleft())


def _at_rate(knots: Array, rate: float) -> float:
    """The z at a rate, which falls along the knots."""
    return float(np.interp(-rate, -knots[1], knots[0]))
