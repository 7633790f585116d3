"""The one table of places that `--to ADDRESS` names: `osc:HOST:PORT`, `https://...`, or a file by its ending.

The options' help, their parser and the table in docs/2-connecting.md follow from it. A new sink is a module with a
function that opens it, and a line in PLACES.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name

from motionscribe.address_scheme import split_scheme
from motionscribe.errors import BadFile
from motionscribe.sinks.base import MakeSink


@dataclass(frozen=True)
class Place:
    """A kind of place, and what opens it."""

    key: str
    """The scheme before the colon, or the ending of a file with its dot."""
    metavar: str
    """What comes after the colon, as the help spells it; of files nothing."""
    help: str
    opener: str
    """`module:function`, imported when used: function(address) is a context manager that gives a MakeSink.

    `address` is what stands after the colon, of `http:` and `https:` and of files all of it. The context lasts as long
    as the command, which may stream several sources, one sink each.
    """
    extra: str = ""
    """The extra that it needs."""

    @property
    def whole(self) -> bool:
        """Whether it is a file that is written anew as a whole, and so must be a new one."""
        return self.key.startswith(".") and self.key not in (".jsonl", ".csv")

    @property
    def spelling(self) -> str:
        """Such as `osc:HOST:PORT`, or `FILE.csv`."""
        return f"FILE{self.key}" if self.key.startswith(".") else f"{self.key}:{self.metavar}"

    def open(self, address: str) -> AbstractContextManager[MakeSink]:
        """Raises OSError for what cannot be opened, BadFile, MissingExtraError without the extra that it needs."""
        function: Callable[[str], AbstractContextManager[MakeSink]] = resolve_name(self.opener)
        return function(address)


PLACES: tuple[Place, ...] = (
    Place(".jsonl", "", "every event, a line each, for `report`", "motionscribe.sinks.jsonlines:save"),
    Place(".csv", "", "a row for each segment, when it ends", "motionscribe.sinks.segments:save_segments"),
    Place(".parquet", "", "segments, alarms, gaps: a table", "motionscribe.sinks.parquet:save_parquet", "parquet"),
    Place(".eaf", "", "labels and alarms for ELAN", "motionscribe.sinks.elan:save_elan"),
    Place(".boris", "", "labels and alarms for BORIS", "motionscribe.sinks.boris:save_boris"),
    Place(".nwb", "", "labels and alarms for NWB", "motionscribe.sinks.nwb:save_nwb", "nwb"),
    Place(".nc", "", "labels over time, for movement", "motionscribe.sinks.movement_labels:save_movement_labels", "h5"),
    Place("https", "//HOST/PATH", "POSTs of JSON to a web server", "motionscribe.sinks.webhook:open_webhook"),
    Place("http", "//HOST/PATH", "the same without TLS", "motionscribe.sinks.webhook:open_webhook"),
    Place("mqtts", "HOST:PORT/TOPIC", "a broker of MQTT, by TLS", "motionscribe.sinks.mqtt:open_mqtts", "mqtt"),
    Place("mqtt", "HOST:PORT/TOPIC", "the same without TLS", "motionscribe.sinks.mqtt:open_mqtt", "mqtt"),
    Place("osc", "HOST:PORT", "Open Sound Control by UDP", "motionscribe.sinks.osc:open_osc", "osc"),
    Place("lsl", "NAME", "markers of Lab Streaming Layer", "motionscribe.sinks.lsl_markers:open_markers", "lsl"),
)


def describe() -> str:
    """All kinds of places, for the help of a command."""
    return "; ".join(f"{p.spelling}: {p.help}" + (f" (needs the extra {p.extra})" if p.extra else "") for p in PLACES)


def parse_place(text: str) -> tuple[Place, str]:
    """The place that `text` names, and what its opener gets. Raises BadFile for an unknown scheme or ending."""
    split = split_scheme(text)
    for place in PLACES:
        if split and place.key == split[0]:
            return place, text if place.key in ("http", "https") else split[1]
        if not split and place.key == Path(text).suffix.lower():
            return place, text
    known = ", ".join(place.spelling for place in PLACES)
    raise BadFile(f"{text}: expected one of {known}")


def is_file(place: Place) -> bool:
    """Whether an address of this place is the name of a file."""
    return place.key.startswith(".")
