"""What a sink on the network sends of an event: its id, the stream, the fields as in JSON lines, and the time here.

In: events. Out: JSON, and back again, unchanged, for what has waited on disk.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from motionscribe.events import AnomalyScores, Event, Label
from motionscribe_proto.events import from_dict, to_dict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way."""

    run: str
    """Of one address of one command."""
    number: int
    """1, 2, 3, ...; those of pictures that newer ones replaced are missing where it arrives."""
    stream: str
    event: Event
    name: str = ""
    """That of a label's cluster; other events have their own."""
    ahead_us: int | None = None
    """This machine's clock less the sender's; None where no clock of a feed is known."""

    @property
    def id(self) -> str:
        """Unique, and the same each time that the message is sent."""
        return f"{self.run}-{self.number}"

    @property
    def is_picture(self) -> bool:
        """Whether a newer one replaces it: provisional labels and scores."""
        return isinstance(self.event, AnomalyScores) or (isinstance(self.event, Label) and not self.event.final)

    def here_us(self, time_us: int) -> int | None:
        """A time of the sender by this machine's clock."""
        return None if self.ahead_us is None else time_us + self.ahead_us

    def to_json(self) -> str:
        """{"id": "...-17", "stream": ..., "event": ..., its fields, "name": of a label, "time": ISO 8601, UTC}."""
        values = {"id": self.id, "stream": self.stream, **to_dict(self.event)}
        if isinstance(self.event, Label):
            values["name"] = self.name
        if self.ahead_us is not None and (time := _iso(start_us(self.event) + self.ahead_us)):
            values["time"] = time
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> "Message":
        """The inverse. Raises ValueError for anything else."""
        try:
            values = json.loads(text)
            run, _, number = values.pop("id").rpartition("-")
            stream, time = values.pop("stream"), values.pop("time", None)
            name = values.pop("name") if values["event"] == "Label" else ""
            here_us = None if time is None else (datetime.fromisoformat(time) - EPOCH) // MICROSECOND
            event = from_dict(values)
        except (AttributeError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError(f"expected a message, got {str(text)[:60]!r}") from error
        return cls(run, int(number), stream, event, name, None if here_us is None else here_us - start_us(event))


def start_us(event: Event) -> int:
    """When it begins, or happens."""
    return event.start_us if hasattr(event, "start_us") else event.time_us


def _iso(here_us: int) -> str:
    """Empty beyond the years that a date can have."""
    try:
        return (EPOCH + here_us * MICROSECOND).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return ""
