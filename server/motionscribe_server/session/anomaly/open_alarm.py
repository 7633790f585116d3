"""An anomaly while it lasts: where it began, where it was last abnormal, how rare it is, and which joints are to blame.

In: judged moments. Out: the Anomaly events that tell of it. A first moment is enough to begin. It ends after CALM_S of
normal moments, at the last abnormal one: by return to normal, never by habit.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.rates import as_rate
from motionscribe_server.session.span import Span

TOP = 5
"""Joints that an event names."""
CALM_S = 2.0
CONFIRMED_S = 0.5
"""An anomaly of so many abnormal moments is confirmed."""
PERSISTS_S = 60.0
RELEASE = math.log(10.0)
"""A moment is normal again where ten times more false alarms are to be expected than where an anomaly begins: what
wavers is one anomaly."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One moment by the scores of one kind."""

    span: Span
    rate: float
    """Logarithm of the false alarms an hour that are to be expected at it."""
    detector: str
    """The score that finds it least normal."""
    deviations: Array
    """(J,) z of each joint by that score, -inf where it says nothing of one."""
    peaks: Array
    """(C,) z of each column that takes part, -inf of others (allowances.py)."""


class OpenAlarm:
    """An anomaly that has begun and not ended."""

    def __init__(self, number: int, kind: Kind, moment_s: float, judged: Judged) -> None:
        """Begins with the moment `judged`."""
        self.number, self.kind, self._moment_s = number, kind, moment_s
        self._first = self._last = judged.span
        self._rate, self._detector = judged.rate, judged.detector
        self._deviations = {judged.detector: judged.deviations}  # the largest so far, by each detector by itself
        self.peaks = judged.peaks
        """(C,) the largest so far."""
        self._abnormal = self._age = 1  # moments
        self._calm = 0
        self.phase = "begun"

    def add(self, judged: Judged, limit: float) -> str:
        """Takes the next moment; `limit` is the rate at which alarms begin. Returns a phase that it enters, or ""."""
        self._age += 1
        self.peaks = np.maximum(self.peaks, judged.peaks)
        if judged.rate > limit + RELEASE:
            self._calm += 1
            return "ended" if self._calm * self._moment_s >= CALM_S else ""
        self._calm = 0
        self._abnormal += 1
        self._last = judged.span
        if judged.rate < self._rate:
            self._rate, self._detector = judged.rate, judged.detector
        before = self._deviations.get(judged.detector, judged.deviations)
        self._deviations[judged.detector] = np.maximum(before, judged.deviations)
        confirmed = self.phase == "begun" and self._abnormal * self._moment_s >= CONFIRMED_S
        persists = self.phase == "confirmed" and self._age * self._moment_s >= PERSISTS_S
        if not (confirmed or persists):
            return ""
        self.phase = "confirmed" if confirmed else "persisting"
        return self.phase

    def report(self, joints: Sequence[str], phase: str, cluster: int) -> Anomaly:
        """The anomaly as it stands; `cluster` is the nearest known behaviour."""
        deviations = self._deviations[self._detector]
        order = [int(j) for j in np.argsort(-deviations, kind="stable")[:TOP] if np.isfinite(deviations[j])]
        # where none is beyond its normal, as of a stillness that is just too long, the worst
        top = [j for j in order if deviations[j] > 0] or order[:1]
        return Anomaly(
            self.number,
            phase != "ended",
            self._first.start_seq,
            self._last.end_seq,
            self._first.start_us,
            self._last.end_us,
            self.kind.value,
            self._detector,
            phase,
            as_rate(self._rate),
            tuple(joints[j] for j in top),
            tuple(max(0.0, float(np.float32(deviations[j]))) for j in top),
            cluster,
        )

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "number": self.number,
            "kind": self.kind.value,
            "first": list(astuple(self._first)),
            "last": list(astuple(self._last)),
            "rate": self._rate,
            "detector": self._detector,
            "deviations": {detector: own.copy() for detector, own in self._deviations.items()},
            "peaks": self.peaks.copy(),
            "counts": [self._abnormal, self._age, self._calm],
            "phase": self.phase,
        }

    @classmethod
    def of(cls, state: State, moment_s: float) -> "OpenAlarm":
        """The one that `state` was taken of."""
        deviations = {detector: own.copy() for detector, own in state["deviations"].items()}
        arrays = deviations[state["detector"]], state["peaks"].copy()
        judged = Judged(Span(*state["last"]), state["rate"], state["detector"], *arrays)
        alarm = cls(state["number"], Kind(state["kind"]), moment_s, judged)
        alarm._go_on(Span(*state["first"]), deviations, state["counts"], state["phase"])
        return alarm

    def _go_on(self, first: Span, deviations: dict[str, Array], counts: Sequence[int], phase: str) -> None:
        self._first, self._deviations, self.phase = first, deviations, phase
        self._abnormal, self._age, self._calm = counts
