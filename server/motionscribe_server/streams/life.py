"""The life of a stream on this server: its states, what can happen to it, and the table of what follows.

Pure values. Who owns the stream, and what is done at a change, is LiveStream's business (live_stream.py).
"""

from enum import Enum, auto


class Life(Enum):
    """Where a stream is in its life."""

    LIVE = auto()
    """An owner sends frames."""
    FINISHING = auto()
    """Its owner has no more frames; the last ones are computed."""
    CLOSED = auto()
    """All frames are computed; its owner reads the last events."""
    RETAINED = auto()
    """It has no owner; the next one may send frames."""
    RETAINED_FINISHING = auto()
    """It has no owner; the last frames are computed."""
    RETAINED_CLOSED = auto()
    """It has no owner; the next one reads the last events."""
    GIVEN_UP = auto()
    """Final: it cannot be resumed, and answers of its worker are ignored."""

    @property
    def has_owner(self) -> bool:
        """An owner's call is open."""
        return self in (Life.LIVE, Life.FINISHING, Life.CLOSED)

    @property
    def is_closed(self) -> bool:
        """All frames are computed, and no more will come."""
        return self in (Life.CLOSED, Life.RETAINED_CLOSED)

    @property
    def is_over(self) -> bool:
        """No frame of it will be computed."""
        return self.is_closed or self is Life.GIVEN_UP


class Change(Enum):
    """What can happen to a stream."""

    ATTACH = auto()
    """An owner comes, the first or one who resumes it."""
    LEAVE = auto()
    """The owner's call ended."""
    FINISH = auto()
    """The owner says that it has no more frames; it may say so again after it resumed."""
    CLOSE = auto()
    """The worker's last answer came."""
    GIVE_UP = auto()
    """It failed, was deleted, replaced, evicted, or is over."""


TRANSITIONS: dict[tuple[Life, Change], Life] = {
    (Life.RETAINED, Change.ATTACH): Life.LIVE,
    (Life.RETAINED_FINISHING, Change.ATTACH): Life.FINISHING,
    (Life.RETAINED_CLOSED, Change.ATTACH): Life.CLOSED,
    (Life.LIVE, Change.LEAVE): Life.RETAINED,
    (Life.FINISHING, Change.LEAVE): Life.RETAINED_FINISHING,
    (Life.CLOSED, Change.LEAVE): Life.RETAINED_CLOSED,
    (Life.GIVEN_UP, Change.LEAVE): Life.GIVEN_UP,
    (Life.LIVE, Change.FINISH): Life.FINISHING,
    (Life.FINISHING, Change.FINISH): Life.FINISHING,
    (Life.CLOSED, Change.FINISH): Life.CLOSED,
    (Life.FINISHING, Change.CLOSE): Life.CLOSED,
    (Life.RETAINED_FINISHING, Change.CLOSE): Life.RETAINED_CLOSED,
    **{(life, Change.GIVE_UP): Life.GIVEN_UP for life in Life},
}
"""What follows; a pair that is not here is a bug of the caller."""


class LifeError(RuntimeError):
    """Something happened to a stream that cannot happen in its state."""


def next_life(life: Life, change: Change) -> Life:
    """The state after `change`. Raises LifeError where that cannot happen."""
    try:
        return TRANSITIONS[life, change]
    except KeyError:
        possible = ", ".join(other.name for other in Change if (life, other) in TRANSITIONS)
        raise LifeError(f"expected one of {possible} in state {life.name}, got {change.name}") from None
