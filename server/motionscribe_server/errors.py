"""What can go wrong in the server, each with the gRPC status that its client sees.

A status is the name of a grpc.StatusCode, so that code without gRPC can raise these. Messages say what was expected
and what came. `status_of` is the one place that maps errors, ours and those of the contracts.
"""

from motionscribe_models.errors import ContractError
from motionscribe_proto.frames import WireError


class ServerError(Exception):
    """Base of all errors of this package."""

    status = "INTERNAL"


class RequestError(ServerError):
    """A field of a request is out of its range."""

    status = "INVALID_ARGUMENT"


class NotFoundError(ServerError):
    """No such model, stream or cluster."""

    status = "NOT_FOUND"


class PreconditionError(ServerError):
    """The request does not fit what is there: order of messages, layout of the model."""

    status = "FAILED_PRECONDITION"


class InUseError(ServerError):
    """The stream id belongs to a live connection."""

    status = "ALREADY_EXISTS"


class SupersededError(ServerError):
    """The stream was resumed on a newer connection; this one must not reconnect."""

    status = "ABORTED"


class ForgottenError(ServerError):
    """The stream was deleted while it was live; this connection must not go on."""

    status = "ABORTED"


class ExhaustedError(ServerError):
    """More frames than credits, more streams or names than places, a watcher that does not keep up."""

    status = "RESOURCE_EXHAUSTED"


class FencedError(ServerError):
    """The stream has a newer owner, on this server or another; this one must not go on."""

    status = "ABORTED"


class UnauthenticatedError(ServerError):
    """The call brings no token, or one that nobody has."""

    status = "UNAUTHENTICATED"


class UnavailableError(ServerError):
    """The server drains, or the client said nothing for too long: reconnect with the token."""

    status = "UNAVAILABLE"


class EngineError(ServerError):
    """Inference failed; the streams of the batch end."""


class SettingsError(ServerError):
    """A setting is unknown or out of range; the message names its source. Raised before anything is served."""


class SnapshotError(ServerError):
    """Bytes are no snapshot of a session, or a session has a part that cannot be kept."""


class StoreError(ServerError):
    """The store of names cannot be read or written."""


class UnforeseenError(Exception):
    """A worker raised what nobody foresaw: the text is for the log, clients are told that there was an error."""


def status_of(error: BaseException) -> str:
    """Name of the gRPC status of any exception; INTERNAL for those nobody foresaw."""
    match error:
        case ServerError():
            return error.status
        case ContractError():
            # unknown models and clusters are LookupErrors, the rest says that something has the wrong form
            return "NOT_FOUND" if isinstance(error, LookupError) else "INVALID_ARGUMENT"
        case WireError():
            return "INVALID_ARGUMENT"
        case _:
            return "INTERNAL"


def is_foreseen(error: BaseException) -> bool:
    """True where the message is meant for the client; others, and those that name the server's files, are logged."""
    return isinstance(error, ServerError | ContractError | WireError) and not isinstance(error, StoreError)
