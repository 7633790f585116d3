"""Where the events of one stream leave its session: they get their numbers and go to the journal and the listeners.

In: events of the session. Out: numbered messages, each once: what an earlier server sent gets its number and no more.
"""

import logging
from collections.abc import Sequence

from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.events import Anomaly, ClusterChange, ClusterTableFull, Event
from motionscribe_server.metrics import Metrics
from motionscribe_server.streams.cluster_saver import ClusterSaver
from motionscribe_server.streams.durability import Durability
from motionscribe_server.streams.event_backlog import EventBacklog
from motionscribe_server.streams.listeners import Listeners

log = logging.getLogger(__name__)


class EventSender:
    """Of the stream `name`."""

    def __init__(
        self,
        name: str,
        backlog: EventBacklog,
        listeners: Listeners,
        durability: Durability | None,
        saver: ClusterSaver,
        metrics: Metrics,
    ) -> None:
        self._name = name
        self._backlog = backlog
        self._listeners = listeners
        self._durability = durability
        self._saver = saver
        self._metrics = metrics
        self._is_table_full = False

    def send(self, events: Sequence[Event]) -> None:
        """Numbers events and sends them."""
        if not events:
            return
        self._metrics.count_events(events)
        if any(isinstance(event, ClusterChange | Anomaly) for event in events):
            self._saver.mark_unsaved()
        full = next((event for event in events if isinstance(event, ClusterTableFull)), None)
        if full and not self._is_table_full:
            self._is_table_full = True  # one line a stream: the metric counts the rest
            log.warning("stream %s has %d clusters: the least used make room", self._name, full.limit)
        messages = events_to_messages(events)
        first = self._backlog.append(messages)
        repeated = max(0, self._backlog.sent_before + 1 - first)
        first, messages = first + repeated, messages[repeated:]
        if self._durability:
            self._durability.note(first, messages)
        self._listeners.put(first, messages)
