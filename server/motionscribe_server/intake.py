"""The door through which frames come in: checked, put on the model's time grid, and cut at gaps.

In: FrameBlocks. Out, in order: an Arrival for each frame on the grid, a Break where time is missing. A block that is
refused changes nothing. It knows what a frame is, but not what it means.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_models.resampling import Resampler
from motionscribe_proto.codec import FrameBlock
from motionscribe_proto.events import Gap
from motionscribe_server.model import ServedModel
from motionscribe_server.span import Span
from motionscribe_server.window import Step, step_of

SHORTEST_GAP_S = 0.25
"""Missing frames of less time than this are bridged by interpolation: a motion hardly changes course faster."""
GAP_PERIODS = 2.5
"""Unless the sender or the model is so slow that this many of its periods last longer."""
FARTHEST = 2**62
"""Seqs and times stay below it, so that their differences and the ends of their spans fit int64."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame on the model's grid."""

    step: Step
    moment: Span | None
    """The source frames of the moment that it completes; `end_us` is the next frame's expected time."""


@dataclass(frozen=True, slots=True)
class Break:
    """Time is missing: nothing before it belongs to the same window as anything after it."""

    gap: Gap
    tail: Span | None
    """Frames before the gap that no moment covers."""
    restart_seq: int


class Intake:
    """Where a stream is: next seq, last time, and the grid."""

    def __init__(self, model: ServedModel, rate_hz: float) -> None:
        """`rate_hz` is the sender's nominal rate. Raises LayoutError where a moment would see no frame."""
        manifest = model.manifest
        self._rate_hz = rate_hz or manifest.skeleton.rate_hz
        if not self._rate_hz >= manifest.rate_hz / manifest.stride:
            raise LayoutError(
                f"expected a rate of at least {manifest.rate_hz / manifest.stride:g} Hz, got {self._rate_hz:g}"
            )
        self._model = model
        self._period_us = round(1e6 / self._rate_hz)
        slowest = min(self._rate_hz, manifest.rate_hz)
        self._longest_us = round(1e6 * max(SHORTEST_GAP_S, GAP_PERIODS / slowest))
        self.next_seq = 1
        self._last_us: int | None = None
        self._restart()

    @property
    def last_us(self) -> int:
        """Time of the newest frame, 0 before the first."""
        return self._last_us or 0

    def push(self, block: FrameBlock) -> list[Arrival | Break]:
        """What a block brings. Raises LayoutError, and then it brings nothing."""
        steps = self._check(block)
        times, poses = block.timestamps_us, self._model.feature_map.pose(block.values)
        seqs = block.first_seq + np.arange(len(times))
        if self._last_us is None:
            self.next_seq = block.first_seq
        missing = steps > self._longest_us
        starts = sorted({0, *np.flatnonzero(missing).tolist()})
        arrived: list[Arrival | Break] = []
        for start, end in zip(starts, [*starts[1:], len(times)], strict=True):
            if missing[start]:
                arrived.append(self._break(int(seqs[start]), int(times[start])))
            arrived += self._piece(seqs[start:end], times[start:end], poses[start:end])
        return arrived

    def tail(self) -> Span | None:
        """Frames since the last moment, for a stream that ends here."""
        if self._open is None or self._last_us is None:
            return None
        return Span(self._open[0], self.next_seq, self._open[1], self._last_us + self._period_us)

    def _check(self, block: FrameBlock) -> NDArray[np.int64]:
        """Time (K,) since the frame before each; 1 us where there is none."""
        if not np.isfinite(block.values).all():
            row, column = np.argwhere(~np.isfinite(block.values))[0]
            columns = self._model.manifest.skeleton.columns
            name = columns[column] if column < len(columns) else f"column {column + 1}"
            raise LayoutError(
                f"expected finite values, got {block.values[row, column]} in {name} of frame {block.first_seq + row}"
            )
        if block.first_seq < self.next_seq:
            raise LayoutError(f"expected seq {self.next_seq} or later, got {block.first_seq}")
        times = block.timestamps_us
        if block.first_seq + len(times) > FARTHEST or times.min() <= -FARTHEST or times.max() >= FARTHEST:
            raise LayoutError(
                f"expected seq and times within 2**62, got seq {block.first_seq} "
                f"and times of {times.min()} to {times.max()} us"
            )
        steps = np.diff(times, prepend=times[0] - 1 if self._last_us is None else self._last_us)
        if (steps <= 0).any():
            row = int(np.flatnonzero(steps <= 0)[0])
            last = times[row - 1] if row else self._last_us
            raise LayoutError(
                f"expected times that increase, got {times[row]} us after {last} us at frame {block.first_seq + row}"
            )
        return steps

    def _restart(self) -> None:
        self._resampler = Resampler(self._model.manifest.rate_hz)
        self._previous: NDArray[np.float64] | None = None
        self._index = 0
        self._open: tuple[int, int] | None = None

    def _break(self, seq: int, time_us: int) -> Break:
        assert self._last_us is not None  # a gap has two ends
        gap = Gap(self.next_seq, seq, self._last_us + self._period_us, time_us)
        broken = Break(gap, self.tail(), seq)
        self._restart()
        self.next_seq = seq
        return broken

    def _piece(
        self, seqs: NDArray[np.int64], times: NDArray[np.int64], poses: NDArray[np.float64]
    ) -> list[Arrival | Break]:
        """Frames without a gap."""
        manifest = self._model.manifest
        _, grid, left = self._resampler.push(times, poses)
        arrived: list[Arrival | Break] = []
        uncovered = 0  # row of the first frame that no moment covers yet
        # frames that were lost just before, too few for a gap, count with the frame that follows them
        firsts = [self.next_seq, *seqs[1:].tolist()]
        if self._open is None:
            self._open = firsts[0], int(times[0])
        if len(grid):
            features = self._model.feature_map.features(grid, self._previous, 1.0 / manifest.rate_hz)
            self._previous = grid[-1]
            for row, last in zip(features, left.tolist(), strict=True):
                step = step_of(row, self._index, manifest.window, manifest.stride)
                self._index += 1
                moment = None
                if step.decode_slot >= 0 and self._open is not None:
                    moment = self._moment(seqs, times, last)
                    uncovered = last + 1
                    more = uncovered < len(seqs)
                    self._open = (firsts[uncovered], int(times[uncovered])) if more else None
                arrived.append(Arrival(step, moment))
        self.next_seq, self._last_us = int(seqs[-1]) + 1, int(times[-1])
        return arrived

    def _moment(self, seqs: NDArray[np.int64], times: NDArray[np.int64], last: int) -> Span | None:
        """From the first uncovered frame to row `last`, -1 for the frame before this piece; None for no frame."""
        assert self._open is not None
        seq, time = (self.next_seq - 1, self._last_us) if last < 0 else (int(seqs[last]), int(times[last]))
        if time is None or seq < self._open[0]:
            return None
        return Span(self._open[0], seq + 1, self._open[1], time + self._period_us)
