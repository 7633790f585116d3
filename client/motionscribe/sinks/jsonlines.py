"""Events as JSON lines: {"stream": ID, "event": "SegmentEnded", and its fields}. Written and read back exactly."""

import dataclasses
import json
from pathlib import Path
from types import NoneType
from typing import Any, TextIO, get_type_hints

from motionscribe import events
from motionscribe.errors import BadEventsFile
from motionscribe.events import Event

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        events.Anomaly,
        events.ClusterCreated,
        events.ClusterMerged,
        events.Gap,
        events.Label,
        events.Restarted,
        events.SegmentEnded,
        events.SegmentStarted,
    )
}
TYPES = {kind: get_type_hints(kind) for kind in KINDS.values()}


class JsonLines:
    """Writes the events of one stream to a text file, each line at once."""

    def __init__(self, file: TextIO, stream_id: str) -> None:
        self._file = file
        self._stream_id = stream_id

    def write(self, event: Event) -> None:
        """One line."""
        fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
        line = {"stream": self._stream_id, "event": type(event).__name__, **fields}
        print(json.dumps(line, ensure_ascii=False), file=self._file, flush=True)


def read_events(path: Path | str) -> dict[str, list[Event]]:
    """Events by stream id, in the order of the file. Raises BadEventsFile with the line that is none."""
    streams: dict[str, list[Event]] = {}
    number = 0
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                number += 1
                stream_id, event = _parse(line.rstrip("\n"))
                streams.setdefault(stream_id, []).append(event)
    except OSError as error:
        raise BadEventsFile(f"{path}: expected JSON lines of events: {error}") from error
    except ValueError as error:
        raise BadEventsFile(f"{path}, line {number}: {error}") from error
    if not streams:
        raise BadEventsFile(f"{path}: expected events, got an empty file")
    return streams


def _parse(line: str) -> tuple[str, Event]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError(f"expected JSON, got {line[:60]!r}") from error
    if not isinstance(value, dict) or not isinstance(value.get("stream"), str):
        raise ValueError(f'expected an object with a "stream", got {line[:60]!r}')
    kind = KINDS.get(str(value.get("event")))
    if kind is None:
        raise ValueError(f"expected an event among {', '.join(KINDS)}, got {value.get('event')!r}")
    fields = {name: item for name, item in value.items() if name not in ("stream", "event")}
    types = TYPES[kind]
    if fields.keys() != types.keys():
        raise ValueError(f"expected {kind.__name__} with {', '.join(types)}, got {', '.join(fields)}")
    event: Event = kind(**{name: _checked(name, item, types[name]) for name, item in fields.items()})
    return value["stream"], event


def _checked(name: str, item: Any, expected: Any) -> Any:
    """`item` as a field of type `expected`: int, float, str, bool, or a tuple of them."""
    inner = getattr(expected, "__args__", (NoneType,))[0]
    if inner is not NoneType and isinstance(item, list):
        return tuple(_checked(name, part, inner) for part in item)
    if expected is float and type(item) is int:
        return float(item)
    if type(item) is not expected:
        raise ValueError(f"expected {name} of type {getattr(expected, '__name__', expected)}, got {item!r}")
    return item
