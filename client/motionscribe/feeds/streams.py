"""One feed on its way to the server: a stream for each person in it, and sinks for each stream.

In: an opened source, a plan, what makes sinks. Out: events in the sinks, and numbers that say how it goes. Sinks are
made, written and closed in a thread of their own, since files and networks may block.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from motionscribe.async_client import AsyncClient
from motionscribe.connection.stream import AsyncStream
from motionscribe.descriptions import Opened
from motionscribe.errors import BadRequest, DoesNotFit, StreamInUse, TooMuch
from motionscribe.events import Event
from motionscribe.feed_clock import FeedClock
from motionscribe.sinks import MakeSink, StreamInfo
from motionscribe.sinks.writing import sinks_of
from motionscribe.sources import Source
from motionscribe.sources.camera import CameraSource
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.push import PushSource
from motionscribe.threads import OwnThread
from motionscribe_models.body.mapping import NOT_THERE
from motionscribe_models.body.own_names import renamed

T = TypeVar("T")

MOST_STREAMS = 64
"""Of a feed at a time, each with two threads of gRPC's: who appears beyond them waits until one has ended."""

REFUSALS = (BadRequest, DoesNotFit, StreamInUse, TooMuch)
"""What a server says of one stream, and not of itself."""


@dataclass(frozen=True)
class Plan:
    """What becomes of a feed."""

    text: str
    """The source, as it was named."""
    stream_id: str | None = None
    """None makes one up, or takes the feed's name where it has several people."""
    person: str | None = None
    """The only one of several people who is wanted."""
    joints: Mapping[str, str] = field(default_factory=dict)
    """Joint of the source -> joint of the canonical body, for those that no table knows."""
    speed: float | None = None
    """Times the pace of a recording; None is as fast as the server goes."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of AsyncClient.stream."""


@dataclass
class Numbers:
    """What passed."""

    frames: int = 0
    """Sent."""
    dropped: int = 0
    """Came, and were not sent."""
    events: int = 0

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(self.frames + other.frames, self.dropped + other.dropped, self.events + other.events)


