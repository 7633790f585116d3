"""What every method does around its work: it finds the tenant, turns errors into gRPC statuses, writes the audit log.

In: a call's context. Out: a Call while the work lasts. It knows no service.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.message import Message

from motionscribe_server.access.audit import Audit
from motionscribe_server.access.tenants import Tenants
from motionscribe_server.errors import is_foreseen, status_of
from motionscribe_server.metrics import Metrics
from motionscribe_server.rpc.limits import STREAM_ID, check_limits
from motionscribe_server.stream_keys import key_of

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

log = logging.getLogger(__name__)

# gRPC refuses a status whose message fills the 8 KB of its headers
LONGEST_MESSAGE = 1000
PATIENCE_S = 10.0


@dataclass
class Call:
    """Who calls, and about which stream."""

    peer: str
    tenant: str
    action: str
    stream: str

    @property
    def key(self) -> str:
        """The stream's key (stream_keys.py)."""
        return key_of(self.tenant, self.stream)


class RpcCalls:
    """The calls of all services of one port."""

    def __init__(self, tenants: Tenants, metrics: Metrics, audit: Audit) -> None:
        self._tenants = tenants
        self._metrics = metrics
        self._audit = audit

    @asynccontextmanager
    async def __call__(self, context: Context, action: str, request: Message | None = None) -> AsyncIterator[Call]:
        """Checks the limits of `request`. Aborts the call with the status of whatever is raised inside.

        Errors that nobody foresaw are only logged.
        """
        stream_id = str(getattr(request, "stream_id", ""))[: STREAM_ID.characters]
        call = Call(context.peer(), self._tenants.tenant(context.invocation_metadata()), action, stream_id)
        status = "OK"
        try:
            if request is not None:
                check_limits(request)
            yield call
        except (asyncio.CancelledError, grpc.aio.AbortError):
            status = "CANCELLED"
            raise
        except Exception as error:
            status = status_of(error)
            self._metrics.errors.labels(status).inc()
            message = str(error)
            if not is_foreseen(error):
                log.exception("a call failed")
                message = "internal error; the server's log says more"
            await abort(context, status, message)
        finally:
            self.note(call, status)

    def note(self, call: Call, outcome: str) -> None:
        """Writes a line to the audit log."""
        self._audit.note(call.peer, call.tenant, call.action, call.stream, outcome)


async def abort(context: Context, status: str, message: str) -> NoReturn:
    """Ends a call with a status. Never returns: it raises what gRPC understands.

    A status waits behind what the client does not read. After PATIENCE_S the call ends as if the client had left;
    gRPC forgets it with its connection, or when the server stops.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            await context.abort(grpc.StatusCode[status], message[:LONGEST_MESSAGE])
    except grpc.aio.AbortError:
        raise
    except Exception:  # also where a write that was given up is still on its way
        log.debug("a call did not take its status", exc_info=True)
    raise asyncio.CancelledError
