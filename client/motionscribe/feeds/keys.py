"""The one table of keys of a file of feeds: where each may stand, what it may be, and what it means.

The reader's checks and the table in docs/2-connecting.md follow from it. A check takes a value of TOML and returns it
as it is used; it raises BadRequest, which says what was expected and what came.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from motionscribe.errors import BadRequest
from motionscribe.false_alarms import FalseAlarms, false_alarms_to_message
from motionscribe.feeds.restarting import RESTARTS
from motionscribe_models.lags import LAGS

STREAM_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True)
class Key:
    """A key."""

    name: str
    value: str
    """What it may be, for people."""
    check: Callable[[Any], Any]
    meaning: str
    default: Any = None
    """Where neither the feed nor the defaults have it."""
    shown: str = "none"
    """The default, for people."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:  # no name of a file has a null character
        raise BadRequest(f"expected a text, got {value!r}")
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadRequest(f"expected true or false, got {value!r}")
    return value


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise BadRequest(f"expected a number above 0, got {value!r}")
    return float(value)


def _places(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadRequest(f"expected a list of texts, got {value!r}")
    return tuple(map(_text, value))


def _stream_id(value: Any) -> str:
    if not isinstance(value, str) or not STREAM_ID.fullmatch(value):
        raise BadRequest(f"expected 1 to 128 of A-Z a-z 0-9 . _ -, got {value!r}")
    return value


def _one_of(*names: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in names:
            raise BadRequest(f"expected one of {', '.join(names)}, got {value!r}")
        return str(value)

    return check


def _false_alarms(value: Any) -> FalseAlarms:
    false_alarms_to_message(value)
    checked: FalseAlarms = value
    return checked


CONNECTION: tuple[Key, ...] = (
    Key("address", "text", _text, "the server", shown="`$MOTIONSCRIBE_ADDRESS` or `127.0.0.1:50051`"),
    Key("plaintext", "switch", _switch, "no TLS, on other hosts than this one as well", False, "`false`"),
    Key("ca", "file", _text, "PEM certificates to trust instead of the system's"),
    Key("cert", "file", _text, "PEM certificate of this client; `key` is its key"),
    Key("key", "file", _text, "PEM key of `cert`"),
    Key("token_file", "file", _text, "token for a server with tenants", shown="`$MOTIONSCRIBE_TOKEN`"),
)
"""At the top of the file."""

FEED: tuple[Key, ...] = (
    Key("source", "text", _text, "where frames come from, as for `stream`; each once", shown="must be given"),
    Key("stream_id", "text", _stream_id, "names of clusters belong to it; each once", shown="must be given"),
    Key(
        "restart", "text", _one_of(*RESTARTS), f"after which end it begins anew: {', '.join(RESTARTS)}", *["always"] * 2
    ),
    Key("person", "text", _text, "of a feed with several people the one", shown="all"),
    Key("joints", "file", _text, "what joints are called here"),
    Key("speed", "number", _positive, "of a recording, times its pace", shown="as fast as the server goes"),
)
"""In each `[[feed]]`."""

SHARED: tuple[Key, ...] = (
    Key("to", "list of texts", _places, "where events go, as for `stream --to`", (), "`[]`"),
    Key("model", "text", _text, "which model", "", "as for `stream`"),
    Key("version", "text", _text, "of the model", "latest", "`latest`"),
    Key("lag", "text", _one_of(*LAGS), f"how soon labels are final: {', '.join(LAGS)}", "balanced", "`balanced`"),
    Key("durable", "switch", _switch, "lose nothing even where the server dies", False, "`false`"),
    Key("false_alarms_per_hour", "number or table", _false_alarms, "of anomalies, to be expected", shown="0.5"),
    Key("anomaly_scores", "switch", _switch, "also how normal each moment is", False, "`false`"),
)
"""In each `[[feed]]`, or in `[defaults]` for all that have none of their own."""
