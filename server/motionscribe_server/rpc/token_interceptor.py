"""Nobody without a token reaches a method: an interceptor before all services.

In: calls. Out: the same, or UNAUTHENTICATED before anything of theirs is read. Whose a call is decides access.py.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from motionscribe_server.access.audit import Audit
from motionscribe_server.access.tenants import Tenants
from motionscribe_server.errors import UnauthenticatedError
from motionscribe_server.metrics import Metrics

# says that the server serves, and nothing else; who balances load has no token
OPEN = "/grpc.health.v1.Health/"


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Turns calls without a token away before anything of theirs is read."""

    def __init__(self, tenants: Tenants, metrics: Metrics, audit: Audit) -> None:
        self._tenants = tenants
        self._metrics = metrics
        self._audit = audit

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        """Of grpc.aio.ServerInterceptor."""
        if not details.method.startswith(OPEN):
            try:
                self._tenants.tenant(details.invocation_metadata)
            except UnauthenticatedError as error:
                self._metrics.errors.labels(error.status).inc()
                return self._refusal(details.method.rpartition("/")[2], str(error))
        return await continuation(details)

    def _refusal(self, action: str, message: str) -> Any:
        async def refuse(_requests: Any, context: Any) -> None:
            self._audit.note(context.peer(), "", action, "", "UNAUTHENTICATED")
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, message)

        return grpc.stream_stream_rpc_method_handler(refuse)
