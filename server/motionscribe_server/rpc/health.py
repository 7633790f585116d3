"""The service grpc.health.v1, which needs no token: whether this server serves, until it begins to drain.

In: names of services, from anybody. Out: statuses. Nothing of a request is kept, it has a size and a time to come,
watchers have a number, and nobody waits for one that does not read. (The servicer of grpcio-health keeps every name
that it is asked for, and a drain waits for its watchers.)
"""

import asyncio
from collections.abc import AsyncIterator, Iterable

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import DESCRIPTOR, HealthCheckRequest, HealthCheckResponse

from motionscribe_server.errors import ExhaustedError, NotFoundError, RequestError, ServerError, UnavailableError
from motionscribe_server.rpc.calls import Context, abort

NAME = DESCRIPTOR.services_by_name["Health"].full_name
LONGEST_REQUEST = 256
"""Bytes; the longest name of a service has 31."""
MOST_WATCHERS = 256
PATIENCE_S = 5.0
"""For a request that does not come, and for an answer that nobody reads."""


class HealthService:
    """Whether the services `names` are served: all of them, or none."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(("", *names))
        self._watchers = 0
        self._ended = asyncio.Event()
        self.serves = False
        """Set from the start to the drain."""

    def begin(self) -> None:
        """The server serves."""
        self.serves = True

    def end(self) -> None:
        """The server serves no more: watchers hear of it, and their calls end."""
        self.serves = False
        self._ended.set()

    def handler(self) -> grpc.GenericRpcHandler:
        """For grpc.aio.Server. Methods read for themselves, so that a call can be refused before its request comes."""
        methods = {"Check": self._check, "Watch": self._watch}
        return grpc.method_handlers_generic_handler(
            NAME, {name: grpc.stream_stream_rpc_method_handler(method) for name, method in methods.items()}
        )

    async def _check(self, _requests: AsyncIterator[bytes], context: Context) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                name = await _read_name(context)
                if name not in self._names:
                    raise NotFoundError("expected the name of a service of this server, got another one")
                await context.write(self._status(name))
        except (TimeoutError, ServerError) as error:
            await _refuse(context, error)

    async def _watch(self, _requests: AsyncIterator[bytes], context: Context) -> None:
        self._watchers += 1
        try:
            if self._watchers > MOST_WATCHERS:
                raise ExhaustedError(f"expected at most {MOST_WATCHERS} watchers of health, got one more")
            async with asyncio.timeout(PATIENCE_S):
                name = await _read_name(context)
                await context.write(self._status(name))
            await self._ended.wait()
            async with asyncio.timeout(PATIENCE_S):
                await context.write(self._status(name))
        except (TimeoutError, ServerError) as error:
            await _refuse(context, error)
        finally:
            self._watchers -= 1

    def _status(self, name: str) -> bytes:
        known = HealthCheckResponse.SERVING if self.serves else HealthCheckResponse.NOT_SERVING
        status = known if name in self._names else HealthCheckResponse.SERVICE_UNKNOWN
        return bytes(HealthCheckResponse(status=status).SerializeToString())


async def _read_name(context: Context) -> str:
    """The name in a request. Raises RequestError."""
    request = await context.read()
    if request is grpc.aio.EOF:
        raise RequestError("expected a request, got the end of the call")
    if len(request) > LONGEST_REQUEST:
        raise RequestError(f"expected a request of at most {LONGEST_REQUEST} bytes, got {len(request)}")
    try:
        return str(HealthCheckRequest.FromString(request).service)
    except DecodeError:
        raise RequestError("expected a HealthCheckRequest, got other bytes") from None


async def _refuse(context: Context, error: TimeoutError | ServerError) -> None:
    if isinstance(error, TimeoutError):
        error = UnavailableError(f"expected a client that asks and reads within {PATIENCE_S:g} s, got another one")
    await abort(context, error.status, str(error))
