"""Events that were numbered and sent, until the client acknowledges them: what a resumed stream is sent again.

Bounded: the oldest events go first, and a client that comes back later than that sees a jump in the numbers.
Provisional labels use up numbers but are not kept, since newer ones have replaced them. In memory only.
"""

from collections import deque
from collections.abc import Sequence

from motionscribe_proto.events import Event, Label

KEPT = 4096
"""An hour of segments at one a second."""


class EventBacklog:
    """Numbers events 1, 2, 3, ... and keeps the unacknowledged ones."""

    def __init__(self, kept: int | None = KEPT, last_event: int = 0, events: Sequence[tuple[int, Event]] = ()) -> None:
        """Keeps at most `kept` events, None keeps all.

        `events` were sent by an earlier server; those beyond `last_event` will be appended once more.
        """
        self._events: deque[tuple[int, Event]] = deque(events, kept)
        self.sent_before = max(last_event, events[-1][0] if events else 0)
        """Number of the last event that an earlier server sent."""
        self.acknowledged = 0
        """Number up to which the client has handled them."""
        self.last_event = last_event
        """Number of the newest event, 0 before the first."""

    def append(self, events: Sequence[Event]) -> int:
        """Numbers `events`; returns the number of the first one."""
        first = self.last_event + 1
        for number, event in enumerate(events, first):
            if number > self.sent_before and not (isinstance(event, Label) and not event.final):
                self._events.append((number, event))
        self.last_event += len(events)
        return first

    def acknowledge(self, last_event: int) -> None:
        """Forgets the events up to this number. Numbers beyond the last event acknowledge everything."""
        self.acknowledged = max(self.acknowledged, min(last_event, max(self.sent_before, self.last_event)))
        while self._events and self._events[0][0] <= last_event:
            self._events.popleft()

    def runs_after(self, last_event: int) -> list[tuple[int, list[Event]]]:
        """What is kept of the events after this number: (number of the first, events that follow by one)."""
        runs: list[tuple[int, list[Event]]] = []
        for number, event in self._events:
            if number <= last_event:
                continue
            if runs and number == runs[-1][0] + len(runs[-1][1]):
                runs[-1][1].append(event)
            else:
                runs.append((number, [event]))
        return runs
