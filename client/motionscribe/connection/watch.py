"""Somebody else's live stream: typed events come in, and poses where asked, from the moment at which it is opened."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias, TypeVar

import grpc

from motionscribe.connection.delivery import Inbox
from motionscribe.errors import ServerFailed, from_status
from motionscribe.poses import Poses, poses_from_message
from motionscribe.threads import from_thread
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import Event
from motionscribe_proto.frames import WireError

ItemT_co = TypeVar("ItemT_co", covariant=True)
Read: TypeAlias = Callable[[Inbox, pb.StreamResponse], Sequence[ItemT_co]]
"""What an answer brings that is new. Raises WireError."""


def read_events(inbox: Inbox, answer: pb.StreamResponse) -> list[Event]:
    """Events alone."""
    return inbox.take(answer.update)


def read_events_and_poses(inbox: Inbox, answer: pb.StreamResponse) -> list[Event | Poses]:
    """Events, and poses of the server's watchers who asked for them."""
    return [poses_from_message(answer.poses)] if answer.HasField("poses") else [*inbox.take(answer.update)]


class AsyncWatch(Generic[ItemT_co]):
    """Async iterator of what `read` finds, made by AsyncClient.watch. Ends when the stream does."""

    def __init__(self, stub: Any, address: str, request: pb.WatchRequest, read: Read[ItemT_co]) -> None:
        self.start_us: int | None = None
        """Time of the stream's first frame, from `open` on; None where there was none yet or the server cannot say."""
        self._stub = stub
        self._address = address
        self._request = request
        self._read = read
        self._inbox = Inbox()
        self._items: deque[ItemT_co] = deque()
        self._call: Any = None
        self._answers: AsyncGenerator[pb.StreamResponse, None] | None = None

    async def open(self) -> None:
        """Connects, unless that was done: from here on nothing is missed. Raises NotFound where it is not live."""
        if self._answers is None:
            self._call = self._stub.Watch(self._request)
            self._answers = from_thread(iter(self._call))
            await self._take_answer(self._answers)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT_co:
        await self.open()
        while not self._items:
            if self._answers is None or not await self._take_answer(self._answers):
                raise StopAsyncIteration
        return self._items.popleft()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the call at once, and with it the iteration."""
        self._items.clear()
        if self._answers:
            self._call.cancel()
            await self._answers.aclose()

    async def _take_answer(self, answers: AsyncGenerator[pb.StreamResponse, None]) -> bool:
        """Queues what is in the next answer; False when there are no more. Raises an error of errors.py."""
        try:
            answer = await anext(answers, None)
            if answer is None:
                return False
            if answer.update.HasField("start_us"):
                self.start_us = answer.update.start_us
            self._items.extend(self._read(self._inbox, answer))
        except grpc.RpcError as error:
            raise from_status(error, self._address) from error
        except WireError as error:
            raise ServerFailed(f"{self._address}: {error}") from error
        return True
