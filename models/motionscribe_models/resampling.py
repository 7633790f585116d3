"""Places the points of an even time grid between frames that have times of their own, as the frames arrive.

In: times in integer microseconds, strictly increasing. Out: for each grid point, the frame it follows and how far it is
on its way to the next one. Frames that already lie on the grid are taken as they are. It does not know gaps: after one
the session starts a new Resampler.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from motionscribe_models.state import State

EARLY = 0.01
"""Share of a grid period by which a frame may be early and still count as on the grid. Senders round times; a point
that waited for the next frame would delay its label by a frame, or by a whole block of frames."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Grid points between the frames of one push, in order."""

    times_us: list[int]
    left: list[int]
    """Index in this push of the frame at or before the point; -1 is the last frame of the push before."""
    share: list[float]
    """Share of the way to the next frame; 0 where a frame lies on the point."""


class Resampler:
    """A grid that begins at the first frame and has `rate_hz` points a second."""

    def __init__(self, rate_hz: float) -> None:
        self._period_us = 1e6 / rate_hz
        self._early_us = int(EARLY * self._period_us)
        self._origin_us = 0
        self._next = 0
        self._last_us: int | None = None

    def push(self, times_us: Sequence[int]) -> Placement:
        """Grid points up to the newest frame; also a point just after it (EARLY)."""
        placement = Placement([], [], [])
        before = self._last_us
        for row, time_us in enumerate(times_us):
            if before is None:
                self._origin_us = before = time_us
            while (point_us := self._origin_us + round(self._next * self._period_us)) <= time_us + self._early_us:
                self._next += 1
                met = time_us <= point_us
                placement.times_us.append(point_us)
                placement.left.append(row if met else row - 1)
                placement.share.append(0.0 if met else (point_us - before) / (time_us - before))
            before = time_us
        self._last_us = before
        return placement

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"origin_us": self._origin_us, "next": self._next, "last_us": self._last_us}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._origin_us, self._next, self._last_us = state["origin_us"], state["next"], state["last_us"]
