"""Events as JSON lines: {"stream": ID, "event": "SegmentEnded", and its fields}, written and read back exactly."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TextIO

from motionscribe.errors import BadEventsFile
from motionscribe.events import Event
from motionscribe.sinks.base import MakeSink, Sink, StreamInfo
from motionscribe_models.new_file import new_file
from motionscribe_proto.events import to_dict
from motionscribe_proto.names import escape

BEGINNING = b'{"stream"'
"""Every line begins so."""
LONGEST_LINE = 1 << 16
"""That is looked at to tell a file of events from others."""


class JsonLines(Sink):
    """Writes the events of one stream to a text file, each line at once. The file stays open: it is the caller's."""

    def __init__(self, file: TextIO, stream_id: str) -> None:
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
    id, a line {"stream": ID, "run": TIME} parts them from those of the new stream. Raises OSError, BadEventsFile for a
    file of something else, which stays as it is.
    """
    place = Path(path)
    appending = _has_events(place)
    saved: set[str] = set()
    with ExitStack() as stack:

        @cache
        def opened() -> TextIO:
            file = stack.enter_context(place.open("a", encoding="utf-8"))
            if appending and _is_cut(place):
                file.write("\n")
            return file

        def make(info: StreamInfo) -> Sink:
            file = opened()
            if appending or info.stream_id in saved:
                _print({"stream": info.stream_id, "run": datetime.now(UTC).isoformat(timespec="seconds")}, file)
            saved.add(info.stream_id)
            return JsonLines(file, info.stream_id)

        yield make


def _print(line: dict[str, object], file: TextIO) -> None:
    # JSON allows control characters above 127 and marks of direction; a terminal obeys them
    print(escape(json.dumps(line, ensure_ascii=False)), file=file, flush=True)


def _has_events(place: Path) -> bool:
    """True for a file of events, False for none, an empty one, and a pipe. Raises OSError, BadEventsFile."""
    if not place.exists():
        if not place.parent.is_dir():
            raise FileNotFoundError(f"expected a folder for {place}, found none")
        return False
    if not place.is_file():
        return False
    with place.open("rb") as file:
        start = file.read(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    if start and not _is_of_events(start):
        raise BadEventsFile(f"{place}: expected a new file, or one of events to go on with, got another one")
    return bool(start)


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


def _is_cut(place: Path) -> bool:
    """True where the last line has no end: who wrote it was killed."""
    with place.open("rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"
