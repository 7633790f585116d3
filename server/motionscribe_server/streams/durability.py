"""What makes one stream durable: events are written before they are sent, checkpoints whenever they are due.

In: events, how far the frames are computed, snapshots of the session. Out: requests for snapshots, rows in the store
(journal.py); whoever waits for a checkpoint goes on. It decides when something is written; what a lost stream means is
decided by its caller.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from motionscribe_proto.events import Event
from motionscribe_server.errors import StoreError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.streams.frame_flow import Position
from motionscribe_server.streams.journal import Journal

log = logging.getLogger(__name__)

CHECKPOINT_S = 5.0
"""Seconds of frames between two checkpoints: a client keeps so many, and a crash has so many computed again."""
PATIENCE_S = 10.0
"""How long anybody waits for a checkpoint."""


class Durability:
    """Decides when a stream is written. `request_snapshot` asks its session for a snapshot of all frames so far."""

    def __init__(self, journal: Journal, request_snapshot: Callable[[], None], metrics: Metrics) -> None:
        self._journal = journal
        self._request_snapshot = request_snapshot
        self._metrics = metrics
        self._is_requested = False
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def position(self) -> Position:
        """Frames before it are in the newest checkpoint."""
        return Position(self._journal.newest.next_seq, self._journal.newest.last_us)

    async def claim(self) -> int:
        """Fences every other owner, here and elsewhere; returns the epoch from now on. Raises FencedError."""
        return await self._journal.claim()

    def note(self, first: int, events: Sequence[Event]) -> None:
        """Events numbered from `first` on, to be written with the next flush."""
        self._journal.note(first, events)

    async def flush(self) -> None:
        """Returns when all events that were noted are written. Raises FencedError, UnavailableError."""
        try:
            await self._journal.flush()
        except StoreError as error:
            log.exception("events of %s are not written", self._journal.newest.name)
            self._metrics.store_failures.inc()
            raise UnavailableError("the server's store cannot be written: reconnect later") from error

    def request_if_due(self, computed: Position) -> None:
        """Requests a snapshot where enough frames were computed since the newest checkpoint."""
        if computed.next_seq - self.position.next_seq >= CHECKPOINT_S * self._journal.newest.rate_hz:
            self._request()

    async def checkpoint(self) -> None:
        """Returns when all frames so far are kept, or after PATIENCE_S."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(written)
        self._request()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(written, PATIENCE_S)

    def snapshot_came(self) -> None:
        """What was requested is there; the next one may be requested."""
        self._is_requested = False

    async def write(self, snapshot: bytes | None, at: Position, last_event: int, acknowledged: int) -> None:
        """Tries to write a checkpoint; without a snapshot it is the last one. Raises FencedError."""
        try:
            await self._journal.keep(snapshot, at.next_seq, at.last_us, last_event, acknowledged, snapshot is None)
        except StoreError:
            log.exception("a checkpoint of %s is not kept", self._journal.newest.name)
            self._metrics.store_failures.inc()
        finally:
            waiting, self._waiting = self._waiting, []
            for written in waiting:
                if not written.done():
                    written.set_result(None)

    def _request(self) -> None:
        if not self._is_requested:
            self._is_requested = True
            self._request_snapshot()
