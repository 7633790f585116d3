"""What an Open leads to, and which stream makes room for it: two decisions on values, without side effects.

In: what is known of the stream that has the key, of other streams, and the limits. Out: an Admission; the stream to
evict. stream_opener.py carries them out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto

from motionscribe_server.errors import ExhaustedError
from motionscribe_server.stream_keys import tenant_of


class Admission(Enum):
    """What is done for an Open."""

    RESUME = auto()
    """The stream that has the key goes on with a new owner."""
    LOOK_UP = auto()
    """It must be known first whether the store has a checkpoint of the stream."""
    RESTORE = auto()
    """A durable stream goes on from its checkpoint, in place of whatever has the key."""
    CREATE = auto()
    """A new stream begins, in place of whatever has the key."""
    REFUSE_IN_USE = auto()
    """The key belongs to somebody else's live stream."""
    REFUSE_TOKEN = auto()
    """A durable stream is to be resumed, and there is none with this token: nothing may begin anew in silence."""
    REFUSE_DRAINING = auto()
    """The server is about to stop."""


@dataclass(frozen=True)
class Incumbent:
    """The stream that has the key of an Open."""

    has_owner: bool
    is_given_up: bool
    token_matches: bool
    """The Open brought its resume token."""


def admit(
    is_draining: bool, incumbent: Incumbent | None, has_checkpoint: bool | None, wants_resume: bool = False
) -> Admission:
    """`has_checkpoint`: the store has one that this Open's token resumes; None where nobody has looked.

    `wants_resume`: the Open is of a durable stream and brings a token.
    """
    if is_draining:
        return Admission.REFUSE_DRAINING
    if incumbent and incumbent.token_matches and not incumbent.is_given_up:
        return Admission.RESUME
    if has_checkpoint is None:
        return Admission.LOOK_UP
    if has_checkpoint:
        return Admission.RESTORE
    if incumbent and incumbent.has_owner and not incumbent.is_given_up:
        return Admission.REFUSE_IN_USE
    return Admission.REFUSE_TOKEN if wants_resume else Admission.CREATE


@dataclass(frozen=True)
class Place:
    """One that a stream takes, of those that there are."""

    key: str
    left_at: float | None
    """When its owner left, seconds; None while it has one, and while it is opened."""
    is_in_use: bool
    """It is opened, edited or deleted just now, and may soon be live or gone."""


def choose_eviction(key: str, places: Collection[Place], tenant_limit: int, limit: int) -> Place | None:
    """Whose stream is given up so that `key` gets a place; None where there is room.

    Only a stream of the same tenant without an owner: the one that nothing is done to and that was lost first. Raises
    ExhaustedError where there is none: nobody loses anything for somebody else. A `tenant_limit` of 0 is none.
    """
    others = [place for place in places if place.key != key]
    own = [place for place in others if tenant_of(place.key) == tenant_of(key)]
    for taken, most in ((own, tenant_limit or len(own) + 1), (others, limit)):
        if len(taken) >= most:
            lost = [((place.is_in_use, place.left_at, place.key), place) for place in own if place.left_at is not None]
            if not lost:
                raise ExhaustedError(f"expected at most {most} live streams, got one more")
            return min(lost)[1]
    return None
