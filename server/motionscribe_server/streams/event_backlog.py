"""Event messages that were numbered and sent, until the client acknowledges them: what a resumed stream is sent again.

Bounded: the oldest events go first, and a client that comes back later than that sees a jump in the numbers.
Provisional labels and anomaly scores use up numbers but are not kept: nobody wants old ones. In memory only.
"""

from collections import deque
from collections.abc import Sequence

from motionscribe_proto import segmentation_pb2 as pb

KEPT = 4096
"""An hour of segments at one a second."""


MOST_UNACKNOWLEDGED = 65_536
"""Events of a stream that keeps all: a client that acknowledges none is sent no more credits until it does."""
MOST_PROVISIONAL = 65_536
"""An hour of provisional labels and anomaly scores: a client that claims to have more of them after the last event that
is kept is not believed."""


def is_provisional(event: pb.Event) -> bool:
    """Labels that may still change, and anomaly scores: newer ones replace them."""
    return event.HasField("anomaly_scores") or (event.HasField("labels") and not event.labels.final)


class EventBacklog:
    """Numbers events 1, 2, 3, ... and keeps the unacknowledged ones."""

    def __init__(
        self,
        kept: int | None = KEPT,
        last_event: int = 0,
        events: Sequence[tuple[int, pb.Event]] = (),
        told: int = 0,
    ) -> None:
        """Keeps at most `kept` events, None keeps all.

        `events` were sent by an earlier server, and perhaps provisional ones up to number `told` after them; those
        beyond `last_event` will be appended once more.
        """
        self._events: deque[tuple[int, pb.Event]] = deque(events, kept)
        lasting = max(last_event, events[-1][0] if events else 0)
        self.sent_before = max(lasting, min(told, lasting + MOST_PROVISIONAL))
        """Number of the last event that an earlier server sent."""
        self.acknowledged = 0
        """Number up to which the client has handled them."""
        self.last_event = last_event
        """Number of the newest event, 0 before the first."""

    @property
    def is_repeating(self) -> bool:
        """Events that an earlier server sent are still to be appended."""
        return self.last_event < self.sent_before

    @property
    def is_full(self) -> bool:
        """The client should acknowledge some before there are more."""
        return len(self._events) >= MOST_UNACKNOWLEDGED

    def append(self, events: Sequence[pb.Event]) -> int:
        """Numbers `events`; returns the number of the first one."""
        first = self.last_event + 1
        for number, event in enumerate(events, first):
            if number > self.sent_before and not is_provisional(event):
                self._events.append((number, event))
        self.last_event += len(events)
        return first

    def acknowledge(self, last_event: int) -> None:
        """Forgets the events up to this number. Numbers beyond the last event acknowledge everything."""
        self.acknowledged = max(self.acknowledged, min(last_event, max(self.sent_before, self.last_event)))
        while self._events and self._events[0][0] <= last_event:
            self._events.popleft()

    def runs_after(self, last_event: int) -> list[tuple[int, list[pb.Event]]]:
        """What is kept of the events after this number: (number of the first, events that follow by one)."""
        runs: list[tuple[int, list[pb.Event]]] = []
        for number, event in self._events:
            if number <= last_event:
                continue
            if runs and number == runs[-1][0] + len(runs[-1][1]):
                runs[-1][1].append(event)
            else:
                runs.append((number, [event]))
        return runs
