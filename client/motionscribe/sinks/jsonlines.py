"""Events as JSON lines: {"stream": ID, "event": "SegmentEnded", and its fields}, written and read back exactly."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TextIO

from motionscribe.events import Event
from motionscribe.sinks.appended import Appended, Lines, appended, has_beginning
from motionscribe.sinks.base import MakeSink, Sink, StreamInfo
from motionscribe_models.new_file import new_file
from motionscribe_proto.events import to_dict
from motionscribe_proto.names import escape

BEGINNING = b'{"stream"'
"""Every line begins so."""


class JsonLines(Sink):
    """Writes the events of one stream to a text file, each line at once. The file stays open: it is the caller's."""

    def __init__(self, file: TextIO | Appended, stream_id: str) -> None:
        self._file = file
        self._stream_id = stream_id

    def write(self, event: Event) -> None:
        """One line."""
        _print({"stream": self._stream_id, **to_dict(event)}, self._file)

    def close(self) -> None:
        """Does nothing: every line is in the file already."""


def write_lines(path: Path | str, streams: Mapping[str, Sequence[Event]]) -> None:
    """Writes a new file of the events of all streams, by id, one stream after the other. Raises OSError."""
    with new_file(path) as beside, beside.open("w", encoding="utf-8") as file:
        for stream_id, events in streams.items():
            sink = JsonLines(file, stream_id)
            for event in events:
                sink.write(event)


@contextmanager
def save(path: str) -> Iterator[MakeSink]:
    """JSON lines of one stream after the other, after those that the file has.

    The file is made when the first stream is open. Where it has events from before, or those of a stream of the same
    id, a line {"stream": ID, "run": TIME} parts them from those of the new stream. Raises OSError, BadFile for a file
    of something else, which stays as it is.
    """
    place = Path(path)
    appending = has_beginning(place, LINES)
    saved: set[str] = set()
    with ExitStack() as stack:

        @cache
        def opened() -> Appended:
            return stack.enter_context(appended(place, LINES))

        def make(info: StreamInfo) -> Sink:
            file = opened()
            if appending or info.stream_id in saved:
                _print({"stream": info.stream_id, "run": datetime.now(UTC).isoformat(timespec="seconds")}, file)
            saved.add(info.stream_id)
            return JsonLines(file, info.stream_id)

        yield make


def _print(line: dict[str, object], file: TextIO | Appended) -> None:
    # JSON allows control characters above 127 and marks of direction; a terminal obeys them
    print(escape(json.dumps(line, ensure_ascii=False)), file=file, flush=True)


def _is_of_events(start: bytes) -> bool:
    """Whether the beginning of a file is that of one which `save` wrote; its only line may be cut."""
    line, ended, _ = start.partition(b"\n")
    if not line.startswith(BEGINNING):
        return False
    try:
        found = json.loads(line)
    except ValueError:
        return not ended
    return isinstance(found, dict) and ("event" in found or "run" in found)


LINES = Lines("events", _is_of_events)
