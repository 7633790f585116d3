"""One stream id while it is live or retained: the frames on their way to its session, who owns it and who watches.

In: decoded requests of the owner's call and answers of the worker that has the session. Out: numbered events into the
writers of owner and watchers. It outlives connections; the registry decides when it goes. No gRPC here, and no clock:
`last_message_at` and `left` are set by those who have one.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterCreated, ClusterMerged, Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer
from motionscribe_server.errors import (
    ExhaustedError,
    FencedError,
    PreconditionError,
    StoreError,
    UnavailableError,
)
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.frame_checks import check
from motionscribe_server.session.options import Lag
from motionscribe_server.stream_keys import id_of
from motionscribe_server.streams.catalog import LoadedModel
from motionscribe_server.streams.event_backlog import EventBacklog
from motionscribe_server.streams.journal import Journal
from motionscribe_server.streams.update_writer import Progress, UpdateWriter
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)

CHECKPOINT_S = 5.0
"""Of frames between two checkpoints: what a client keeps, and what is computed again after a crash."""
PATIENCE_S = 10.0
# a watcher that is half a minute of provisional labels behind does not follow any more
WATCHER_LIMIT = 8192


class LiveStream:
    """See the module. `link` is its session, `save` keeps the clusters of it, `journal` makes it durable.

    With `events`, what an earlier server told, it goes on from the journal's checkpoint.
    """

    def __init__(
        self,
        key: str,
        model: LoadedModel,
        lag: Lag,
        link: Link,
        credits: int,
        metrics: Metrics,
        save: Callable[["LiveStream"], Awaitable[None]],
        name: str,
        token: str,
        journal: Journal | None = None,
        events: Sequence[tuple[int, Event]] = (),
    ) -> None:
        self.key = key
        self.id = id_of(key)
        self.name = name
        """Unique name of this session."""
        self.token = token
        """What resumes it."""
        self.epoch = journal.newest.epoch if journal else 1
        self.model = model
        self.lag = lag
        self.link = link
        link.listener = self._take_answer
        self.journal = journal
        self.backlog = EventBacklog()
        self.owner: UpdateWriter | None = None
        self.watchers: set[UpdateWriter] = set()
        self.last_message_at = 0.0
        """When the owner last said anything, seconds of the registry's clock."""
        self.left: float | None = None
        """When the owner left, None while there is one."""
        self.broken = False
        """Given up: it cannot be resumed."""
        self.next_seq = 1
        """Seq of the next frame."""
        self.computed_seq = 0
        """Frames up to this one are computed; they need never be sent again."""
        self._credits = credits
        self._metrics = metrics
        self._frames = metrics.frames.labels(model.key)
        self._rate_hz = journal.newest.rate_hz if journal else 0.0
        self._windows = metrics.windows.labels(model.key)
        self._save = save
        self._saving = asyncio.Lock()
        self._unsaved = False
        self._finishing = False
        self._closed = False
        self._allowance = 0  # frames the owner may still send
        self._ungranted = 0  # computed frames whose credits were not given back yet
        self._last_us: int | None = None  # time of the newest frame
        self._computed_us: int | None = None  # and of the newest that is computed
        self._blocks: deque[tuple[int, int, int]] = deque()  # on their way: last seq, its time, frames
        self._checkpoint_wanted = False
        self._checkpoint_waiters: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        if journal:
            newest = journal.newest
            self.backlog = EventBacklog(None, newest.last_event, events)
            self.next_seq, self._last_us = newest.next_seq, newest.last_us
            self.computed_seq, self._computed_us = newest.next_seq - 1, newest.last_us
            self._closed = self._finishing = newest.closed

    def __repr__(self) -> str:
        state = "broken" if self.broken else "closed" if self._closed else "live" if self.owner else "retained"
        return f"<LiveStream {self.id} {state}, epoch {self.epoch}, {len(self._blocks)} blocks on their way>"

    # the owner's call

    async def claim(self) -> None:
        """Another owner comes, by a greater epoch. Raises FencedError where it went to another server before."""
        self.epoch = await self.journal.claim() if self.journal else self.epoch + 1

    def attach(self, last_event: int) -> tuple[UpdateWriter, int]:
        """A new owner that has handled events up to `last_event`; returns its writer and its credits."""
        self.left = None
        epoch = self.epoch
        writer = UpdateWriter(lambda: self._progress(epoch))
        self.backlog.acknowledge(last_event)
        for first, events in self.backlog.runs_after(last_event):
            writer.put(first, events)
        self.owner = writer
        self._ungranted = 0
        self._allowance = max(0, self._credits - sum(frames for _, _, frames in self._blocks))
        if self._closed:
            writer.end()
        return writer, self._allowance

    def receive_frames(self, block: FrameBlock) -> None:
        """A block of the owner. Raises LayoutError, ExhaustedError beyond the credits; and then nothing has changed."""
        if self._finishing:
            raise PreconditionError("expected no frames after Close")
        if len(block) > self._allowance:
            raise ExhaustedError(f"expected at most {self._allowance} frames, the credits left, got {len(block)}")
        self.link.take(check(block, self.model.served, self.next_seq, self._last_us))
        self._frames.inc(len(block))
        self._allowance -= len(block)
        self.next_seq, self._last_us = block.next_seq, int(block.timestamps_us[-1])
        self._blocks.append((self.received_seq, self._last_us, len(block)))

    def finish(self) -> None:
        """The owner has no more frames: once all are computed, the session is closed and the call ends well."""
        if not self._finishing:
            self._finishing = True
            self.link.close()

    @property
    def received_seq(self) -> int:
        """Frames up to this one came."""
        return self.next_seq - 1

    @property
    def durable_seq(self) -> int:
        """Frames up to this one need never be sent again."""
        return self.journal.newest.next_seq - 1 if self.journal else self.computed_seq

    @property
    def busy(self) -> bool:
        """Frames of the owner are on their way."""
        return bool(self._blocks)

    def fail(self, error: Exception | None) -> None:
        """Gives the stream up: the calls of owner and watchers end, answers that still come are ignored."""
        self.broken = True
        self.end(error)

    def emit(self, events: Sequence[Event]) -> None:
        """Numbers events and sends them to all who listen."""
        if not events:
            return
        self._metrics.count_events(events)
        if any(isinstance(event, ClusterCreated | ClusterMerged) for event in events):
            self._unsaved = True
        first = self.backlog.append(events)
        again = max(0, self.backlog.told + 1 - first)  # an earlier server told these
        first, events = first + again, events[again:]
        if self.journal:
            self.journal.note(first, events)
        for writer in (self.owner, *self.watchers):
            if writer:
                writer.put(first, events)

    def watch(self, provisional: bool) -> UpdateWriter:
        """A new watcher's writer, from the next event on."""
        writer = UpdateWriter(lambda: Progress(self.received_seq, self.durable_seq, 0), WATCHER_LIMIT, provisional)
        self.watchers.add(writer)
        return writer

    def end(self, error: Exception | None, last: Sequence[pb.StreamResponse] = ()) -> None:
        """Ends the calls of owner and watchers; only the owner gets the messages `last`."""
        if self.owner:
            self.owner.end(error, last)
        for writer in self.watchers:
            writer.end(error)

    def touch(self) -> None:
        """Names or merges changed: the clusters must be saved."""
        self._unsaved = True

    async def persist(self) -> None:
        """Returns when the ids that events speak of are in the store: what a client has seen is never given again.

        So are the events of a durable stream. Raises FencedError, UnavailableError where the store cannot be written.
        """
        if self.journal:
            try:
                await self.journal.flush()
            except FencedError as error:
                self.fail(error)
                raise
            except StoreError as error:
                log.exception("events of %s are not written", self.name)
                self._metrics.store_failures.inc()
                raise UnavailableError("the server's store cannot be written: reconnect later") from error
        async with self._saving:
            if self._unsaved:
                self._unsaved = False
                await self._save(self)

    def _take_answer(self, answer: Answer) -> None:
        """Of the worker: events, and credits for the blocks that are computed; the end where it was the last one."""
        if self.broken:
            return
        if answer.error is not None:
            # a durable stream goes on from its checkpoint
            self.fail(UnavailableError(f"{answer.error}: reconnect") if self.journal else answer.error)
            return
        self._windows.inc(answer.windows)
        for _ in range(answer.blocks):
            self.computed_seq, self._computed_us, frames = self._blocks.popleft()
            self._ungranted += frames
        self.emit(answer.events)
        if answer.closed:
            self._closed = True
        if self.journal and (answer.snapshot or answer.closed):
            self._checkpoint_wanted = False
            at = self.computed_seq + 1, self._computed_us, self.backlog.last_event
            self._later(self._keep(self.journal, answer.snapshot, *at))
        elif answer.closed:
            self.end(None)
        elif self.journal and self.computed_seq - self.durable_seq >= CHECKPOINT_S * self._rate_hz:
            self._want_checkpoint()
        if self.owner and 4 * self._ungranted >= self._credits:
            self.owner.nudge()

    async def checkpoint(self) -> None:
        """Returns when all frames so far are kept; at once where nothing can be."""
        if self.journal and not self.broken and not self._closed:
            waiter = asyncio.get_running_loop().create_future()
            self._checkpoint_waiters.append(waiter)
            self._want_checkpoint()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(waiter, PATIENCE_S)

    def _want_checkpoint(self) -> None:
        if not self._checkpoint_wanted:
            self._checkpoint_wanted = True
            self.link.snapshot()

    async def _keep(
        self, journal: Journal, snapshot: bytes | None, next_seq: int, last_us: int | None, last_event: int
    ) -> None:
        """Writes a checkpoint, then says so; ends the call where that was the last one."""
        closed = snapshot is None
        try:
            await journal.keep(snapshot, next_seq, last_us, last_event, self.backlog.acknowledged, closed)
        except FencedError as error:
            self.fail(error)
        except StoreError:
            log.exception("a checkpoint of %s is not kept", self.name)
            self._metrics.store_failures.inc()
        waiters, self._checkpoint_waiters = self._checkpoint_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        if closed:
            self.end(None)
        elif self.owner:
            self.owner.nudge()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _progress(self, epoch: int) -> Progress:
        """For the Update that the owner of this epoch is about to send; its credits count as given."""
        credits = 0
        if epoch == self.epoch:
            credits, self._ungranted = self._ungranted, 0
            self._allowance += credits
        return Progress(self.received_seq, self.durable_seq, credits)
