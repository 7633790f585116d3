"""The door through which frames come in: put on the model's time grid, and cut at gaps.

In: checked FrameBlocks. Out, in order: an Arrival for each frame on the grid, a Break where time is missing. What only
times decide is done at once; features of what waits are computed for many streams together, since a few rows cost as
much as one. It knows what a frame is, but not what it means.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.gaps import longest_step_us
from motionscribe_models.representations.base import NOTHING_BEFORE
from motionscribe_models.resampling import Resampler
from motionscribe_models.state import State
from motionscribe_proto.events import Degraded, Gap
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.anomaly.sensed import Sensors
from motionscribe_server.session.arrivals import Arrival, Break, MomentSource, Piece
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.span import Span
from motionscribe_server.session.steps import step_of
from motionscribe_server.session.unseen import UnseenJoints, degraded_of, degraded_state

Features = Iterator[NDArray[np.float32]]


class Intake:
    """Where a stream is: next seq, last time, and the grid."""

    def __init__(self, model: ServedModel, rate_hz: float) -> None:
        """`rate_hz` is the sender's nominal rate. Raises LayoutError where a moment would see no frame."""
        manifest = model.manifest
        rate_hz = rate_hz or manifest.skeleton.rate_hz
        if not rate_hz >= manifest.rate_hz / manifest.stride:
            raise LayoutError(f"expected a rate of at least {manifest.rate_hz / manifest.stride:g} Hz, got {rate_hz:g}")
        self._model = model
        self._period_us = round(1e6 / rate_hz)
        self._longest_us = longest_step_us(rate_hz, manifest.rate_hz)
        self._next_seq = 1
        self._last_us: int | None = None
        self._open: tuple[int, int] | None = None  # seq and time of the first frame that no moment covers
        self._waiting: list[Piece | Break] = []
        self._unseen = UnseenJoints(manifest.skeleton.joints)
        self._sensors = Sensors(model.feature_map, rate_hz, manifest.rate_hz)
        self._untold: list[Degraded] = []  # for the next of _waiting that has a grid point, or breaks
        # of what is computed: the last frame (1, D), None after a restart, and what features need of all before (m,)
        self._last_frame: NDArray[np.float32] | None = None
        self._memory = NOTHING_BEFORE
        self._restart()

    @property
    def next_seq(self) -> int:
        """Seq of the next frame, 1 before the first."""
        return self._next_seq

    @property
    def last_us(self) -> int | None:
        """Time of the newest frame, None before the first."""
        return self._last_us

    def push(self, block: CheckedBlock) -> tuple[int, int]:
        """Takes a block; returns how many frames on the grid it makes, and how many windows these complete.

        Frames that show nobody are as if they had not come.
        """
        shows = self._model.feature_map.representation.shows(block.values)
        if shows.all():
            return self._push(block)
        edges = np.flatnonzero(np.diff(shows, prepend=False, append=False))
        pushed = [self._push(block.rows(start, end)) for start, end in edges.reshape(-1, 2).tolist()]
        return sum(points for points, _ in pushed), sum(windows for _, windows in pushed)

    def _push(self, block: FrameBlock) -> tuple[int, int]:
        times = block.timestamps_us.tolist()
        if self._last_us is None:
            self._next_seq = block.first_seq
            gaps = []
        else:
            gaps = [0] if times[0] - self._last_us > self._longest_us else []
        gaps += [row for row, (one, next) in enumerate(pairwise(times), 1) if next - one > self._longest_us]
        points = windows = 0
        for start, end in pairwise(sorted({0, *gaps, len(times)})):
            if start in gaps:
                self._break(block.first_seq + start, times[start])
            more, complete = self._stretch(block.first_seq + start, times[start:end], block.values[start:end])
            points, windows = points + more, windows + complete
        return points, windows

    def end(self) -> list[Degraded]:
        """What is told at the end, for a stream that ends here."""
        last_us = 0 if self._last_us is None else self._last_us
        return self._take_untold() + self._unseen.end(self._next_seq, last_us + self._period_us)

    def tail(self) -> Span | None:
        """Frames since the last moment, for a stream that ends here."""
        if self._open is None or self._last_us is None:
            return None
        return Span(self._open[0], self._next_seq, self._open[1], self._last_us + self._period_us)

    @classmethod
    def take_arrivals_many(cls, intakes: Sequence["Intake"]) -> list[list[Arrival | Break]]:
        """What was pushed into intakes of one model since the last call."""
        first: Intake = intakes[0]
        manifest, feature_map = first._model.manifest, first._model.feature_map
        waiting = [cls._take_waiting(intake) for intake in intakes]
        frames: list[NDArray[np.float32]] = []
        left: list[int] = []
        share: list[float] = []
        rows = 0
        for intake, items in zip(intakes, waiting, strict=True):
            own, own_left, own_share = cls._frames_of(intake, items)
            frames += own
            left += [rows + row for row in own_left]
            share += own_share
            rows += sum(map(len, own))
        features: Features = iter(())
        if left:
            poses = feature_map.poses_at(np.concatenate(frames), left, share)
            runs = [cls._runs(intake, items) for intake, items in zip(intakes, waiting, strict=True)]
            ends = list(accumulate((points for own in runs for _, points in own), initial=0))
            moved, memories = feature_map.follow(
                [memory for own in runs for memory, _ in own],
                [poses[start:end] for start, end in pairwise(ends)],
                1.0 / manifest.rate_hz,
            )
            features, after = iter(moved), iter(memories)
            for intake, begun in zip(intakes, runs, strict=True):
                cls._remember(intake, [next(after) for _ in begun])
        return [cls._arrive(intake, items, features) for intake, items in zip(intakes, waiting, strict=True)]

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "next_seq": self._next_seq,
            "last_us": self._last_us,
            "waiting": [item.state() for item in self._waiting],
            "unseen": self._unseen.state(),
            "sensors": self._sensors.state(),
            "untold": [degraded_state(event) for event in self._untold],
            "last_frame": self._last_frame,
            "memory": self._memory,
            "resampler": self._resampler.state(),
            "index": self._index,
            "open": None if self._open is None else list(self._open),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._restart()
        self._next_seq, self._last_us = state["next_seq"], state["last_us"]
        self._waiting = [Break.of(item) if "gap" in item else Piece.of(item) for item in state["waiting"]]
        self._unseen.restore(state["unseen"])
        self._sensors.restore(state["sensors"])
        self._untold = [degraded_of(event) for event in state["untold"]]
        self._last_frame, self._memory = state["last_frame"], state["memory"]
        self._resampler.restore(state["resampler"])
        self._index = state["index"]
        self._open = None if state["open"] is None else (state["open"][0], state["open"][1])

    def _restart(self) -> None:
        self._resampler = Resampler(self._model.manifest.rate_hz)
        self._index = 0  # grid points since the restart
        self._open = None
        self._sensors.restart()

    def _break(self, seq: int, time_us: int) -> None:
        if self._last_us is None:
            raise ValueError("expected a gap between two frames, got one before the first")
        gap = Gap(self._next_seq, seq, self._last_us + self._period_us, time_us)
        told = self._take_untold() + self._unseen.end(gap.start_seq, gap.start_us)
        self._waiting.append(Break(gap, self.tail(), seq, told))
        self._restart()
        self._next_seq = seq

    def _stretch(self, first_seq: int, times: list[int], values: NDArray[np.float32]) -> tuple[int, int]:
        """Frames without a gap; returns how many grid points and complete windows they bring."""
        unseen = self._model.feature_map.representation.unseen(values, len(self._model.manifest.skeleton.joints))
        told = self._unseen.watch(first_seq, times, unseen)
        points = windows = 0
        for start, end in pairwise(sorted({0, *(row + 1 for row in told), len(times)})):
            more, complete = self._piece(first_seq + start, times[start:end], values[start:end])
            points, windows = points + more, windows + complete
            self._untold += told.get(end - 1, [])
        return points, windows

    def _piece(self, first_seq: int, times: list[int], values: NDArray[np.float32]) -> tuple[int, int]:
        """Those of a stretch up to one that tells something, or up to its end."""
        stride, before = self._model.manifest.stride, self._index
        placed = self._resampler.push(times)
        sources: list[MomentSource | None] = []
        start = -self._sensors.waiting  # row of the first frame that is in no moment
        self._sensors.push(values, times)
        # frames that were lost just before, too few for a gap, count with the frame that follows them
        if self._open is None:
            self._open = self._next_seq, times[0]
        for left in placed.left:
            self._index += 1
            source = None
            if self._index % stride == 0 and self._open is not None:
                span = self._moment(self._open, first_seq, times, left)
                if span is not None:
                    source, start = MomentSource(span, self._sensors.take(left + 1 - start)), left + 1
                uncovered = left + 1  # row of the first frame that no moment covers yet
                if uncovered == 0:
                    self._open = self._next_seq, times[0]
                elif uncovered < len(times):
                    self._open = first_seq + uncovered, times[uncovered]
                else:
                    self._open = None
            sources.append(source)
        self._next_seq, self._last_us = first_seq + len(times), times[-1]
        told = self._take_untold() if placed.left else []
        self._waiting.append(Piece(values, placed.left, placed.share, before, sources, told))
        return len(placed.left), self._index // stride - before // stride

    def _moment(self, start: tuple[int, int], first_seq: int, times: list[int], last: int) -> Span | None:
        """From the frame of seq and time `start` to row `last`, -1 for the one before this piece; None for no frame."""
        start_seq, start_us = start
        seq, time = (self._next_seq - 1, self._last_us) if last < 0 else (first_seq + last, times[last])
        if time is None or seq < start_seq:
            return None
        return Span(start_seq, seq + 1, start_us, time + self._period_us)

    def _take_untold(self) -> list[Degraded]:
        untold, self._untold = self._untold, []
        return untold

    def _take_waiting(self) -> list[Piece | Break]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _frames_of(self, items: Sequence[Piece | Break]) -> tuple[list[NDArray[np.float32]], list[int], list[float]]:
        """The frames that waiting items need; the row of these that each grid point follows; its share (resampling)."""
        frames: list[NDArray[np.float32]] = []
        left: list[int] = []
        share: list[float] = []
        rows = 0
        for item in items:
            if isinstance(item, Break):
                self._last_frame = None
                continue
            if self._last_frame is not None:
                frames.append(self._last_frame)
                rows += 1
            frames.append(item.values)
            left += [rows + row for row in item.left]
            share += item.share
            rows += len(item.values)
            self._last_frame = item.values[-1:].copy()  # not a view, which would keep the whole block
        return frames, left, share

    def _runs(self, items: Sequence[Piece | Break]) -> list[tuple[Array, int]]:
        """The points of waiting items between one gap and the next, where there are any, and the memory before each."""
        runs = [(self._memory, 0)]
        for item in items:
            memory, points = runs[-1]
            if isinstance(item, Piece):
                runs[-1] = memory, points + item.points
            else:
                runs.append((NOTHING_BEFORE, 0))  # the first frame after a gap is a point
        return [(memory, points) for memory, points in runs if points]

    def _remember(self, memories: Sequence[Array]) -> None:
        """Those after each run."""
        if memories:
            self._memory = memories[-1]

    def _arrive(self, items: Sequence[Piece | Break], features: Features) -> list[Arrival | Break]:
        manifest = self._model.manifest
        arrived: list[Arrival | Break] = []
        for item in items:
            if isinstance(item, Break):
                arrived.append(item)
                continue
            for index, source in enumerate(item.sources, item.first_index):
                step = step_of(next(features), index, manifest.forgets_after, manifest.stride)
                arrived.append(Arrival(step, source, item.degraded if index == item.first_index else ()))
        return arrived
