"""One stream id while it is live or retained: the frames on their way to its session, who owns it and who watches.

In: decoded requests of the owner's call and answers of the worker that has the session. Out: numbered events into the
outlets of owner and watchers. It outlives connections; the registry decides when it goes. No gRPC here, and no clock:
`heard` and `left` are set by those who have one.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import FrameBlock
from motionscribe_proto.events import ClusterCreated, ClusterMerged, Event
from motionscribe_server.admission import check
from motionscribe_server.catalog import LoadedModel
from motionscribe_server.errors import ExhaustedError, PreconditionError
from motionscribe_server.exchange import Answer
from motionscribe_server.metrics import Metrics
from motionscribe_server.options import Lag
from motionscribe_server.outbox import Outbox
from motionscribe_server.outlet import Outlet, Progress
from motionscribe_server.pool import Link

# a watcher that is half a minute of provisional labels behind does not follow any more
WATCHER_LIMIT = 8192


class Stream:
    """See the module. `link` is its session, `save` keeps the clusters of it."""

    def __init__(
        self,
        id: str,
        model: LoadedModel,
        lag: Lag,
        link: Link,
        credits: int,
        metrics: Metrics,
        save: Callable[["Stream"], Awaitable[None]],
    ) -> None:
        self.id = id
        self.name = f"{id}-{secrets.token_hex(4)}"
        """Unique name of this session."""
        self.token = secrets.token_urlsafe(18)
        self.epoch = 0
        self.model = model
        self.lag = lag
        self.link = link
        link.listener = self._take_answer
        self.outbox = Outbox()
        self.owner: Outlet | None = None
        self.watchers: set[Outlet] = set()
        self.heard = 0.0
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
        self._windows = metrics.windows.labels(model.key)
        self._save = save
        self._saving = asyncio.Lock()
        self._unsaved = False
        self._finishing = False
        self._closed = False
        self._allowance = 0  # frames the owner may still send
        self._ungranted = 0  # computed frames whose credits were not given back yet
        self._last_us: int | None = None  # time of the newest frame
        self._blocks: deque[tuple[int, int]] = deque()  # on their way: last seq, frames

    def __repr__(self) -> str:
        state = "broken" if self.broken else "closed" if self._closed else "live" if self.owner else "retained"
        return f"<Stream {self.id} {state}, epoch {self.epoch}, {len(self._blocks)} blocks on their way>"

    # the owner's call

    def attach(self, last_event: int) -> tuple[Outlet, int]:
        """A new owner that has handled events up to `last_event`; returns its outlet and its credits."""
        self.epoch += 1
        self.left = None
        epoch = self.epoch
        outlet = Outlet(lambda: self._progress(epoch))
        self.outbox.acknowledge(last_event)
        for first, events in self.outbox.runs_after(last_event):
            outlet.put(first, events)
        self.owner = outlet
        self._ungranted = 0
        self._allowance = max(0, self._credits - sum(frames for _, frames in self._blocks))
        if self._closed:
            outlet.end()
        return outlet, self._allowance

    def receive_frames(self, block: FrameBlock) -> None:
        """A block of the owner. Raises LayoutError, ExhaustedError beyond the credits; and then nothing has changed."""
        if self._finishing:
            raise PreconditionError("expected no frames after Close")
        if len(block) > self._allowance:
            raise ExhaustedError(f"expected at most {self._allowance} frames, the credits left, got {len(block)}")
        check(block, self.model.served, self.next_seq, self._last_us)
        self.link.take(block)
        self._frames.inc(len(block))
        self._allowance -= len(block)
        self.next_seq, self._last_us = block.next_seq, int(block.timestamps_us[-1])
        self._blocks.append((self.received_seq, len(block)))

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
        first = self.outbox.append(events)
        for outlet in (self.owner, *self.watchers):
            if outlet:
                outlet.put(first, events)

    def watch(self, provisional: bool) -> Outlet:
        """A new watcher's outlet, from the next event on."""
        outlet = Outlet(lambda: Progress(self.received_seq, self.computed_seq, 0), WATCHER_LIMIT, provisional)
        self.watchers.add(outlet)
        return outlet

    def end(self, error: Exception | None, last: Sequence[pb.StreamResponse] = ()) -> None:
        """Ends the calls of owner and watchers; only the owner gets the messages `last`."""
        if self.owner:
            self.owner.end(error, last)
        for outlet in self.watchers:
            outlet.end(error)

    def touch(self) -> None:
        """Names or merges changed: the clusters must be saved."""
        self._unsaved = True

    async def persist(self) -> None:
        """Returns when the ids that events speak of are in the store: what a client has seen is never given again."""
        async with self._saving:
            if self._unsaved:
                self._unsaved = False
                await self._save(self)

    def _take_answer(self, answer: Answer) -> None:
        """Of the worker: events, and credits for the blocks that are computed; the end where it was the last one."""
        if self.broken:
            return
        if answer.error is not None:
            self.fail(answer.error)
            return
        self._windows.inc(answer.windows)
        for _ in range(answer.blocks):
            self.computed_seq, frames = self._blocks.popleft()
            self._ungranted += frames
        self.emit(answer.events)
        if answer.closed:
            self._closed = True
            self.end(None)
        elif self.owner and 4 * self._ungranted >= self._credits:
            self.owner.nudge()

    def _progress(self, epoch: int) -> Progress:
        """For the Update that the owner of this epoch is about to send; its credits count as given."""
        credits = 0
        if epoch == self.epoch:
            credits, self._ungranted = self._ungranted, 0
            self._allowance += credits
        return Progress(self.received_seq, self.computed_seq, credits)
