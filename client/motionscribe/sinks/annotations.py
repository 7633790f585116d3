"""What annotation programs take of a stream: spans with a word, in whole milliseconds from a time zero.

In: events. Out: the ended segments, and the alarms that ended, by kind: alarms of one kind never overlap, others may.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from motionscribe.anomaly_text import describe
from motionscribe.events import Anomaly, Event, Gap, SegmentEnded
from motionscribe_proto.names import escape


@dataclass(frozen=True)
class Span:
    """[start_ms, end_ms), at least one millisecond."""

    start_ms: int
    end_ms: int
    text: str
    """Safe to show: hidden characters are escaped."""


@dataclass(frozen=True)
class Annotations:
    """One stream."""

    zero_us: int
    """Time zero of the spans, by the source's clock."""
    labels: tuple[Span, ...]
    """In order of time; the text is the cluster's name."""
    alarms: Mapping[str, tuple[Span, ...]]
    """By kind; the text says joints or detector, and how rare."""

    @property
    def zero(self) -> str:
        """For people."""
        return f"time 0 is {self.zero_us} us of the source's clock"


def annotations(events: Sequence[Event], zero_us: int | None = None) -> Annotations:
    """Time zero is the beginning of the first span where none is given; none is before the first span in any case."""
    segments = [event for event in events if isinstance(event, SegmentEnded)]
    ended = [event for event in events if isinstance(event, Anomaly) and not event.ongoing]
    starts = [event.start_us for event in events if isinstance(event, SegmentEnded | Anomaly | Gap)]
    zero_us = min([*starts, *([] if zero_us is None else [zero_us])], default=0)

    def span(event: SegmentEnded | Anomaly, text: str) -> Span:
        start_ms, end_ms = ((time_us - zero_us + 500) // 1000 for time_us in (event.start_us, event.end_us))
        return Span(start_ms, max(end_ms, start_ms + 1), escape(text))

    kinds = dict.fromkeys(event.kind for event in ended)
    return Annotations(
        zero_us,
        _in_order(span(event, event.name or f"cluster {event.cluster}") for event in segments),
        {escape(kind): _in_order(span(e, describe(e)) for e in ended if e.kind == kind) for kind in kinds},
    )


def _in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: span.start_ms))
