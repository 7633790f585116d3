"""One live stream: frames of a source go out, typed events come in.

Two tasks work between source and consumer: one takes blocks from the source, one runs the link to the server (link.py).
A source that fails is told to the consumer after the events of all that it gave.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from motionscribe.connection.backoff import Backoff
from motionscribe.connection.link import Batch, Link, cancel_all
from motionscribe.descriptions import Model, Opened
from motionscribe.errors import BadFrames
from motionscribe.pacing import Pacer
from motionscribe.sources import Source
from motionscribe.sources.in_order import in_order
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_proto.events import Event, Restarted
from motionscribe_proto.frames import FrameBlock


class AsyncStream:
    """Async iterator of events, made by AsyncClient.stream. Ends when every label is final."""

    def __init__(
        self,
        stub: Any,
        address: str,
        describe: Callable[[str, str], Awaitable[Model]],
        request: pb.Open,
        source: Source,
        block: int | None,
        pacer: Pacer | None,
        backoff: Backoff,
    ) -> None:
        self._request = request
        self._link = Link(stub, address, describe, request, backoff)
        self._name = f"motionscribe {request.stream_id}"
        self._source = source
        self._block = block
        self._pacer = pacer
        self._task: asyncio.Task[None] | None = None
        self._last_batch: Batch | None = None
        self._events: deque[Event] = deque()
        self._ended = False
        self._failure: BaseException | None = None
        self._source_failure: BaseException | None = None
        self.frames = 0
        """That the source gave and the stream took, to be sent."""
        self._taking: asyncio.Task[Any] | None = None
        self._finishing = False
        self._restarts: dict[int, str] = {}
        """Why the sender's clock goes on anew, by the time of the first frame."""

    @property
    def opened(self) -> Opened:
        """What the server said when it opened the stream, on the latest connection."""
        if self._link.opened is None:
            raise RuntimeError("not open yet: use `async with` or `await stream.open()`")
        return self._link.opened

    @property
    def done(self) -> bool:
        """True when its work is done or it was closed; events may still wait to be taken."""
        return self._task is not None and self._task.done()

    @property
    def connected(self) -> bool:
        """False before it is open, and while the server is away."""
        return self._link.connected

    def finish(self) -> None:
        """No more frames are taken from the source: the stream ends well, with the labels of those that were."""
        self._finishing = True
        if self._taking:
            self._taking.cancel()

    async def open(self) -> Opened:
        """Connects, unless that was done. Raises the server's refusal as an error of errors.py."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self._name)
        await self._link.ready.wait()
        if self._link.opened is None and self._failure:
            raise self._failure
        return self.opened

    async def batch(self) -> list[Event]:
        """The events of the next answer; empty when the stream has ended. Those of the one before count as handled."""
        await self.open()
        if self._last_batch:
            self._link.acknowledge(self._last_batch)
        self._last_batch = None if self._ended else await self._link.batches.get()
        if self._last_batch:
            return [self._explained(event) for event in self._last_batch.events]
        if self._failure and not self._ended:
            self._ended = True
            raise self._failure
        self._ended = True
        return []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._events:
            self._events.extend(await self.batch())
        if not self._events:
            raise StopAsyncIteration
        return self._events.popleft()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the call at once, whatever is on its way, and with it the iteration."""
        if self._task:
            await cancel_all({self._task})
        self._events.clear()
        while not self._link.batches.empty():
            self._link.batches.get_nowait()
        self._link.batches.put_nowait(None)

    async def _run(self) -> None:
        """Both tasks until one fails or all is done; then the end for the consumer."""
        try:
            await self._await_source()
            await self._work()
        except Exception as error:
            self._failure = error
        finally:
            self._link.ready.set()
        await self._link.batches.put(None)

    async def _await_source(self) -> None:
        """The request says what the columns are when the source knows it."""
        await self._source.ready()
        if self._source.skeleton:
            self._request.skeleton.CopyFrom(skeleton_to_message(self._source.skeleton))
        self._request.rate_hz = self._source.rate_hz

    async def _work(self) -> None:
        tasks = {asyncio.create_task(self._link.run()), asyncio.create_task(self._take_from_source())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            self._failure = next((error for task in done if (error := task.exception())), None)
            if self._failure and self._source_failure:
                self._failure.add_note(f"before that the source failed: {self._source_failure!r}")
            self._failure = self._failure or self._source_failure
        finally:
            await cancel_all(tasks)

    def _check_width(self, block: FrameBlock) -> None:
        """Raises BadFrames. The server sees values without their width, and may find whole frames in wrong ones."""
        skeleton = self._source.skeleton
        expected, got = skeleton.width if skeleton else len(self.opened.model.columns), block.values.shape[1]
        if expected and got != expected:
            hint = "" if skeleton else f", for {self.opened.model.name}; say what yours are with skeleton="
            raise BadFrames(f"expected {expected} values a frame, got {got}{hint}")

    async def _take_from_source(self) -> None:
        self._taking = asyncio.current_task()  # from here on it may be cancelled by `finish`
        try:
            await self._link.ready.wait()
            if not self._finishing:
                await self._send_all()
        except BaseException as error:
            task = asyncio.current_task()
            if not (task and task.cancelling()):  # by us; a source may raise CancelledError as well
                self._source_failure = error
            elif not self._finishing:
                raise
        self._link.finish()

    async def _send_all(self) -> None:
        size = self._block or max(1, round((self._source.rate_hz or self.opened.model.rate_hz) / 10))
        async with aclosing(in_order(self._source, size, self._restarts.__setitem__)) as blocks:
            async for block in blocks:
                self._check_width(block)
                if self._pacer:
                    await asyncio.sleep(self._pacer.wait_s(int(block.timestamps_us[0]), int(block.timestamps_us[-1])))
                await self._link.send(block)
                self.frames += len(block)

    def _explained(self, event: Event) -> Event:
        """The server sees a gap where the sender's clock goes on anew."""
        if isinstance(event, Restarted) and event.time_us in self._restarts:
            return replace(event, reason=self._restarts.pop(event.time_us))
        return event
