"""What spoke for a label, and how much of its margin each gave. Frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JointWeight:
    """What a joint did for a label."""

    joint: str
    weight: float
    """How much of the margin is gone where the joint is held still; below 0 it spoke against the label."""
    becomes: int
    """The cluster that it would be nearest to then; its own where that is not changed by it."""


@dataclass(frozen=True)
class PartWeight:
    """What a part of the time did for a label."""

    start_us: int
    end_us: int
    weight: float
    """How much of the margin is gone where this part is passed over."""
    becomes: int
    """As of a joint."""
