"""What can go wrong between client and server; `from_status` is the one place that maps gRPC statuses.

The message is the server's own: it says what was expected and what came. Errors of a source (a file that is no
recording, an iterator that raises) pass through as they are.
"""
# ruff: noqa: N818  the names say what happened; all of them end in an error

from collections.abc import Mapping

import grpc


class MotionscribeError(Exception):
    """Base of all errors of this package."""


class ConnectionFailed(MotionscribeError, ConnectionError):
    """No server there, or it went away and did not come back within the attempts allowed."""


class BadRequest(MotionscribeError, ValueError):
    """A field of a request is not what the server accepts."""


class BadFrames(BadRequest):
    """Frames of another width than the model's, not finite, or time or seq running backwards."""


class NotFound(MotionscribeError, LookupError):
    """No such stream or cluster."""


class UnknownModel(NotFound):
    """The server has no model of this name or version."""


class DoesNotFit(MotionscribeError):
    """The source's layout is not the model's, or the server has several models and none was named."""


class StreamInUse(MotionscribeError):
    """The stream id belongs to another live connection."""


class TooMuch(MotionscribeError):
    """More than the server takes: too many streams, a message too large, a watcher that does not keep up."""


class NotAllowed(MotionscribeError):
    """The server wants a token, and another one than it got."""


class NotOffered(MotionscribeError):
    """This server does not offer that."""


class ServerFailed(MotionscribeError):
    """The server failed; its log says why."""


class BadEventsFile(MotionscribeError, ValueError):
    """A file is not the events that `motionscribe stream --save` writes."""


StatusErrors = Mapping[grpc.StatusCode, type[MotionscribeError]]

ERRORS: StatusErrors = {
    grpc.StatusCode.INVALID_ARGUMENT: BadRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: DoesNotFit,
    grpc.StatusCode.ALREADY_EXISTS: StreamInUse,
    grpc.StatusCode.ABORTED: StreamInUse,  # resumed on a newer connection
    grpc.StatusCode.RESOURCE_EXHAUSTED: TooMuch,
    grpc.StatusCode.UNAUTHENTICATED: NotAllowed,
    grpc.StatusCode.UNIMPLEMENTED: NotOffered,
    grpc.StatusCode.UNAVAILABLE: ConnectionFailed,
    grpc.StatusCode.CANCELLED: ConnectionFailed,
    grpc.StatusCode.DEADLINE_EXCEEDED: ConnectionFailed,
}
STREAM_ERRORS: StatusErrors = {
    **ERRORS,
    grpc.StatusCode.INVALID_ARGUMENT: BadFrames,
    grpc.StatusCode.NOT_FOUND: UnknownModel,
}
MODEL_ERRORS: StatusErrors = {**ERRORS, grpc.StatusCode.NOT_FOUND: UnknownModel}


def from_status(error: grpc.RpcError, address: str, errors: StatusErrors = ERRORS) -> MotionscribeError:
    """The typed error of a failed call to `address`."""
    kind = errors.get(error.code(), ServerFailed)
    details = error.details() or error.code().name
    if kind is ConnectionFailed:
        return kind(f"no connection to {address}: {details}")
    if kind is ServerFailed:
        return kind(f"{address} answered {error.code().name}: {details}")
    return kind(details)
