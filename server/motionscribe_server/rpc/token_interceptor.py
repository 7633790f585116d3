"""Turns calls without a token away, before any service sees them.

In: calls. Out: the same calls, or UNAUTHENTICATED before any of their messages is read. Tokens are checked in
access/tenants.py.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from motionscribe_server.access.audit import Audit
from motionscribe_server.access.tenants import Tenants
from motionscribe_server.errors import UnauthenticatedError
from motionscribe_server.metrics import Metrics

# says that the server serves, and nothing else; load balancers have no token
OPEN_TO_ALL = "/grpc.health.v1.Health/"


LONGEST_ACTION = 64
"""Characters of a method that the audit log keeps: strangers choose it."""


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Before all services of one port."""

    def __init__(self, tenants: Tenants, metrics: Metrics, audit: Audit) -> None:
        self._tenants = tenants
        self._metrics = metrics
        self._audit = audit

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        """Called by gRPC for every call."""
        if not details.method.startswith(OPEN_TO_ALL):
            try:
                self._tenants.tenant(details.invocation_metadata)
            except UnauthenticatedError as error:
                self._metrics.errors.labels(error.status).inc()
                return self._refusal(details.method.rpartition("/")[2][:LONGEST_ACTION], str(error))
        return await continuation(details)

    def _refusal(self, action: str, message: str) -> Any:
        async def refuse(_requests: Any, context: Any) -> None:
            self._audit.note(context.peer(), "", action, "", "UNAUTHENTICATED")
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, message)

        return grpc.stream_stream_rpc_method_handler(refuse)
