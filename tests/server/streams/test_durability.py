"""When a durable stream asks for a snapshot: by frames, by the clock, and not again and again while the store fails."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.server.storage.test_checkpoints import FIRST

from motionscribe_server.errors import StoreError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.checkpoints import KeptStream
from motionscribe_server.storage.sqlite_checkpoints import SqliteCheckpoints
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.streams.durability import CHECKPOINT_S, RETRY_S, Durability
from motionscribe_server.streams.frame_flow import Position
from motionscribe_server.streams.journal import Extent, Journal

CREDITS = 400


class Desk:
    """Durability of a stream of 30 Hz, with a clock that a test moves."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.requests = 0
        store = SqliteStore(folder / "store.sqlite")
        store.checkpoints.begin(FIRST)
        self.metrics = Metrics()
        journal = Journal(AsyncStore(store), KeptStream(replace(FIRST, rate_hz=30.0), (), (), ()))
        self.durability = Durability(journal, self._request, CREDITS, self.metrics, lambda: self.now)

    def _request(self) -> None:
        self.requests += 1

    def computed(self, frames: int) -> None:
        """Frames up to this one are computed."""
        self.durability.request_if_due(Position(frames + 1, frames))

    def write(self, frames: int) -> None:
        """The snapshot of these frames comes."""
        asyncio.run(self.durability.write(b"snapshot", Extent(Position(frames + 1, frames), 0, 0), 0))

    @property
    def delays(self) -> float:
        """Seconds that frames waited, of all checkpoints together."""
        value = self.metrics.registry.get_sample_value("motionscribe_checkpoint_delay_seconds_sum")
        assert value is not None
        return value


@contextmanager
def full_disk() -> Iterator[None]:
    """The store takes no checkpoint."""

    def refuse(*_: object) -> None:
        raise StoreError("disk full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteCheckpoints, "keep", refuse)
        yield


def test_frames_make_one_due_before_the_credits_are_used_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.computed(CREDITS // 4 - 1)
    assert desk.requests == 0
    desk.computed(CREDITS // 4)
    desk.computed(CREDITS // 2)
    assert desk.requests == 1, "one at a time"
    desk.now = 2.5
    desk.write(CREDITS // 4)
    assert desk.delays == 2.5
    desk.computed(CREDITS // 2)
    assert desk.requests == 2


def test_the_clock_makes_one_due_where_frames_come_slowly(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.computed(0)
    desk.now = 10 * CHECKPOINT_S
    desk.computed(0)
    assert desk.requests == 0, "there is nothing to keep"
    desk.computed(1)
    desk.now += CHECKPOINT_S
    desk.computed(1)
    assert desk.requests == 1


def test_a_store_that_fails_is_tried_again_after_a_while(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.computed(CREDITS)
    with full_disk():
        desk.write(CREDITS)
        desk.computed(CREDITS)
        assert desk.requests == 1
        desk.now += RETRY_S
        desk.computed(CREDITS)
        assert desk.requests == 2
    desk.write(CREDITS)
    assert desk.durability.position.next_seq == CREDITS + 1
    assert desk.metrics.registry.get_sample_value("motionscribe_store_failures_total") == 1


def test_whoever_waits_for_one_is_told_why_there_is_none(tmp_path: Path) -> None:
    async def run() -> None:
        desk = Desk(tmp_path)
        waiting = asyncio.create_task(desk.durability.checkpoint(Position(5, 4)))
        await asyncio.sleep(0)
        assert desk.requests == 1
        with full_disk():
            await desk.durability.write(b"snapshot", Extent(Position(5, 4), 0, 0), 0)
        with pytest.raises(UnavailableError, match="store cannot be written"):
            await waiting
        waiting = asyncio.create_task(desk.durability.checkpoint(Position(5, 4)))
        await asyncio.sleep(0)
        await desk.durability.write(b"snapshot", Extent(Position(3, 2), 0, 0), 0)
        await asyncio.sleep(0)
        assert not waiting.done(), "that one was of fewer frames"
        await desk.durability.write(b"snapshot", Extent(Position(5, 4), 0, 0), 0)
        await waiting

    asyncio.run(run())
