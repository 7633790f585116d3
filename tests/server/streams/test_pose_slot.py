"""When poses fall due, by a clock that the test moves."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

import pytest

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.streams.pose_slot import PERIOD_S, PoseSlot

LATE_S = 0.002
"""How late a busy loop calls."""


class Clock:
    """The part of an event loop that a slot needs."""

    def __init__(self) -> None:
        self.now = 100.0
        self._calls: list[tuple[float, int, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._calls, (max(when, self.now) + LATE_S, len(self._calls), call))

    def run_until(self, end: float) -> None:
        while self._calls and self._calls[0][0] <= end:
            self.now, _, call = heapq.heappop(self._calls)
            call()
        self.now = end


@pytest.mark.parametrize(("rate_hz", "written_hz"), [(10, 10), (30, 30), (60, 33), (120, 33)])
def test_thirty_poses_a_second_are_written_where_the_source_has_as_many(
    monkeypatch: pytest.MonkeyPatch, rate_hz: float, written_hz: float
) -> None:
    clock = Clock()
    written: list[tuple[float, int]] = []

    def write() -> None:
        poses = slot.take()
        assert poses
        written.append((clock.now, poses.first_seq))

    slot = PoseSlot(write)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    for seq in range(1, 1201):
        slot.put(pb.Poses(first_seq=seq))
        clock.run_until(100.0 + seq / rate_hz)
    assert len(written) == pytest.approx(1200 * written_hz / rate_hz, abs=2)
    assert all(later > earlier for (_, earlier), (_, later) in itertools.pairwise(written))
    for (start, _), (end, _) in zip(written, written[30:], strict=False):
        assert end - start >= 29 * PERIOD_S - LATE_S  # no more a second, but for one that came early


def test_a_pause_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    times: list[float] = []

    def write() -> None:
        slot.take()
        times.append(clock.now)

    slot = PoseSlot(write)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    for seq in range(1, 301):
        slot.put(pb.Poses(first_seq=seq))
        clock.run_until(clock.now + (10.0 if seq == 100 else PERIOD_S / 10))
    assert len([at for at in times if at > 110.0]) <= 200 / 10 + 2
