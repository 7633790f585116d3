"""What a sink is: a place that events of one stream go to while they come.

A new sink is a class with these two methods in a file of its own, and a line in addresses.py that gives it an address.
A receiver on a network is an Outlet (outlet.py), which relay.py makes a sink of.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from motionscribe.events import Event
from motionscribe.feed_clock import FeedClock


class Sink(Protocol):
    """Takes the events of one stream."""

    def write(self, event: Event) -> None:
        """Takes the next event, in the order in which the server sent them."""

    def close(self) -> None:
        """Releases what the sink holds; called once, whether the stream ended well or not."""


@dataclass(frozen=True)
class StreamInfo:
    """What is known of a stream before its first event."""

    stream_id: str
    title: str
    """For people: the source, the model, the latency."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Cluster -> its name, which may be empty."""
    start_us: int | None = None
    """Time of the stream's first frame, where that came before the first event."""
    clock: FeedClock | None = None
    """Of a live feed: turns its times into times here."""


MakeSink = Callable[[StreamInfo], Sink]
"""Makes the sink of one stream."""
