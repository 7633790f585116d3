"""What the intake hands on: frames on the model's grid (Arrival) and gaps (Break); and frames that wait in it (Piece).

Values without behaviour, except that those that may have to be stored go into a State and come back.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.state import State
from motionscribe_proto.events import Degraded, Gap
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.span import Span
from motionscribe_server.session.steps import Step
from motionscribe_server.session.unseen import degraded_of, degraded_state


@dataclass(frozen=True, slots=True)
class MomentSource:
    """The source frames of a moment."""

    span: Span
    """`end_us` is the next frame's expected time."""
    sensed: Sensed
    """What their sensors said."""

    def followed_by(self, other: "MomentSource") -> "MomentSource":
        """Both as one."""
        span = Span(self.span.start_seq, other.span.end_seq, self.span.start_us, other.span.end_us)
        return MomentSource(span, self.sensed.followed_by(other.sensed))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame on the model's grid."""

    step: Step
    source: MomentSource | None
    """The source frames of the moment that it completes."""
    degraded: Sequence[Degraded]
    """What is told before it."""


@dataclass(frozen=True, slots=True)
class Break:
    """Time is missing: nothing before it belongs to the same window as anything after it."""

    gap: Gap
    tail: Span | None
    """Frames before the gap that no moment covers."""
    restart_seq: int
    degraded: list[Degraded]
    """What is told before it."""

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        tail = None if self.tail is None else list(astuple(self.tail))
        told = [degraded_state(event) for event in self.degraded]
        return {"gap": list(astuple(self.gap)), "tail": tail, "restart_seq": self.restart_seq, "degraded": told}

    @classmethod
    def of(cls, state: State) -> "Break":
        """The one that `state` was taken of."""
        tail = None if state["tail"] is None else Span(*state["tail"])
        told = [degraded_of(event) for event in state["degraded"]]
        return cls(Gap(*state["gap"]), tail, state["restart_seq"], told)


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames of one block without a gap, placed on the grid."""

    values: NDArray[np.float32]
    """(K, D)"""
    left: list[int]
    """For each grid point the row of the frame that it follows, -1 for the frame before the piece."""
    share: list[float]
    """For each grid point its share of the way to the next frame."""
    first_index: int
    """Index of the first grid point, counted from the last restart."""
    sources: list[MomentSource | None]
    """For each grid point, as in Arrival."""
    degraded: list[Degraded]
    """What is told before the first grid point."""

    @property
    def points(self) -> int:
        """Number of grid points."""
        return len(self.left)

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "values": self.values,
            "left": self.left,
            "share": self.share,
            "first_index": self.first_index,
            "moments": [None if source is None else list(astuple(source.span)) for source in self.sources],
            "sensed": [None if source is None else source.sensed.state() for source in self.sources],
            "degraded": [degraded_state(event) for event in self.degraded],
        }

    @classmethod
    def of(cls, state: State) -> "Piece":
        """The one that `state` was taken of."""
        sources = [
            None if span is None else MomentSource(Span(*span), Sensed(**sensed))
            for span, sensed in zip(state["moments"], state["sensed"], strict=True)
        ]
        told = [degraded_of(event) for event in state["degraded"]]
        return cls(state["values"], state["left"], state["share"], state["first_index"], sources, told)
