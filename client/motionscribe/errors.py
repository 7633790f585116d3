"""Errors between client and server; `from_status` is the one place that maps gRPC statuses.

The message is the server's own: it says what was expected and what came. Errors of a source (a file that is no
recording, an iterator that raises) are raised unchanged.
"""
# ruff: noqa: N818  the names say what happened

from collections.abc import Mapping

import grpc


class MotionscribeError(Exception):
    """Base of all errors of this package."""


class ConnectionFailed(MotionscribeError, ConnectionError):
    """No server answers, or it went away and did not return within the attempts allowed."""


class BadRequest(MotionscribeError, ValueError):
    """The server does not accept a field of the request."""


class BadFrames(BadRequest):
    """Frames of another width than the model's, not finite, of times of no use, or seq running backwards."""


class NotFound(MotionscribeError, LookupError):
    """No such stream or cluster, or no such live feed."""


class UnknownModel(NotFound):
    """The server has no model of this name or version."""


class DoesNotFit(MotionscribeError):
    """The source's layout is not the model's, or the server has several models and none was named."""


class StreamInUse(MotionscribeError):
    """The stream id belongs to another live connection."""


class TooMuch(MotionscribeError):
    """A limit of the server: too many streams or names, a message too large, a watcher that is too slow."""


class NotAllowed(MotionscribeError):
    """Token missing or rejected."""


class NotOffered(MotionscribeError):
    """The server does not have this feature."""


class ServerFailed(MotionscribeError):
    """The server failed; its log says why."""


class BadFile(MotionscribeError, ValueError):
    """A file is not what an option wants: another kind, or one that would be lost."""


class BadEventsFile(BadFile):
    """A file does not hold events as `motionscribe stream --save` writes them."""


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
