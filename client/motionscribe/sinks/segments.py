"""Segments as a CSV table, one row each, for spreadsheets and statistics."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TextIO

from motionscribe.events import Event, SegmentEnded
from motionscribe.sinks.appended import Appended, Lines, appended, has_beginning
from motionscribe.sinks.base import MakeSink, Sink
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape

COLUMNS = ("stream", "segment", "cluster", "name", "start_s", "end_s", "duration_s", "start_seq", "end_seq")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet computes a cell that begins so, unless an apostrophe stands before it (OWASP, CSV injection)."""


class SegmentRows(Sink):
    """Writes a row when a segment ends, with the name that it has then. The file stays open: it is the caller's."""

    def __init__(self, file: TextIO | Appended, stream_id: str) -> None:
        self._table = csv.writer(file)
        self._stream_id = stream_id

    def write(self, event: Event) -> None:
        """Passes over all other events."""
        if isinstance(event, SegmentEnded):
            times = (event.start_us, event.end_us, event.end_us - event.start_us)
            seconds = (f"{time_us / 1e6:.6f}" for time_us in times)
            what = (_text(self._stream_id), event.segment, event.cluster, _text(event.name))
            self._table.writerow([*what, *seconds, event.start_seq, event.end_seq])

    def close(self) -> None:
        """Does nothing: every row is in the file already."""


def write_segments(path: Path | str, streams: Mapping[str, Sequence[Event]]) -> None:
    """Writes the ended segments of all streams. Times are seconds of the source's clock, spans half-open.

    Names are as safe as numbers: hidden characters are escaped, and what a spreadsheet took for a formula is text.
    """
    with new_file(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(COLUMNS)
        for stream_id, events in streams.items():
            rows = SegmentRows(file, stream_id)
            for event in events:
                rows.write(event)


@contextmanager
def save_segments(path: str) -> Iterator[MakeSink]:
    """The same, row by row while segments end, after the rows that the file has.

    The file is made when the first stream is open. Raises OSError, BadFile for a file of something else.
    """
    place = Path(path)
    has_beginning(place, LINES)  # refuses another file
    with ExitStack() as stack:

        @cache
        def opened() -> Appended:
            return stack.enter_context(appended(place, LINES))

        yield lambda info: SegmentRows(opened(), info.stream_id)


def _is_table(start: bytes) -> bool:
    return start.splitlines()[:1] == [",".join(COLUMNS).encode()]


def _text(text: str) -> str:
    return ("'" if text.startswith(FORMULA) else "") + escape(text)


LINES = Lines("segments", _is_table, end=b"\r\n", header=",".join(COLUMNS).encode() + b"\r\n")
