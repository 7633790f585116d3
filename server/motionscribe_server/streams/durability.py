"""What makes one stream durable: events are written before they are sent, checkpoints whenever they are due.

In: events, edits, how far the frames are computed, snapshots of the session. Out: requests for snapshots, rows in the
store (through journal.py). It decides when something is written. The stream decides what follows when it lost its rows
to another owner.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.errors import FencedError, StoreError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import PlacedEdit
from motionscribe_server.storage.checkpoints import Checkpoint
from motionscribe_server.storage.store import Store
from motionscribe_server.streams.event_backlog import EventBacklog
from motionscribe_server.streams.frame_flow import Position
from motionscribe_server.streams.journal import Extent, Journal
from motionscribe_server.streams.kept_edits import KeptEdits

log = logging.getLogger(__name__)

CHECKPOINT_S = 5.0
"""Seconds between two checkpoints, of frames or of the clock: a client keeps them, a crash computes them again."""
CREDITS_SHARE = 4
"""A checkpoint is due as well when a quarter of all credits wait for it: the owner of a fast stream need not pause."""
RETRY_S = 1.0
"""Between two tries to write one that the store refuses."""
PATIENCE_S = 10.0
"""The longest wait for a checkpoint."""


class Durability:
    """Writes to `journal`. `request_snapshot` asks the session for a snapshot after all frames so far.

    `credits` is how many frames may wait for a checkpoint, `now` a clock in seconds.
    """

    def __init__(
        self,
        journal: Journal,
        request_snapshot: Callable[[], None],
        credits: int,
        metrics: Metrics,
        now: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._request_snapshot = request_snapshot
        self._due_frames = min(CHECKPOINT_S * journal.newest.rate_hz, credits / CREDITS_SHARE)
        self._metrics = metrics
        self._now = now
        self._is_writing = False  # from the request for a snapshot until it is written
        self._not_before = now()
        self._looked_at = now()
        self._waiting_since: float | None = None  # when the first frame was computed that is in no checkpoint
        self._asked: list[asyncio.Future[None]] = []

    @property
    def newest(self) -> Checkpoint:
        """The newest checkpoint, without its snapshot."""
        return self._journal.newest

    @property
    def position(self) -> Position:
        """Frames before it are in the newest checkpoint."""
        return Position(self.newest.next_seq, self.newest.last_us)

    @property
    def edits(self) -> KeptEdits:
        """Those that are not in the newest checkpoint."""
        return self._journal.edits

    async def claim(self) -> int:
        """Fences every other owner, here and elsewhere; returns the epoch from now on. Raises FencedError."""
        return await self._journal.claim()

    def note(self, first: int, events: Sequence[pb.Event]) -> None:
        """Events numbered from `first` on, to be written with the next flush."""
        self._journal.note(first, events)

    def note_edits(self, edits: Sequence[PlacedEdit]) -> None:
        """Edits that the session made, to be written with the next flush."""
        self._journal.note_edits(edits)

    async def read_deferred(self) -> None:
        """Finds edits that were answered elsewhere. Where the store cannot be read, they are found later."""
        self._looked_at = self._now()
        try:
            await self._journal.read_deferred()
        except StoreError:
            log.exception("edits of %s are not read", self.newest.name)
            self._metrics.store_failures.inc()

    @property
    def look_is_due(self) -> bool:
        """Checkpoints tell of deferred edits; of a stream without frames there are none."""
        return self._now() - self._looked_at >= CHECKPOINT_S

    def drop_edit(self, ticket: int) -> None:
        """A deferred edit cannot be made."""
        self._journal.drop_edit(ticket)

    async def as_owner(self, work: Callable[[Store, int], None]) -> None:
        """Has `work` done with the store and the owner's epoch. Raises what `work` raises."""
        await self._journal.as_owner(work)

    async def flush(self) -> None:
        """Returns when everything that was noted is written. Raises FencedError, UnavailableError."""
        try:
            await self._journal.flush()
        except StoreError as error:
            log.exception("events of %s are not written", self.newest.name)
            self._metrics.store_failures.inc()
            raise UnavailableError("the server's store cannot be written: reconnect later") from error

    def request_if_due(self, computed: Position) -> None:
        """Requests a snapshot where enough frames or seconds passed since the newest checkpoint."""
        frames = computed.next_seq - self.position.next_seq
        if frames <= 0:
            return
        if self._waiting_since is None:
            self._waiting_since = self._now()
        is_due = frames >= self._due_frames or self._now() - self._waiting_since >= CHECKPOINT_S
        if is_due and self._now() >= self._not_before:
            self._request()

    async def checkpoint(self, received: Position) -> None:
        """Returns when all frames before `received` are kept. Raises FencedError, UnavailableError after PATIENCE_S."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self._journal.is_whole or self.position.next_seq < received.next_seq:
                    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._asked.append(written)
                    self._request()
                    await written
        except TimeoutError:
            raise UnavailableError(f"expected a checkpoint within {PATIENCE_S:g} s, got none") from None

    async def write(self, snapshot: bytes | None, extent: Extent, acknowledged: int, refusal: str = "") -> None:
        """Tries to write a checkpoint; without a snapshot it is the last one. Raises FencedError."""
        error: Exception | None = None
        try:
            await self._journal.keep(snapshot, extent, acknowledged, refusal)
        except FencedError as failure:
            error = failure
            raise
        except StoreError as failure:
            log.exception("a checkpoint of %s is not kept", self.newest.name)
            self._metrics.store_failures.inc()
            error = UnavailableError("the server's store cannot be written: reconnect later")
            error.__cause__ = failure
            self._not_before = self._now() + RETRY_S
        else:
            if self._waiting_since is not None:
                self._metrics.checkpoint_delay.observe(self._now() - self._waiting_since)
            self._waiting_since = None
            self._looked_at = self._now()
        finally:
            self.end_waits(error)

    def end_waits(self, error: Exception | None) -> None:
        """Whoever waits for a checkpoint looks again, or is told why there will be none."""
        self._is_writing = False
        asked, self._asked = self._asked, []
        for written in asked:
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

    def _request(self) -> None:
        if not self._is_writing:
            self._is_writing = True
            self._request_snapshot()


@dataclass(frozen=True)
class History:
    """What a durable stream goes on from."""

    durability: Durability
    backlog: EventBacklog
