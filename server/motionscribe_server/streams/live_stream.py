"""One stream while it is live or retained: its life, its owner and watchers, its session in a worker.

In: frames and calls of the owner, answers of the worker. Out: numbered events into the writers of owner and watchers.
It outlives connections; the registry decides when it goes. Its state changes here alone. No gRPC, and no clock.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer, SessionClusters
from motionscribe_server.errors import FencedError, PreconditionError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import Edit
from motionscribe_server.session.frame_checks import split
from motionscribe_server.streams.cluster_saver import ClusterSaver
from motionscribe_server.streams.deferred_edits import DeferredEdits
from motionscribe_server.streams.durability import Durability, History
from motionscribe_server.streams.event_backlog import EventBacklog
from motionscribe_server.streams.event_sender import EventSender
from motionscribe_server.streams.frame_flow import FrameFlow, Position
from motionscribe_server.streams.journal import Extent
from motionscribe_server.streams.life import Change, Life, next_life
from motionscribe_server.streams.listeners import Listeners
from motionscribe_server.streams.refusals import refusal_from_text, refusal_to_text
from motionscribe_server.streams.stream_info import StreamInfo
from motionscribe_server.streams.tasks import Tasks
from motionscribe_server.streams.update_writer import Progress, UpdateWriter
from motionscribe_server.workers.process import Link

GONE = "the stream failed or went to another owner: try again"


class LiveStream:
    """At first without an owner, as if the last had just left. With `history` it is durable, and goes on from it.

    After a crash it may have to repeat what an earlier server told. Until it has, the store knows its clusters better
    than its session does, and edits wait: they must not come before what was told already.
    """

    def __init__(
        self, info: StreamInfo, link: Link, history: History | None, saver: ClusterSaver, metrics: Metrics
    ) -> None:
        self.info = info
        self.link = link
        link.listener = self._take_answer
        self.saver = saver
        self._frames = metrics.frames.labels(info.model.key)
        self._windows = metrics.windows.labels(info.model.key)
        self.listeners = Listeners()
        self._tasks = Tasks()
        self.life = Life.RETAINED
        self.epoch = 1
        self.last_message_at = info.opened_at
        """When the owner last said anything, seconds of the registry's clock."""
        self.start_us: int | None = None
        """Time of the first frame, None before it and where another server had it."""
        self.left_at: float | None = info.opened_at
        """When the last owner left, None while there is one."""
        self._refusal: Exception | None = None
        self._durability = history.durability if history else None
        self.backlog = history.backlog if history else EventBacklog()
        self.edits = DeferredEdits(
            info.name, link, saver, self._durability, lambda: self.life.is_closed or not self.backlog.is_repeating
        )
        start = Position(1, None)
        if self._durability:
            self.life = Life.RETAINED_CLOSED if self._durability.newest.closed else Life.RETAINED
            self.epoch, start = self._durability.newest.epoch, self._durability.position
            self._refusal = refusal_from_text(self._durability.newest.refusal)
        self._flow = FrameFlow(info.credits, start, durable=history is not None)
        self._events = EventSender(info.name, self.backlog, self.listeners, self._durability, saver, metrics)

    def __repr__(self) -> str:
        return f"<LiveStream {self.info.id} {self.life.name}, epoch {self.epoch}>"

    @property
    def owner(self) -> UpdateWriter | None:
        """The writer of the owner's call; after the stream was given up, until that call has ended."""
        return self.listeners.owner

    @property
    def received_seq(self) -> int:
        """Frames up to this one came."""
        return self._flow.received.next_seq - 1

    @property
    def computed_seq(self) -> int:
        """Those up to this one are computed."""
        return self._flow.computed.next_seq - 1

    @property
    def durable_seq(self) -> int:
        """Frames up to this one need never be sent again."""
        return (self._durability.position if self._durability else self._flow.computed).next_seq - 1

    @property
    def is_repeating(self) -> bool:
        """An earlier server told more, or was told more, than this session knows by now."""
        return self._durability is not None and (self.backlog.is_repeating or self.edits.any_wait)

    @property
    def is_at_rest(self) -> bool:
        """It is over, and the store knows its clusters as they are: whatever is asked of them is the store's matter."""
        return self.life.is_closed and self.saver.is_settled and not self._tasks.any_runs

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

    def attach(self, last_event: int, now: float) -> tuple[UpdateWriter, int]:
        """A new owner that has handled events up to `last_event`; returns its writer and its credits."""
        self._change(Change.ATTACH)
        self.left_at, self.last_message_at = None, now
        epoch = self.epoch
        writer = UpdateWriter(lambda: self._progress(epoch))
        self.backlog.acknowledge(last_event)
        for first, events in self.backlog.runs_after(last_event):
            writer.put(first, events)
        self.listeners.owner = writer
        self.edits.begin()
        if self.life.is_closed:
            writer.end(self._refusal)
        return writer, self._flow.restart()

    def detach(self, writer: UpdateWriter, now: float) -> bool:
        """The call of `writer` ended. Returns False where that owner was superseded, and then nothing changes."""
        if self.owner is not writer:
            return False
        self._change(Change.LEAVE)
        self.listeners.owner, self.left_at = None, now
        return True

    def watch(self, provisional: bool, poses: bool) -> UpdateWriter:
        """A new watcher's writer, from the next event and the next frame on."""
        return self.listeners.watch(lambda: Progress(self.received_seq, self.durable_seq, 0), provisional, poses)

    def end_calls(self, error: Exception | None, last: Sequence[pb.StreamResponse] = ()) -> None:
        """Ends the calls of owner and watchers; only the owner gets the messages `last`."""
        self.listeners.end(error, last)

    def give_up(self, error: Exception | None) -> None:
        """Final: the calls of owner and watchers end, answers that still come are ignored."""
        self._change(Change.GIVE_UP)
        self.end_calls(error)
        self.edits.stop()
        if self._durability:
            self._durability.end_waits(UnavailableError(GONE))

    # what the owner says

    def receive_frames(self, block: FrameBlock) -> None:
        """Takes the frames of the owner before the first bad one. Raises LayoutError; ExhaustedError takes none."""
        if self.life is not Life.LIVE:
            raise PreconditionError("expected no frames after Close")
        self._flow.require_credits(len(block))
        good, fault = split(block, self.info.model.served, *self._flow.received)
        if good is not None:
            self.link.take(good)
            if self.received_seq == 0:
                self.start_us = int(good.timestamps_us[0])
            self._frames.inc(len(good))
            self._flow.receive(good)
            self.listeners.show(good)
        if fault:
            raise fault

    def acknowledge(self, last_event: int) -> None:
        """The owner has handled the events up to this number."""
        was_full = self.backlog.is_full
        self.backlog.acknowledge(last_event)
        if was_full and not self.backlog.is_full:
            self.listeners.nudge_owner()

    def finish(self, refusal: Exception | None = None) -> None:
        """The owner has no more frames: once all are computed, the call ends, well or with the `refusal` of others."""
        self._refusal = self._refusal or refusal
        if self._change(Change.FINISH):
            self.link.close()

    def _progress(self, epoch: int) -> Progress:
        """For the owner of this epoch; its credits count as given."""
        credits = self._flow.grant() if epoch == self.epoch and not self.backlog.is_full else 0
        return Progress(self.received_seq, self.durable_seq, credits)

    # what the worker answers

    def _take_answer(self, answer: Answer) -> None:
        """Events, and credits for the blocks that are computed; the end where it is the last answer."""
        if self.life is Life.GIVEN_UP:
            return
        if answer.error is not None:
            error = UnavailableError(f"{answer.error}: reconnect")  # a durable stream goes on from its checkpoint
            self.give_up(error if self._durability else answer.error)
            return
        self._windows.inc(answer.windows)
        self._flow.complete(answer.blocks)
        if self._durability:
            self._durability.note_edits(answer.edits)
        self._events.send(answer.events)
        if answer.closed:
            self._change(Change.CLOSE)
        self.edits.begin()
        if self._durability and (answer.snapshot or answer.closed):
            extent = Extent(self._flow.computed, self.backlog.last_event, self._durability.edits.made)
            self._tasks.begin(self._write_checkpoint(self._durability, answer.snapshot, extent))
        elif answer.closed:
            self._tasks.begin(self._settle())
            self._end_closed()
        else:
            self.request_checkpoint_if_due()
        if self._flow.credits_are_due:
            self.listeners.nudge_owner()

    def _end_closed(self) -> None:
        if self.owner:
            self.owner.end(self._refusal)
        self.end_calls(None)

    async def edit(self, edit: Edit) -> SessionClusters:
        """The clusters and anomalies after `edit`, saved, in the journal too; not while it repeats.

        Raises what `edit` raises, FencedError, UnavailableError, StoreError.
        """
        found = await self.link.edit(edit)
        if self.life is Life.GIVEN_UP:  # answers are noted no more
            raise UnavailableError(GONE)
        with self._giving_up_where_fenced():
            await self.saver.save(found)
        return found

    async def persist(self) -> None:
        """Returns when events, of a durable stream, and the ids they speak of are in the store: no id is given twice.

        Raises FencedError, UnavailableError where the store cannot be written.
        """
        with self._giving_up_where_fenced():
            if self._durability:
                await self._durability.flush()
            if not self.is_repeating:
                await self.saver.save_if_changed()

    def request_checkpoint_if_due(self) -> None:
        """To be called now and then, too: a checkpoint may be due, or an edit be there, though no answer comes."""
        if self._durability and not self.life.is_over:
            self._durability.request_if_due(self._flow.computed)
            if self._durability.look_is_due:
                self._tasks.begin(self.edits.make())

    async def checkpoint(self) -> None:
        """Returns when all frames so far are kept; at once where none can be. Raises FencedError, UnavailableError."""
        if self._durability and not self.life.is_over:
            await self._durability.checkpoint(self._flow.received)

    @contextmanager
    def _giving_up_where_fenced(self) -> Iterator[None]:
        try:
            yield
        except FencedError as error:
            self.give_up(error)
            raise

    async def _settle(self) -> None:
        """The store is told the last of a stream that is over, though nobody may be there to hear of it."""
        self.saver.mark_unsaved()
        with suppress(FencedError, UnavailableError):
            await self.persist()

    async def _write_checkpoint(self, durability: Durability, snapshot: bytes | None, extent: Extent) -> None:
        """Writes a checkpoint, then tells the owner; ends the calls where it is the last one."""
        try:
            if snapshot is None:
                await self._settle()
            with suppress(FencedError), self._giving_up_where_fenced():
                await durability.write(snapshot, extent, self.backlog.acknowledged, refusal_to_text(self._refusal))
            self._flow.keep(durability.position)
            self.edits.begin()
            if snapshot is None:
                await self.edits.wait()
                await self._settle()
        finally:
            if snapshot is None:
                self._end_closed()
            else:
                self.listeners.nudge_owner()
