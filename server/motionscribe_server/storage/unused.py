"""What a store keeps for a limited time, and what of it nobody used for long. Values only.

Ages are measured by the store's clock, which all its servers share. A server renews what it has open. Whatever was
found unused is deleted only where nobody has used it since: a clock that jumps makes everything old at once, but
what is in use is renewed before anything is deleted (streams/expiry.py).
"""

from enum import Enum, auto
from typing import NamedTuple

from motionscribe_server.errors import ExhaustedError

AT_ONCE = 1000
"""The most that is looked for at a time."""


class Kept(Enum):
    """What is kept, each for a time of its own."""

    UNNAMED = auto()
    """All of a stream whose clusters never had a name."""
    NAMED = auto()
    """All of a stream of which a cluster has or had a name."""
    CHECKPOINT = auto()
    """The checkpoint of a durable stream and its events, without its clusters."""


class Unused(NamedTuple):
    """A stream that nobody has open."""

    kept: Kept
    stream: str
    used_s: float
    """When it was used last, by the store's clock, in seconds since 1970."""


def too_many_ids(limit: int) -> ExhaustedError:
    """The error for a new id where all others have to stay."""
    return ExhaustedError(
        f"expected at most {limit} stream ids, got one more, and all of these have names or are in use: "
        "delete one with 'motionscribe clusters forget'"
    )
