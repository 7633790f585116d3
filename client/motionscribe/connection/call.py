"""One bidirectional call, as an event loop sees it.

It runs on gRPC's blocking API: grpc.aio forgets how a call ended when a message is written at that moment, and disturbs
other event loops of the process (grpc issue 25364).
"""

import asyncio
import queue
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import Any

from motionscribe.threads import from_thread
from motionscribe_proto import segmentation_pb2 as pb

# answers that may wait unread: few, so that a consumer that is behind stops the server
ANSWERS_AHEAD = 16


class Call:
    """A call of `method`, Segmentation.Stream, that begins at once, or when there is a connection (`patient`)."""

    def __init__(self, method: Callable[..., Any], patient: bool = False) -> None:
        self._loop = asyncio.get_running_loop()
        self._requests: queue.SimpleQueue[pb.StreamRequest | None] = queue.SimpleQueue()
        self._left = asyncio.Event()
        self._call = method(self._outgoing(), wait_for_ready=patient)

    async def write(self, request: pb.StreamRequest) -> None:
        """Returns when gRPC has sent it, never on a call that has ended: reading says how."""
        self._left.clear()
        self._requests.put(request)
        await self._left.wait()

    def answers(self) -> AsyncGenerator[pb.StreamResponse, None]:
        """Answers in their order. Raises grpc.RpcError where the call does not end well."""
        return from_thread(iter(self._call), ANSWERS_AHEAD)

    def cancel(self) -> None:
        """Ends the call if it has not ended."""
        self._call.cancel()
        self._requests.put(None)

    def _outgoing(self) -> Iterator[pb.StreamRequest]:
        """In a thread of gRPC, which asks for the next message when the one before has left."""
        while (request := self._requests.get()) is not None:
            yield request
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._left.set)
