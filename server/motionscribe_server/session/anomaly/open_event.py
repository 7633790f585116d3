"""An anomaly while it lasts: where it began, where it was last above the threshold, and what it summed up.

In: scored moments. Out: the Anomaly event that tells of it. When one begins and ends is the detector's business.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.state import State
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.span import Span

TOP = 5
"""Joints that an event names."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredMoment:
    """One moment with its score."""

    span: Span
    score: float
    relative: float
    """The score over the threshold."""
    by_joint: NDArray[np.float64]
    """(J,) forecast error, summed over the features of each joint."""

    def state(self) -> State:
        """As plain values and arrays; `moment_from` reads it."""
        return {
            "span": list(astuple(self.span)),
            "score": self.score,
            "relative": self.relative,
            "by_joint": self.by_joint.copy(),
        }


def moment_from(state: State) -> ScoredMoment:
    """The moment that gave `state`."""
    return ScoredMoment(Span(*state["span"]), state["score"], state["relative"], state["by_joint"].copy())


class OpenEvent:
    """An event that has begun and not ended."""

    def __init__(self, number: int, start: Span, joints: int) -> None:
        self.number = number
        self.start = self.last = start
        self.age = 0
        """Moments since it was reported."""
        self.below = 0
        """Moments since it was last above."""
        self.score = 0.0
        """Largest score over the threshold."""
        self.by_joint = np.zeros(joints)

    def add(self, moment: ScoredMoment) -> None:
        """Takes a moment that belongs to it."""
        self.last = moment.span
        self.below = 0
        self.score = max(self.score, moment.relative)
        self.by_joint = self.by_joint + moment.by_joint

    def report(self, joints: Sequence[str], ongoing: bool) -> Anomaly:
        """The event as it stands, with the joints that carry most of the forecast error."""
        total = self.by_joint.sum()
        top = [int(j) for j in np.argsort(-self.by_joint, kind="stable")[:TOP] if self.by_joint[j] > 0]
        return Anomaly(
            self.number,
            ongoing,
            self.start.start_seq,
            self.last.end_seq,
            self.start.start_us,
            self.last.end_us,
            float(np.float32(self.score)),  # at the precision of the wire
            tuple(joints[j] for j in top),
            tuple(float(np.float32(self.by_joint[j] / total)) for j in top),
        )

    def state(self) -> State:
        """As plain values and arrays; `event_from` reads it."""
        return {
            "number": self.number,
            "start": list(astuple(self.start)),
            "last": list(astuple(self.last)),
            "age": self.age,
            "below": self.below,
            "score": self.score,
            "by_joint": self.by_joint.copy(),
        }


def event_from(state: State) -> OpenEvent:
    """The event that gave `state`."""
    event = OpenEvent(state["number"], Span(*state["start"]), len(state["by_joint"]))
    event.last = Span(*state["last"])
    event.age, event.below, event.score = state["age"], state["below"], state["score"]
    event.by_joint = state["by_joint"].copy()
    return event
