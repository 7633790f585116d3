"""Why a stream was closed, where its owner's frames were refused, as text that outlives the server."""

import json

from motionscribe_server.errors import ServerError, is_foreseen, status_of


class RefusedError(ServerError):
    """What an earlier server refused."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


def refusal_to_text(refusal: Exception | None) -> str:
    """Status and text as JSON; empty where nothing was refused."""
    if refusal is None:
        return ""
    return json.dumps([status_of(refusal), str(refusal) if is_foreseen(refusal) else "internal error"])


def refusal_from_text(text: str) -> Exception | None:
    """The same refusal for another owner."""
    return RefusedError(*json.loads(text)) if text else None
