"""One stream while it is live or retained: its life, its owner and watchers, its session in a worker.

In: frames and calls of the owner, answers of the worker. Out: numbered events into the writers of owner and watchers.
It outlives connections; the registry decides when it goes. Its state changes here and nowhere else. No gRPC here, and
no clock: callers say when something happened.
"""

import asyncio
import logging
from collections.abc import Sequence

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import ClusterChange, ClusterTableFull, Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer
from motionscribe_server.errors import FencedError, PreconditionError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.edits import Edit
from motionscribe_server.session.frame_checks import check
from motionscribe_server.streams.cluster_saver import ClusterSaver
from motionscribe_server.streams.durability import Durability
from motionscribe_server.streams.event_backlog import EventBacklog
from motionscribe_server.streams.frame_flow import FrameFlow, Position
from motionscribe_server.streams.journal import History
from motionscribe_server.streams.life import Change, Life, next_life
from motionscribe_server.streams.listeners import Listeners
from motionscribe_server.streams.stream_info import StreamInfo
from motionscribe_server.streams.update_writer import Progress, UpdateWriter
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)

WATCHER_LIMIT = 8192
"""Events. A watcher that is half a minute of provisional labels behind does not follow any more."""


class LiveStream:
    """At first without an owner, as if the last had just left. With `history` it is durable, and goes on from it."""

    def __init__(
        self, info: StreamInfo, link: Link, history: History | None, saver: ClusterSaver, metrics: Metrics
    ) -> None:
        self.info = info
        self.link = link
        link.listener = self._take_answer
        self.saver = saver
        self._metrics = metrics
        self._frames = metrics.frames.labels(info.model.key)
        self._windows = metrics.windows.labels(info.model.key)
        self._listeners = Listeners()
        self._writing: set[asyncio.Task[None]] = set()
        self.life = Life.RETAINED
        self.epoch = 1
        self.last_message_at = info.opened_at
        """When the owner last said anything, seconds of the registry's clock."""
        self.left_at: float | None = info.opened_at
        """When the last owner left, None while there is one."""
        self.backlog = EventBacklog()
        self._durability = None
        start = Position(1, None)
        if history:
            newest = history.journal.newest
            self.life = Life.RETAINED_CLOSED if newest.closed else Life.RETAINED
            self.epoch = newest.epoch
            self.backlog = EventBacklog(None, newest.last_event, history.events)
            self._durability = Durability(history.journal, link.snapshot, metrics)
            start = self._durability.position
        self._flow = FrameFlow(info.credits, start)
        self._is_table_full = False

    def __repr__(self) -> str:
        waiting = self._flow.blocks_on_their_way
        return f"<LiveStream {self.info.id} {self.life.name}, epoch {self.epoch}, {waiting} blocks on their way>"

    @property
    def owner(self) -> UpdateWriter | None:
        """The writer of the owner's call; after the stream was given up, until that call has ended."""
        return self._listeners.owner

    @property
    def received_seq(self) -> int:
        """Frames up to this one came."""
        return self._flow.received.next_seq - 1

    @property
    def computed_seq(self) -> int:
        """Frames up to this one are computed."""
        return self._flow.computed.next_seq - 1

    @property
    def durable_seq(self) -> int:
        """Frames up to this one need never be sent again."""
        return (self._durability.position if self._durability else self._flow.computed).next_seq - 1

    @property
    def is_busy(self) -> bool:
        """Frames of the owner are on their way."""
        return self._flow.blocks_on_their_way > 0

    def _change(self, change: Change) -> bool:
        """The one place where `life` changes; returns whether it did. Raises LifeError."""
        before, self.life = self.life, next_life(self.life, change)
        return self.life is not before

    # owners and watchers come and go

    async def claim(self) -> None:
        """Another owner comes, by a greater epoch. Raises FencedError where it went to another server before."""
        self.epoch = await self._durability.claim() if self._durability else self.epoch + 1

    def supersede(self, error: Exception, now: float) -> None:
        """Ends the call of the owner, where there is one: another owner is about to attach."""
        if self.owner:
            self.owner.end(error)
            self.detach(self.owner, now)

    def attach(self, last_event: int, now: float) -> tuple[UpdateWriter, int]:
        """A new owner that has handled events up to `last_event`; returns its writer and its credits."""
        self._change(Change.ATTACH)
        self.left_at, self.last_message_at = None, now
        epoch = self.epoch
        writer = UpdateWriter(lambda: self._progress(epoch))
        self.backlog.acknowledge(last_event)
        for first, events in self.backlog.runs_after(last_event):
            writer.put(first, events)
        self._listeners.owner = writer
        if self.life.is_closed:
            writer.end()
        return writer, self._flow.restart()

    def detach(self, writer: UpdateWriter, now: float) -> bool:
        """The call of `writer` ended. Returns False where that owner was superseded, and then nothing changes."""
        if self.owner is not writer:
            return False
        self._change(Change.LEAVE)
        self._listeners.owner, self.left_at = None, now
        return True

    def watch(self, provisional: bool) -> UpdateWriter:
        """A new watcher's writer, from the next event on."""
        writer = UpdateWriter(lambda: Progress(self.received_seq, self.durable_seq, 0), WATCHER_LIMIT, provisional)
        self._listeners.add_watcher(writer)
        return writer

    def unwatch(self, writer: UpdateWriter) -> None:
        """The call of a watcher ended."""
        self._listeners.remove_watcher(writer)

    def end_calls(self, error: Exception | None, last: Sequence[pb.StreamResponse] = ()) -> None:
        """Ends the calls of owner and watchers; only the owner gets the messages `last`."""
        self._listeners.end(error, last)

    def give_up(self, error: Exception | None) -> None:
        """Final: the calls of owner and watchers end, answers that still come are ignored."""
        self._change(Change.GIVE_UP)
        self.end_calls(error)

    # what the owner says

    def note_message(self, now: float) -> None:
        """The owner said something."""
        self.last_message_at = now

    def receive_frames(self, block: FrameBlock) -> None:
        """A block of the owner. Raises LayoutError, ExhaustedError beyond the credits; and then nothing has changed."""
        if self.life is not Life.LIVE:
            raise PreconditionError("expected no frames after Close")
        self._flow.require_credits(len(block))
        self.link.take(check(block, self.info.model.served, *self._flow.received))
        self._frames.inc(len(block))
        self._flow.receive(block)

    def finish(self) -> None:
        """The owner has no more frames: once all are computed, the session is closed and the call ends well."""
        if self._change(Change.FINISH):
            self.link.close()

    def _progress(self, epoch: int) -> Progress:
        """For the Update that the owner of this epoch is about to send; its credits count as given."""
        credits = self._flow.grant() if epoch == self.epoch else 0
        return Progress(self.received_seq, self.durable_seq, credits)

    # what the worker answers

    def _take_answer(self, answer: Answer) -> None:
        """Events, and credits for the blocks that are computed; the end where it is the last answer."""
        if self.life is Life.GIVEN_UP:
            return
        if answer.error is not None:
            # a durable stream goes on from its checkpoint
            self.give_up(UnavailableError(f"{answer.error}: reconnect") if self._durability else answer.error)
            return
        self._windows.inc(answer.windows)
        self._flow.complete(answer.blocks)
        self._emit(answer.events)
        if answer.closed:
            self._change(Change.CLOSE)
        if self._durability and (answer.snapshot or answer.closed):
            self._durability.snapshot_came()
            at = self._flow.computed, self.backlog.last_event
            task = asyncio.create_task(self._write_checkpoint(self._durability, answer.snapshot, *at))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        elif answer.closed:
            self.end_calls(None)
        elif self._durability:
            self._durability.request_if_due(self._flow.computed)
        if self._flow.credits_are_due:
            self._listeners.nudge_owner()

    def _emit(self, events: Sequence[Event]) -> None:
        """Numbers events and sends them to owner and watchers."""
        if not events:
            return
        self._metrics.count_events(events)
        if any(isinstance(event, ClusterChange) for event in events):
            self.saver.mark_unsaved()
        full = next((event for event in events if isinstance(event, ClusterTableFull)), None)
        if full and not self._is_table_full:
            self._is_table_full = True  # one line a stream: the metric counts the rest
            log.warning("stream %s has %d clusters: the least used make room", self.info.name, full.limit)
        first = self.backlog.append(events)
        repeated = max(0, self.backlog.sent_before + 1 - first)
        first, events = first + repeated, events[repeated:]
        if self._durability:
            self._durability.note(first, events)
        self._listeners.put(first, events)

    # what must outlive it

    async def edit(self, edit: Edit) -> Sequence[ClusterState]:
        """The clusters after `edit`, saved. Raises what it raises, UnavailableError, StoreError."""
        found = await self.link.edit(edit)
        await self.saver.save(found)
        await self.checkpoint()
        return found.clusters

    async def persist(self) -> None:
        """Returns when the ids that events speak of are in the store: what a client has seen is never given again.

        So are the events of a durable stream. Raises FencedError, UnavailableError where the store cannot be written.
        """
        if self._durability:
            try:
                await self._durability.flush()
            except FencedError as error:
                self.give_up(error)
                raise
        await self.saver.save_if_changed()

    async def checkpoint(self) -> None:
        """Returns when all frames so far are kept; at once where nothing can be."""
        if self._durability and self.life is not Life.GIVEN_UP and not self.life.is_closed:
            await self._durability.checkpoint()

    async def _write_checkpoint(
        self, durability: Durability, snapshot: bytes | None, at: Position, last_event: int
    ) -> None:
        """Writes a checkpoint, then tells the owner; ends the calls where it is the last one."""
        try:
            await durability.write(snapshot, at, last_event, self.backlog.acknowledged)
        except FencedError as error:
            self.give_up(error)
        if snapshot is None:
            self.end_calls(None)
        else:
            self._listeners.nudge_owner()
