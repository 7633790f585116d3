"""Events as JSON lines: {"stream": ID, "event": "SegmentEnded", and its fields}, written and read back exactly."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from motionscribe.errors import BadEventsFile
from motionscribe.events import Event
from motionscribe.sinks.base import MakeSink, Sink
from motionscribe_proto.events import from_dict, to_dict


class JsonLines(Sink):
    """Writes the events of one stream to a text file, each line at once. The file stays open: it is the caller's."""

    def __init__(self, file: TextIO, stream_id: str) -> None:
        self._file = file
        self._stream_id = stream_id

    def write(self, event: Event) -> None:
        """One line."""
        line = {"stream": self._stream_id, **to_dict(event)}
        print(json.dumps(line, ensure_ascii=False), file=self._file, flush=True)

    def close(self) -> None:
        """Does nothing: every line is in the file already."""


@contextmanager
def save(path: str) -> Iterator[MakeSink]:
    """JSON lines of one stream after the other in a new file. Raises OSError."""
    with Path(path).open("w", encoding="utf-8") as file:
        yield lambda info: JsonLines(file, info.stream_id)


def read_events(path: Path | str) -> dict[str, list[Event]]:
    """Events by stream id, in the order of the file. Raises BadEventsFile with the first line that is no event."""
    streams: dict[str, list[Event]] = {}
    number = 0
    try:
        with Path(path).open(encoding="utf-8") as file:
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
        values = json.loads(line)
    except ValueError as error:
        raise ValueError(f"expected JSON, got {line[:60]!r}") from error
    if not isinstance(values, dict) or not isinstance(values.get("stream"), str):
        raise ValueError(f'expected an object with a "stream", got {line[:60]!r}')
    return values.pop("stream"), from_dict(values)
