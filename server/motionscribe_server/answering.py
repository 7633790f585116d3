"""Errors of a call as gRPC statuses: the one place where ours become theirs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import grpc

from motionscribe_server.errors import is_foreseen, status_of
from motionscribe_server.metrics import Metrics

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

log = logging.getLogger(__name__)

# gRPC refuses a status whose message fills the 8 KB of its headers
LONGEST_MESSAGE = 1000
PATIENCE_S = 10.0


@asynccontextmanager
async def answering(context: Context, metrics: Metrics) -> AsyncIterator[None]:
    """Aborts the call with the status of whatever is raised inside; unforeseen errors are logged, not told."""
    try:
        yield
    except (asyncio.CancelledError, grpc.aio.AbortError):
        raise
    except Exception as error:
        status = status_of(error)
        metrics.errors.labels(status).inc()
        message = str(error)
        if not is_foreseen(error):
            log.exception("a call failed")
            message = "internal error; the server's log says more"
        # a status waits behind what the client does not read
        async with asyncio.timeout(PATIENCE_S):
            await context.abort(grpc.StatusCode[status], message[:LONGEST_MESSAGE])
