"""Final labels in order, and the segments they make: maximal runs of one label that tile the timeline.

In: the span and cluster of each moment, once. Out: Label (final), SegmentStarted, SegmentEnded events.
"""

from dataclasses import astuple

from motionscribe_models.state import State
from motionscribe_proto.events import Event, Label, SegmentEnded, SegmentStarted
from motionscribe_server.session.default_names import Name
from motionscribe_server.session.span import Span


class Timeline:
    """The open segment of one stream."""

    def __init__(self) -> None:
        self._segments = 0  # begun so far
        self._cluster = 0  # of the newest segment
        self._open: Span | None = None  # what the newest segment covers, None once it has ended

    def add(self, span: Span, cluster: int, name: Name, previous_name: Name) -> list[Event]:
        """The next span is final; `previous_name` is the open segment's cluster's name."""
        events: list[Event] = []
        if self._open is not None and cluster != self._cluster:
            events += self.end(previous_name)
        if self._open is None:
            self._segments += 1
            self._cluster, self._open = cluster, span
            events.append(
                SegmentStarted(self._segments, cluster, name.text, span.start_seq, span.start_us, name.guessed)
            )
        else:
            self._open = Span(self._open.start_seq, span.end_seq, self._open.start_us, span.end_us)
        events.append(Label(span.start_seq, span.end_seq, span.start_us, span.end_us, cluster, 1.0, True))
        return events

    @property
    def cluster(self) -> int:
        """Cluster of the open segment, 0 when there is none."""
        return self._cluster if self._open else 0

    def end(self, name: Name) -> list[Event]:
        """Ends the open segment, of the cluster that is called `name`."""
        if self._open is None:
            return []
        span, self._open = self._open, None
        where = span.start_seq, span.end_seq, span.start_us, span.end_us
        return [SegmentEnded(self._segments, self._cluster, name.text, *where, name.guessed)]

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "segments": self._segments,
            "cluster": self._cluster,
            "open": None if self._open is None else list(astuple(self._open)),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._segments, self._cluster = state["segments"], state["cluster"]
        self._open = None if state["open"] is None else Span(*state["open"])
