"""The writing side of one call, an owner's or a watcher's: a queue of events, the newest poses, and how the call ends.

In: numbered events, whenever they come. Out: StreamResponse messages, one at a time, as fast as the other side reads;
events that came meanwhile share an Update. An owner's queue is bounded by its credits, a watcher's by `limit`. Poses
come after all events that wait. No gRPC here: the caller's `write` sends a message.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.errors import ExhaustedError, UnavailableError
from motionscribe_server.streams.event_backlog import is_provisional
from motionscribe_server.streams.pose_slot import PoseSlot

LARGEST_UPDATE = 2048
"""Events, labels of one moment being one. They have about 0.4 MB, well below the 4 MB that a client accepts."""


@dataclass(frozen=True)
class Progress:
    """What an Update says beside its events."""

    received_seq: int
    durable_seq: int
    credits: int


class UpdateWriter:
    """Writes to one call.

    `progress` is asked whenever an Update leaves. `limit` is how many events may wait before the call ends, None leaves
    that to the credits. Without `provisional`, labels that are not final are left out, and so are anomaly scores.
    """

    def __init__(
        self,
        progress: Callable[[], Progress],
        limit: int | None = None,
        provisional: bool = True,
        poses: bool = False,
    ) -> None:
        self._progress = progress
        self._limit = limit
        self._provisional = provisional
        self._runs: deque[tuple[int, list[pb.Event]]] = deque()
        self._waiting = 0
        self._last: list[pb.StreamResponse] = []
        self._wake = asyncio.Event()
        self._update_is_due = False
        self.poses = PoseSlot(self._wake.set) if poses else None
        """Where poses are put, None for those who want none."""
        self._asked: list[asyncio.Future[None]] = []
        self._error: Exception | None = None
        self.ended = False

    def put(self, first: int, events: Sequence[pb.Event]) -> None:
        """Events numbered from `first` on; a watcher that does not keep up is ended."""
        if self.ended:
            return
        for number, event in enumerate(events, first):
            if not self._provisional and is_provisional(event):
                continue
            run = self._runs[-1] if self._runs else None
            if run and number == run[0] + len(run[1]) and len(run[1]) < LARGEST_UPDATE:
                run[1].append(event)
            else:
                self._runs.append((number, [event]))
            self._waiting += 1
        if self._limit is not None and self._waiting > self._limit:
            self._runs.clear()
            self.end(ExhaustedError(f"expected a watcher that keeps up, got one with {self._waiting} events waiting"))
        self.nudge()

    def nudge(self) -> None:
        """Have an Update written even if there is no event: credits are due."""
        self._update_is_due = True
        self._wake.set()

    def end(self, error: Exception | None = None, last: Sequence[pb.StreamResponse] = ()) -> None:
        """After what waits and the messages `last`, the call ends: well, or with `error`. The first end counts."""
        if not self.ended:
            self.ended, self._error, self._last = True, error, list(last)
            self.nudge()

    async def confirm(self) -> None:
        """Has an Update written and returns when it was: proof that the call is alive."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append(written)
        self.nudge()
        await written

    async def drain(
        self,
        write: Callable[[pb.StreamResponse], Awaitable[None]],
        ready: Callable[[], Awaitable[None]],
        patience_s: float,
    ) -> None:
        """Writes until the end; raises its error. `ready` is awaited before each Update with events.

        Raises UnavailableError where the other side does not read for `patience_s`.
        """
        try:
            await self._drain(write, ready, patience_s)
        except TimeoutError:
            raise UnavailableError(f"expected a client that reads, got none for {patience_s:g} s") from None

    async def _drain(
        self,
        write: Callable[[pb.StreamResponse], Awaitable[None]],
        ready: Callable[[], Awaitable[None]],
        patience_s: float,
    ) -> None:
        async def send(message: pb.StreamResponse) -> None:
            async with asyncio.timeout(patience_s):
                await write(message)

        while True:
            await self._wake.wait()
            self._wake.clear()
            is_due, self._update_is_due = self._update_is_due, False
            asked, self._asked = self._asked, []
            if is_due and not self._runs:
                await send(self._update(0, []))
            while self._runs:
                first, events = self._runs.popleft()
                self._waiting -= len(events)
                try:
                    await ready()
                except Exception as error:
                    raise self._error or error from None  # the first end counts
                await send(self._update(first, events))
            for future in asked:
                if not future.done():
                    future.set_result(None)
            if self.ended and not self._runs:
                for message in self._last:
                    await send(message)
                if self._error:
                    raise self._error
                return
            if self.poses and (poses := self.poses.take()):
                await send(pb.StreamResponse(poses=poses))

    def _update(self, first: int, events: Sequence[pb.Event]) -> pb.StreamResponse:
        progress = self._progress()
        return pb.StreamResponse(
            update=pb.Update(
                first_event=first,
                events=events,
                durable_seq=progress.durable_seq,
                credits=progress.credits,
                received_seq=progress.received_seq,
            )
        )
