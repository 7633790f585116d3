"""One stream id while it is live or retained: its session, the frames on their way, who owns it and who watches.

In: decoded requests of the owner's call and answers of the batcher. Out: numbered events into the outlets of owner
and watchers. It outlives connections; the registry decides when it goes. No gRPC here, and no clock: `heard` and `left`
are set by those who have one.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import FrameBlock
from motionscribe_proto.events import ClusterCreated, ClusterMerged, Event
from motionscribe_server.catalog import LoadedModel
from motionscribe_server.errors import EngineError, ExhaustedError, PreconditionError, RequestError
from motionscribe_server.inference import WindowStates
from motionscribe_server.metrics import Metrics
from motionscribe_server.outbox import Outbox
from motionscribe_server.outlet import Outlet, Progress
from motionscribe_server.session import Session, events_of, steps_of
from motionscribe_server.window import Step

log = logging.getLogger(__name__)

# beyond it the sums of the session leave int64; times in between are increasing or refused
BOUND = 2**62
# a watcher that is half a minute of provisional labels behind does not follow any more
WATCHER_LIMIT = 8192


class Stream:
    """See the module. `save` keeps the clusters of a session, `submit` tells the batcher of new steps."""

    def __init__(
        self,
        id: str,
        model: LoadedModel,
        session: Session,
        credits: int,
        metrics: Metrics,
        submit: Callable[["Stream"], None],
        save: Callable[["Stream"], Awaitable[None]],
    ) -> None:
        self.id = id
        self.name = f"{id}-{secrets.token_hex(4)}"
        """Unique name of this session."""
        self.token = secrets.token_urlsafe(18)
        self.epoch = 0
        self.model = model
        self.session = session
        self.state = model.engine.new_state()
        self.steps: deque[Step] = deque()
        self.outbox = Outbox()
        self.owner: Outlet | None = None
        self.watchers: set[Outlet] = set()
        self.heard = 0.0
        """When the owner last said anything, seconds of the registry's clock."""
        self.left: float | None = None
        """When the owner left, None while there is one."""
        self.broken = False
        """Given up: it cannot be resumed."""
        self.received_seq = 0
        """Frames up to this one came."""
        self.computed_seq = 0
        """Frames up to this one are computed; they need never be sent again."""
        self._credits = credits
        self._metrics = metrics
        self._frames = metrics.frames.labels(model.key)
        self._windows = metrics.windows.labels(model.key)
        self._submit = submit
        self._save = save
        self._saving = asyncio.Lock()
        self._unsaved = False
        self._finishing = False
        self._closed = False
        self._allowance = 0  # frames the owner may still send
        self._ungranted = 0  # computed frames whose credits were not given back yet
        self._fresh = False  # frames came that are no steps yet
        self._steps_received = 0
        self._steps_computed = 0
        # blocks on their way: (steps received when it was complete, last seq, frames)
        self._blocks: deque[tuple[int, int, int]] = deque()

    def __repr__(self) -> str:
        state = "broken" if self.broken else "closed" if self._closed else "live" if self.owner else "retained"
        return f"<Stream {self.id} {state}, epoch {self.epoch}, {len(self.steps)} steps waiting>"

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
        self._allowance = max(0, self._credits - sum(frames for _, _, frames in self._blocks))
        if self._closed:
            outlet.end()
        return outlet, self._allowance

    def receive_frames(self, block: FrameBlock) -> None:
        """A block of the owner. Raises LayoutError, ExhaustedError beyond the credits; and then nothing has changed."""
        if self._finishing:
            raise PreconditionError("expected no frames after Close")
        if len(block) > self._allowance:
            raise ExhaustedError(f"expected at most {self._allowance} frames, the credits left, got {len(block)}")
        first_us, last_us = int(block.timestamps_us[0]), int(block.timestamps_us[-1])
        if block.next_seq > BOUND or first_us < -BOUND or last_us > BOUND:
            raise RequestError(
                f"expected seq and times below 2**62, got seq {block.first_seq} and times {first_us} to {last_us} us"
            )
        steps = self.session.receive_frames(block)
        self._frames.inc(len(block))
        self._allowance -= len(block)
        self.received_seq = block.next_seq - 1
        self._steps_received += steps
        self._blocks.append((self._steps_received, self.received_seq, len(block)))
        if steps:
            self._fresh = True
            self._submit(self)
        else:
            self._settle()

    def finish(self) -> None:
        """The owner has no more frames: once all are computed, close the session and end the call well."""
        self._finishing = True
        self._settle()

    # the batcher

    @property
    def waiting(self) -> bool:
        """Something is to be computed."""
        return self._fresh or bool(self.steps)

    @property
    def busy(self) -> bool:
        """Frames of the owner are on their way."""
        return bool(self._blocks)

    def fail(self, error: Exception | None) -> None:
        """Gives the stream up: the calls of owner and watchers end, answers that still come are ignored."""
        self.broken, self._fresh = True, False
        self.steps.clear()
        self.end(error)

    # everybody

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

    def _settle(self) -> None:
        """Gives credits back for the blocks that are computed; closes the session when the last one is."""
        while self._blocks and self._blocks[0][0] <= self._steps_computed:
            _, self.computed_seq, frames = self._blocks.popleft()
            self._ungranted += frames
        if self._finishing and not self._blocks and not self._closed and not self.broken:
            self._closed = True
            self.emit(self.session.close())
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


def make_steps(streams: Sequence[Stream]) -> None:
    """Of the frames that came to streams of one model."""
    streams = [stream for stream in streams if stream._fresh]
    if streams:
        for stream, steps in zip(streams, steps_of([stream.session for stream in streams]), strict=True):
            stream._fresh = False
            stream.steps.extend(steps)


def hand_back(
    streams: Sequence[Stream], runs: Sequence[Sequence[Step]], answers: Sequence[WindowStates | None]
) -> None:
    """The engine's answers to the oldest steps of streams of one model, and what they say to all who listen."""
    alive = [i for i, stream in enumerate(streams) if not stream.broken]
    sessions, told = [streams[i].session for i in alive], [answers[i] for i in alive]
    for i, events in zip(alive, events_of(sessions, [runs[i] for i in alive], told), strict=True):
        stream = streams[i]
        stream._steps_computed += len(runs[i])
        if answers[i] is not None:
            stream._windows.inc()
        try:
            if isinstance(events, Exception):
                raise events
            stream.emit(events)
            stream._settle()
        except Exception:
            log.exception("the session of %s failed", stream.name)
            stream.fail(EngineError("the session failed; the server's log says why"))
