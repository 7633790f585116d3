"""What a browser asks through its WebSocket: JSON objects whose "do" says what is asked."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from motionscribe.errors import BadRequest, MotionscribeError
from motionscribe.page.messages import Message

Request = dict[str, Any]


async def answered(text: str, do: Callable[[object, Request], Awaitable[None]]) -> Message | None:
    """Does what a text asks for, by its verb; returns what is to be told where that fails."""
    verb: object = None
    try:
        ask = _read(text)
        verb = ask.get("do")
        await do(verb, ask)
    except MotionscribeError as error:
        return {"is": "failed", "do": verb, "error": str(error)}
    return None


def text_of(ask: Request, name: str) -> str:
    """Raises BadRequest."""
    value = ask.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"expected {name} as text, got {value!r}")
    return value


def _read(text: str) -> Request:
    """Raises BadRequest."""
    try:
        ask = json.loads(text)
        json.dumps(ask, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # half a surrogate is no text, either
        raise BadRequest(f"expected JSON, got {text[:40]!r}") from error
    if not isinstance(ask, dict):
        raise BadRequest(f"expected an object, got {text[:40]!r}")
    return ask