class FeedStreams:
    """The streams of `feed`, which `run` makes, once. `tell` is told what people should know."""

    def __init__(
        self,
        client: AsyncClient,
        feed: Source,
        plan: Plan,
        makers: Sequence[MakeSink],
        tell: Callable[[str], None],
    ) -> None:
        self.opened: Opened | None = None
        """What the server said of the newest stream."""
        self.sinks_failed = False
        self._client = client
        self._feed = feed
        self._plan = plan
        self._makers = makers
        self._tell = tell
        self._several = isinstance(feed, CameraSource | LiveFeed) and feed.several and not plan.person
        self._running: dict[AsyncStream, Source] = {}
        self._ended = Numbers()
        """Of streams that have ended, and events of all."""
        self._last: dict[str, asyncio.Task[None]] = {}
        """The newest stream of each id: one id has one stream at a time."""
        self._refused: Exception | None = None
        self._finishing = False
        self._looking: asyncio.Task[Any] | None = None
        """The task that waits for people."""

    async def run(self) -> None:
        """Returns when all streams have ended, and their sinks are closed.

        A feed with several people gives the streams STREAMID-1, STREAMID-2, ... One person, whom the plan names or
        since the feed knows no others, has STREAMID itself. A refusal of one of several people is told, and raised when
        the others have ended, as is a failure of the feed. Any other failure is raised at once: it is everybody's.
        """
        thread = OwnThread(f"motionscribe sinks of {self._plan.stream_id or self._feed.name}")
        try:
            if isinstance(self._feed, CameraSource | LiveFeed):
                await self._run_people(self._feed.people(), thread)
            else:
                await self._stream(self._feed, self._plan.stream_id, thread)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            if isinstance(self._feed, LiveFeed):
                self._feed.close()
            thread.end()

    def finish(self) -> None:
        """No more frames are taken: `run` returns when what was sent has its labels."""
        self._finishing = True
        if self._looking:
            self._looking.cancel()
        for stream in self._running:
            stream.finish()

    @property
    def numbers(self) -> Numbers:
        """So far."""
        so_far = sum((_numbers(stream, source) for stream, source in self._running.items()), self._ended)
        in_no_stream = self._feed.dropped if isinstance(self._feed, LiveFeed) and not self._plan.person else 0
        return so_far + Numbers(dropped=in_no_stream)

    @property
    def count(self) -> int:
        """Streams that are open."""
        return len(self._running)

    @property
    def connected(self) -> bool:
        """False while the server is away from every stream."""
        return any(stream.connected for stream in self._running) or not self._running

    @property
    def clock(self) -> FeedClock | None:
        """The sender's."""
        return self._feed.clock

    async def _run_people(self, everybody: AsyncGenerator[Source, None], thread: OwnThread) -> None:
        stem, failure = self._plan.stream_id or self._feed.name, None
        # images of a camera wait for everybody's frames: nobody there may wait
        room = asyncio.Semaphore(MOST_STREAMS if isinstance(self._feed, LiveFeed) else sys.maxsize)
        async with asyncio.TaskGroup() as streams:
            task = self._looking = asyncio.current_task()
            try:
                async with aclosing(everybody) as people:
                    async for person in people:
                        if self._plan.person in (None, person.person):
                            await room.acquire()
                            stream_id = f"{stem}-{person.person}" if self._several else stem
                            streaming = self._stream_after(self._last.get(stream_id), person, stream_id, thread)
                            self._last[stream_id] = streams.create_task(streaming)
                            self._last[stream_id].add_done_callback(lambda _: room.release())
            except asyncio.CancelledError:
                if not (self._finishing and task and task.uncancel() == 0):
                    raise
            except Exception as error:
                failure = error  # what was found before is labelled to its end
            finally:
                self._looking = None
        if failure := failure or self._refused:
            raise failure

    async def _stream_after(
        self, before: asyncio.Task[None] | None, person: Source, stream_id: str, thread: OwnThread
    ) -> None:
        """Somebody goes on with another skeleton, or is somebody new: the id is free when the last one has ended."""
        if before:
            await asyncio.wait({before})
        if not self._finishing:
            try:
                await self._stream(person, stream_id, thread)
            except REFUSALS as error:
                if not self._several:
                    raise
                self._tell(f"{stream_id}: {error}")
                self._refused = self._refused or error
                if isinstance(person, PushSource):
                    person.close()
        if self._last.get(stream_id) is asyncio.current_task():
            del self._last[stream_id]

    async def _stream(self, source: Source, stream_id: str | None, thread: OwnThread) -> None:
        told = len(source.notes)  # by whoever opened it
        if self._plan.joints:
            await source.ready()
        if self._plan.joints and source.skeleton:
            source.skeleton = renamed(source.skeleton, self._plan.joints)
        pace = None if self._feed.live else self._plan.speed
        stream = self._client.stream(source, stream_id=stream_id, realtime=pace, **self._plan.options)
        with self._counted(stream, source):
            async with stream:
                self.opened = stream.opened
                for note in source.notes[told:]:
                    self._tell(note)
                await self._write(stream, self._introduce(stream.opened, source.clock), thread)

    @contextmanager
    def _counted(self, stream: AsyncStream, source: Source) -> Iterator[None]:
        self._running[stream] = source
        try:
            yield
        finally:
            del self._running[stream]
            self._ended += _numbers(stream, source)

    async def _write(self, stream: AsyncStream, info: StreamInfo, thread: OwnThread) -> None:
        """All events to all sinks, which are closed whatever happens."""
        stack = ExitStack()
        try:
            write = await self._call(thread, stack.enter_context, sinks_of(self._makers, info))
            while events := await stream.batch():
                await self._call(thread, _write_all, write, events)
                self._ended.events += len(events)
        finally:
            await self._call(thread, stack.close)

    async def _call(self, thread: OwnThread, function: Callable[..., T], *arguments: Any) -> T:
        try:
            return await thread.call(function, *arguments)
        except Exception:
            self.sinks_failed = True
            raise

    def _introduce(self, opened: Opened, clock: FeedClock | None) -> StreamInfo:
        """What sinks are told. Joints that are not there are told to people."""
        for line in opened.mapping:
            if line.endswith(NOT_THERE):
                self._tell(line)
        title = (
            f"{opened.stream_id}: {Path(self._plan.text).name} on {opened.model.name}/{opened.model.version}, "
            f"final after {opened.latency_us / 1e6:.1f} s"
        )
        names = {cluster.id: cluster.name for cluster in opened.clusters}
        return StreamInfo(opened.stream_id, title, names, clock=clock)


def _write_all(write: Callable[[Event], None], events: Sequence[Event]) -> None:
    for event in events:
        write(event)


def _numbers(stream: AsyncStream, source: Source) -> Numbers:
    return Numbers(stream.frames, source.dropped)
