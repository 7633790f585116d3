"""Segments and alarms as markers of Lab Streaming Layer: `lsl:NAME`, an outlet NAME-STREAM for each stream.

Type Markers, one channel of strings, no rate. A marker has the time at which the motion began, in this machine's LSL
clock, as far as the feed's clock is known; since labels are known later, that time lies in the past, by the stream's
latency. Without a clock it is the time of sending. LSL does not say who has received what. Needs the extra `lsl`.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from motionscribe.events import Anomaly, Event, Gap, SegmentStarted
from motionscribe.feed_clock import now_us
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.message import Message
from motionscribe.sinks.outlet import Outlet
from motionscribe.sinks.relay import relayed
from motionscribe_proto.names import escape

NAME = "motionscribe"
LINGER_S = 1.0
"""LSL does not say when a marker has arrived."""


@contextmanager
def open_markers(name: str) -> Iterator[MakeSink]:
    """What stands after `lsl:`, which may be nothing. Raises MissingExtraError."""
    with relayed(f"lsl:{name}", Markers(name or NAME)) as make:
        yield make


class Markers(Outlet):
    """One outlet a stream, from its beginning, so that recorders find it; until a while after its end."""

    def __init__(self, name: str) -> None:
        self._pylsl = load_pylsl()
        self._name = name
        self.where = f"lsl:{name}"
        self._outlets: dict[str, Any] = {}
        self._left: dict[str, float] = {}
        """Streams that have ended, and when."""
        self._lock = threading.Lock()

    def expect(self, stream: str) -> None:
        """Makes the outlet. Its source_id is that of the stream and the name: a recorder goes on after a restart."""
        with self._lock:
            self._left.pop(stream, None)
            for other in [other for other, at_s in self._left.items() if time.monotonic() - at_s > LINGER_S]:
                del self._left[other], self._outlets[other]
            self._outlet(stream)

    def send(self, messages: Sequence[Message]) -> None:
        """Events without a marker are passed over."""
        # what is made here is not in step with LSL's clock, which begins when the machine does
        lsl_less_here_s = self._pylsl.local_clock() - now_us() / 1e6
        with self._lock:
            for message in messages:
                if marker := marker_of(message.event):
                    text, time_us = marker
                    here_us = message.here_us(time_us)
                    # 0 is the time of sending
                    stamp_s = 0.0 if here_us is None else here_us / 1e6 + lsl_less_here_s
                    self._outlet(message.stream).push_sample([text], stamp_s)

    def leave(self, stream: str) -> None:
        """The outlet goes with a later stream, or at the end: its last marker may be on its way."""
        with self._lock:
            self._left[stream] = time.monotonic()

    def close(self) -> None:
        """Returns when the last markers had time to arrive."""
        if any(outlet.have_consumers() for outlet in self._outlets.values()):
            time.sleep(LINGER_S)
        self._outlets.clear()

    def _outlet(self, stream: str) -> Any:
        if stream not in self._outlets:
            name = f"{self._name}-{stream}"
            info = self._pylsl.StreamInfo(name, "Markers", 1, 0.0, self._pylsl.cf_string, f"motionscribe-{name}")
            self._outlets[stream] = self._pylsl.StreamOutlet(info)
        return self._outlets[stream]


def marker_of(event: Event) -> tuple[str, int] | None:
    """Text and time of the sender: `walk`, `cluster 7`, `motion fault begun`, `gap`. None for all other events."""
    match event:
        case SegmentStarted():
            return escape(event.name) or f"cluster {event.cluster}", event.start_us
        case Anomaly():
            return escape(f"{event.kind} {event.phase}"), event.start_us if event.phase == "begun" else event.end_us
        case Gap():
            return "gap", event.start_us
    return None
