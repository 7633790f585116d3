"""What a file keeps of one stream: ended segments, ended alarms and gaps, and when they were by the clock here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

from motionscribe.events import Anomaly, Event, Gap, SegmentEnded

Span = SegmentEnded | Anomaly | Gap
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """Of one stream, in the order in which the events came."""

    spans: Sequence[Span]
    """Segments with the names of now; alarms that have ended."""
    offsets_us: Sequence[int]
    """Of each span: what its times lack to microseconds since 1970. Empty where no clock tells."""


Records = Mapping[str, Record]
"""By title, such as "gym-1", or "gym-1, run 2" where a stream was opened again."""


def spans_of(records: Records) -> dict[str, list[Event]]:
    """As the writers take them that know no clock here."""
    return {title: list(record.spans) for title, record in records.items()}


def is_kept(event: Event) -> TypeGuard[Span]:
    """Whether a file holds this event."""
    return isinstance(event, SegmentEnded | Gap) or (isinstance(event, Anomaly) and not event.ongoing)


def moment(us: int) -> datetime | None:
    """Microseconds since 1970; None where the calendar has no such time."""
    try:
        return EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return None
