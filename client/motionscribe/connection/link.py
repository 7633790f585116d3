"""The link of one stream to its server: frames go out and events come in, over as many calls as it takes.

Two tasks work on each call: one writes what the credits allow, one reads the answers. When a call breaks, the next one
resumes the session. What was sent and received is the business of delivery.py, the source and the consumer that of
stream.py.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc

from motionscribe.connection.backoff import Backoff
from motionscribe.connection.call import Call
from motionscribe.connection.delivery import Inbox, Outbox
from motionscribe.descriptions import Model, Opened, opened_from_message
from motionscribe.errors import STREAM_ERRORS, ConnectionFailed, ServerFailed, from_status
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_to_message
from motionscribe_proto.events import Event, Restarted
from motionscribe_proto.frames import FrameBlock, WireError

# a consumer that is this many answers behind stops the reading, and with it the credits
WAITING_UPDATES = 64
# how long one attempt to reconnect may take, until the stream is open again
REOPEN_S = 10.0
# our server gives up on a client of which it hears nothing for two minutes
IDLE_S = 30.0


@dataclass(frozen=True)
class Batch:
    """The new events of one answer, and what to acknowledge when they were handled."""

    inbox: Inbox
    last_event: int
    events: list[Event]


class Link:
    """Sends blocks and queues batches of events from `run` until the server has answered everything."""

    def __init__(
        self,
        stub: Any,
        address: str,
        describe: Callable[[str, str], Awaitable[Model]],
        request: pb.Open,
        backoff: Backoff,
    ) -> None:
        self.batches: asyncio.Queue[Batch | None] = asyncio.Queue(WAITING_UPDATES)
        """Events for the consumer; the owner of the link adds a None at the end."""
        self.opened: Opened | None = None
        """What the server said when it opened the stream, on the latest connection."""
        self.ready = asyncio.Event()
        """Opened for the first time; the owner sets it too where that failed."""
        self._stub = stub
        self._address = address
        self._describe = describe
        self._request = request
        self._backoff = backoff
        self._durable = request.delivery == pb.DELIVERY_DURABLE
        self._outbox = Outbox()
        self._inbox = Inbox()
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
        self._unheard = 0
        """Opens of ours that nobody answered: each may still reach a server, and take the stream from the next one."""

    @property
    def connected(self) -> bool:
        """Opened, and the connection stands."""
        return self._connected.is_set()

    async def send(self, block: FrameBlock) -> None:
        """Returns when the block is queued; waits while the one before it has not left. Raises BadFrames."""
        await self._room.wait()
        self._room.clear()
        self._outbox.put(block)
        self._unanswered = False
        self._wake.set()

    def finish(self) -> None:
        """No more blocks: the server is told when everything was sent."""
        self._source_ended = True
        self._wake.set()

    def acknowledge(self, batch: Batch) -> None:
        """The consumer is done with the events of `batch`; the server may forget them."""
        batch.inbox.handled = batch.last_event
        self._wake.set()

    async def run(self) -> None:
        """Connection after connection, until the stream has ended. Raises an error of errors.py."""
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
                if self.opened is None:
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
        again = self.opened is not None
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
            self._unheard += not self._connected.is_set()
            call.cancel()
            await cancel_all({*ends, connecting})
            self._connected.clear()

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
            if self._durable and self.opened and error.code() is grpc.StatusCode.FAILED_PRECONDITION:
                raise self._lost() from error
            if self._connected.is_set() and self._unheard and error.code() is grpc.StatusCode.ABORTED:
                self._unheard -= 1
                return 0.0
            raise from_status(error, self._address, STREAM_ERRORS) from error
        except WireError as error:
            raise ServerFailed(f"{self._address}: {error}") from error

    async def _receive_opened(self, message: pb.Opened) -> None:
        if message.next_seq < 1:
            raise WireError(f"expected next_seq of 1 or more, got {message.next_seq}")
        lost = self.opened is not None and not message.resumed
        if lost and self._durable:
            raise self._lost()
        self.opened = opened_from_message(self._request.stream_id, message)
        self._request.resume_token = message.resume_token
        self._close_sent = False
        self._outbox.reopen(message.next_seq, message.credits, message.resumed)
        if lost:
            self._inbox = Inbox()
            self._unanswered = self._outbox.empty
            restarted = Restarted(*self._outbox.position, "the server had lost the session: it starts afresh")
            await self.batches.put(Batch(self._inbox, 0, [restarted]))
        self._connected.set()
        self.ready.set()

    def _lost(self) -> ServerFailed:
        return ServerFailed(f"{self._address} has lost the durable stream {self._request.stream_id!r}")

    async def _receive_update(self, update: pb.Update) -> None:
        events = self._inbox.take(update)
        self._progress |= bool(events) or update.received_seq > self._received_seq
        self._received_seq = update.received_seq
        self._outbox.received(update.durable_seq if self._durable else update.received_seq, update.credits)
        self._wake.set()
        if events:
            await self.batches.put(Batch(self._inbox, self._inbox.last_event, events))

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


async def cancel_all(tasks: set[asyncio.Task[Any]]) -> None:
    """Returns when all have ended; what they raised is dropped."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
