"""What is given up when there is more to compute than time, in this order; the longest wait decides."""

from enum import IntEnum


class Shedding(IntEnum):
    """Each level gives up what the ones before it do, too."""

    NOTHING = 0
    PROVISIONAL = 1
    """Labels that may still change are not sent."""
    WINDOWS = 2
    """Where two windows of a stream wait, only the newer one is decoded: its moment has the frames of both."""
    STREAMS = 3
    """No new stream is accepted."""


AFTER_S = {Shedding.PROVISIONAL: 0.25, Shedding.WINDOWS: 0.5, Shedding.STREAMS: 1.0}
"""Waits beyond which a level begins, in seconds."""


def shedding(wait_s: float) -> Shedding:
    """The level for streams of which one has waited `wait_s` for its turn."""
    return max((level for level, after in AFTER_S.items() if wait_s > after), default=Shedding.NOTHING)
