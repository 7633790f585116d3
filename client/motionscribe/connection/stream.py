"""One live stream: frames of a source go out, typed events come in, over as many connections as it takes.

Three tasks work between the two queues at the ends: one takes blocks from the source, one writes what the credits
allow, one reads answers and reconnects. What was sent and received is the business of delivery.py.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc

from motionscribe.connection.backoff import Backoff
from motionscribe.connection.call import Call
from motionscribe.connection.delivery import Inbox, Outbox
from motionscribe.descriptions import Model, Opened, opened_from_message
from motionscribe.errors import STREAM_ERRORS, ConnectionFailed, ServerFailed, from_status
from motionscribe.pacing import Pacer
from motionscribe.sources import Source
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_to_message
from motionscribe_proto.events import Event, Restarted
from motionscribe_proto.frames import WireError

# a consumer that is this many answers behind stops the reading, and with it the credits
WAITING_UPDATES = 64
# how long one attempt to reconnect may take, until the stream is open again
REOPEN_S = 10.0
# our server gives up on a client of which it hears nothing for two minutes
IDLE_S = 30.0


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
        self._stub = stub
        self._address = address
        self._describe = describe
        self._request = request
        self._source = source
        self._block = block
        self._pacer = pacer
        self._backoff = backoff
        self._durable = request.delivery == pb.DELIVERY_DURABLE
        self._task: asyncio.Task[None] | None = None
        self._outbox = Outbox()
        self._inbox = Inbox()
        self._batches: asyncio.Queue[_Batch | None] = asyncio.Queue(WAITING_UPDATES)
        self._last_batch: _Batch | None = None
        self._events: deque[Event] = deque()
        self._ended = False
        self._opened: Opened | None = None
        self._failure: BaseException | None = None
        self._ready = asyncio.Event()
        """Opened for the first time, or failed to."""
        self._connected = asyncio.Event()
        """Opened on the present connection."""
        self._wake = asyncio.Event()
        """The writer has something to look at."""
        self._room = asyncio.Event()
        """The source may give its next block."""
        self._source_ended = self._close_sent = False
        self._unanswered = False
        """The session was lost after the last frame was sent."""
        self._received_seq = 0
        self._progress = False

    @property
    def opened(self) -> Opened:
        """What the server said when it opened the stream, on the latest connection."""
        if self._opened is None:
            raise RuntimeError("not open yet: use `async with` or `await stream.open()`")
        return self._opened

    @property
    def done(self) -> bool:
        """True when its work is done or it was closed; events may still wait to be taken."""
        return self._task is not None and self._task.done()

    async def open(self) -> Opened:
        """Connects, unless that was done. Raises the server's refusal as an error of errors.py."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"motionscribe {self._request.stream_id}")
        await self._ready.wait()
        if self._opened is None and self._failure:
            raise self._failure
        return self.opened

    async def batch(self) -> list[Event]:
        """The events of the next answer; empty when the stream has ended. Those of the one before count as handled."""
        await self.open()
        if self._last_batch:
            self._last_batch.inbox.handled = self._last_batch.last_event
            self._wake.set()
        self._last_batch = None if self._ended else await self._batches.get()
        if self._last_batch:
            return self._last_batch.events
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
            await _cancel({self._task})
        self._events.clear()
        while not self._batches.empty():
            self._batches.get_nowait()
        self._batches.put_nowait(None)

    # ---- the tasks ----

    async def _run(self) -> None:
        """Both ends until one fails or all is done; then tells the consumer."""
        tasks = {asyncio.create_task(self._converse()), asyncio.create_task(self._take_from_source())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            self._failure = next((error for task in done if (error := task.exception())), None)
        finally:
            await _cancel(tasks)
            self._ready.set()
        await self._batches.put(None)

    async def _take_from_source(self) -> None:
        await self._ready.wait()
        size = self._block or max(1, round((self._source.rate_hz or self.opened.model.rate_hz) / 10))
        async with aclosing(self._source.blocks(size)) as blocks:
            async for block in blocks:
                if self._pacer:
                    await asyncio.sleep(self._pacer.wait_s(int(block.timestamps_us[0]), int(block.timestamps_us[-1])))
                await self._room.wait()
                self._room.clear()
                self._outbox.put(block)
                self._unanswered = False
                self._wake.set()
        self._source_ended = True
        self._wake.set()

    async def _converse(self) -> None:
        """Connection after connection, until the stream has ended."""
        if self._request.WhichOneof("layout") is None:
            # a source that does not know its columns has the model's; the server checks how many there are
            model = await self._describe(self._request.model, self._request.version)
            self._request.features.names.extend(model.columns)
        attempt = 0
        while True:
            self._progress = False
            try:
                pause_s = await self._connect()
                if pause_s is None:
                    return
                reason: Exception = ConnectionFailed(f"{self._address} ended the call")
            except ConnectionFailed as error:
                if self._opened is None:
                    raise
                pause_s, reason = 0.0, error
            attempt = 1 if self._progress else attempt + 1
            if attempt > self._backoff.attempts:
                raise ConnectionFailed(f"gave up after {self._backoff.attempts} attempts to reconnect: {reason}")
            await asyncio.sleep(max(pause_s, self._backoff.wait_s(attempt)))

    async def _connect(self) -> float | None:
        """One connection. None when the stream has ended, else how many seconds to stay away before the next."""
        self._connected.clear()
        self._request.last_event = self._inbox.last_event
        again = self._opened is not None
        # gRPC looks for a server that is away while a call waits for it, else once in five seconds
        call = Call(self._stub.Stream, patient=again)
        reading = asyncio.create_task(self._read(call))
        writing = asyncio.create_task(self._write(call))
        connecting = asyncio.create_task(self._connected.wait())
        ends = {reading, writing}
        try:
            patience_s = REOPEN_S if again else None
            done, _ = await asyncio.wait({*ends, connecting}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                raise ConnectionFailed(f"no connection to {self._address} for {REOPEN_S:g} s")
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
            return await reading
        finally:
            call.cancel()
            await _cancel({*ends, connecting})

    async def _read(self, call: Call) -> float | None:
        try:
            async with aclosing(call.answers()) as answers:
                async for answer in answers:
                    match answer.WhichOneof("message"):
                        case "opened" if not self._connected.is_set():
                            await self._receive_opened(answer.opened)
                        case "update" if self._connected.is_set():
                            await self._receive_update(answer.update)
                        case "go_away":
                            self._request.resume_token = answer.go_away.resume_token or self._request.resume_token
                            return float(answer.go_away.retry_after_ms) / 1000
                        case kind:
                            raise WireError(f"expected an answer in its order, got {kind}")
            if self._close_sent and self._unanswered:
                raise ServerFailed(f"{self._address} lost the session before its last answers came")
            return None if self._close_sent else 0.0
        except grpc.RpcError as error:
            raise from_status(error, self._address, STREAM_ERRORS) from error
        except WireError as error:
            raise ServerFailed(f"{self._address}: {error}") from error

    async def _receive_opened(self, message: pb.Opened) -> None:
        if message.next_seq < 1:
            raise WireError(f"expected next_seq of 1 or more, got {message.next_seq}")
        lost = self._opened is not None and not message.resumed
        if lost and self._durable:
            raise ServerFailed(f"{self._address} has lost the durable stream {self._request.stream_id!r}")
        self._opened = opened_from_message(self._request.stream_id, message)
        self._request.resume_token = message.resume_token
        self._close_sent = False
        self._outbox.reopen(message.next_seq, message.credits)
        if lost:
            self._inbox = Inbox()
            self._unanswered = self._outbox.empty
            restarted = Restarted(*self._outbox.position, "the server had lost the session: it starts afresh")
            await self._batches.put(_Batch(self._inbox, 0, [restarted]))
        self._connected.set()
        self._ready.set()

    async def _receive_update(self, update: pb.Update) -> None:
        events = self._inbox.take(update)
        self._progress |= bool(events) or update.received_seq > self._received_seq
        self._received_seq = update.received_seq
        self._outbox.received(update.durable_seq if self._durable else update.received_seq, update.credits)
        self._wake.set()
        if events:
            await self._batches.put(_Batch(self._inbox, self._inbox.last_event, events))

    async def _write(self, call: Call) -> None:
        await call.write(pb.StreamRequest(open=self._request))
        await self._connected.wait()
        acknowledged, idle = 0, False
        while True:
            self._wake.clear()
            if idle or self._inbox.handled > acknowledged:
                acknowledged = self._inbox.handled
                await call.write(pb.StreamRequest(ack=pb.Ack(last_event=acknowledged)))
            while block := self._outbox.take():
                await call.write(pb.StreamRequest(frames=frames_to_message(block)))
            if self._outbox.empty:
                self._room.set()
                if self._source_ended and not self._close_sent:
                    self._close_sent = True
                    await call.write(pb.StreamRequest(close=pb.Close()))
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._wake.wait()
                idle = False
            except TimeoutError:
                idle = True


@dataclass(frozen=True)
class _Batch:
    """The new events of one answer, and what to acknowledge when they were handled."""

    inbox: Inbox
    last_event: int
    events: list[Event]


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    """Returns when all have ended; what they raised is of no interest any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
