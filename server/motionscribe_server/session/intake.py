"""The door through which frames come in: put on the model's time grid, and cut at gaps.

In: FrameBlocks. Out, in order: an Arrival for each frame on the grid, a Break where time is missing. A block that is
refused changes nothing. What only times decide is done at once; features of what waits are computed for many streams
together, since a few rows cost as much as one. It knows what a frame is, but not what it means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_models.resampling import Placement, Resampler
from motionscribe_proto.events import Gap
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.frame_checks import check
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.span import Span
from motionscribe_server.session.steps import Step, step_of

SHORTEST_GAP_S = 0.25
"""Missing frames of less time than this are bridged by interpolation: a motion hardly changes course faster."""
GAP_PERIODS = 2.5
"""Unless the sender or the model is so slow that this many of its periods last longer."""


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


@dataclass(frozen=True, slots=True)
class _Piece:
    """Frames of one block without a gap, placed on the grid."""

    values: NDArray[np.float32]
    """(K, D)"""
    placed: Placement
    first_index: int
    """Of the first grid point."""
    moments: list[Span | None]
    """Of each grid point, as in Arrival."""


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
        self.model = model
        self._period_us = round(1e6 / self._rate_hz)
        slowest = min(self._rate_hz, manifest.rate_hz)
        self._longest_us = round(1e6 * max(SHORTEST_GAP_S, GAP_PERIODS / slowest))
        self.next_seq = 1
        self._last_us: int | None = None
        self._waiting: list[_Piece | Break] = []
        # of what is computed: the last frame (1, D), and the last pose on the grid (1, Q), None after a restart
        self._last_frame: NDArray[np.float32] | None = None
        self._last_pose: NDArray[np.float64] | None = None
        self._restart()

    @property
    def last_us(self) -> int:
        """Time of the newest frame, 0 before the first."""
        return self._last_us or 0

    def push(self, block: FrameBlock) -> tuple[int, int]:
        """Takes a block; returns how many frames on the grid it makes, and how many windows these complete.

        Raises LayoutError, and then it brings nothing.
        """
        times = block.timestamps_us.tolist()
        check(block, self.model, self.next_seq, self._last_us)
        if self._last_us is None:
            self.next_seq = block.first_seq
            gaps = []
        else:
            gaps = [0] if times[0] - self._last_us > self._longest_us else []
        gaps += [row for row, (one, next) in enumerate(pairwise(times), 1) if next - one > self._longest_us]
        points = windows = 0
        for start, end in pairwise(sorted({0, *gaps, len(times)})):
            if start in gaps:
                self._break(block.first_seq + start, times[start])
            more, complete = self._piece(block.first_seq + start, times[start:end], block.values[start:end])
            points, windows = points + more, windows + complete
        return points, windows

    def tail(self) -> Span | None:
        """Frames since the last moment, for a stream that ends here."""
        if self._open is None or self._last_us is None:
            return None
        return Span(self._open[0], self.next_seq, self._open[1], self._last_us + self._period_us)

    def _restart(self) -> None:
        self._resampler = Resampler(self.model.manifest.rate_hz)
        self._index = 0
        self._open: tuple[int, int] | None = None

    def _break(self, seq: int, time_us: int) -> None:
        assert self._last_us is not None  # a gap has two ends
        gap = Gap(self.next_seq, seq, self._last_us + self._period_us, time_us)
        self._waiting.append(Break(gap, self.tail(), seq))
        self._restart()
        self.next_seq = seq

    def _piece(self, first_seq: int, times: list[int], values: NDArray[np.float32]) -> tuple[int, int]:
        """Frames without a gap; returns how many grid points and complete windows they bring."""
        stride, before = self.model.manifest.stride, self._index
        placed = self._resampler.push(times)
        piece = _Piece(values, placed, self._index, [])
        # frames that were lost just before, too few for a gap, count with the frame that follows them
        if self._open is None:
            self._open = self.next_seq, times[0]
        for left in placed.left:
            self._index += 1
            moment = None
            if self._index % stride == 0 and self._open is not None:
                moment = self._moment(first_seq, times, left)
                uncovered = left + 1  # row of the first frame that no moment covers yet
                if uncovered == 0:
                    self._open = self.next_seq, times[0]
                elif uncovered < len(times):
                    self._open = first_seq + uncovered, times[uncovered]
                else:
                    self._open = None
            piece.moments.append(moment)
        self.next_seq, self._last_us = first_seq + len(times), times[-1]
        self._waiting.append(piece)
        return len(placed.left), self._index // stride - before // stride

    def _moment(self, first_seq: int, times: list[int], last: int) -> Span | None:
        """From the first uncovered frame to row `last`, -1 for the frame before this piece; None for no frame."""
        assert self._open is not None
        seq, time = (self.next_seq - 1, self._last_us) if last < 0 else (first_seq + last, times[last])
        if time is None or seq < self._open[0]:
            return None
        return Span(self._open[0], seq + 1, self._open[1], time + self._period_us)


def arrivals(intakes: Sequence[Intake]) -> list[list[Arrival | Break]]:
    """What was pushed into intakes of one model since the last call. No bit of it depends on who else is there."""
    manifest, feature_map = intakes[0].model.manifest, intakes[0].model.feature_map
    waiting = [intake._waiting for intake in intakes]
    frames: list[NDArray[np.float32]] = []
    left: list[int] = []
    share: list[float] = []
    rows = 0
    for intake, items in zip(intakes, waiting, strict=True):
        intake._waiting = []
        for item in items:
            if isinstance(item, Break):
                intake._last_frame = None
                continue
            if intake._last_frame is not None:
                frames.append(intake._last_frame)
                rows += 1
            frames.append(item.values)
            left += [rows + row for row in item.placed.left]
            share += item.placed.share
            rows += len(item.values)
            intake._last_frame = item.values[-1:].copy()  # not a view, which would keep the whole block
    if not left:
        return [[item for item in items if isinstance(item, Break)] for items in waiting]
    poses = feature_map.poses_at(np.concatenate(frames), left, share)
    before: list[NDArray[np.float64]] = []
    at = 0
    for intake, items in zip(intakes, waiting, strict=True):
        for item in items:
            if isinstance(item, Break):
                intake._last_pose = None
            elif item.moments:
                beyond = at + len(item.moments)
                before += [
                    poses[at : at + 1] if intake._last_pose is None else intake._last_pose,
                    poses[at : beyond - 1],
                ]
                intake._last_pose = poses[beyond - 1 : beyond].copy()
                at = beyond
    features = iter(feature_map.features(poses, np.concatenate(before), 1.0 / manifest.rate_hz))
    arrived: list[list[Arrival | Break]] = []
    for items in waiting:
        arrived.append([])
        for item in items:
            if isinstance(item, Break):
                arrived[-1].append(item)
                continue
            for index, moment in enumerate(item.moments, item.first_index):
                step = step_of(next(features), index, manifest.window, manifest.stride)
                arrived[-1].append(Arrival(step, moment))
    return arrived
