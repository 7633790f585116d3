"""Segments as a CSV table, one row each, for spreadsheets and statistics."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from motionscribe.events import Event, SegmentEnded
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape

COLUMNS = ("stream", "segment", "cluster", "name", "start_s", "end_s", "duration_s", "start_seq", "end_seq")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet computes a cell that begins so, unless an apostrophe stands before it (OWASP, CSV injection)."""


def write_segments(path: Path | str, streams: Mapping[str, Sequence[Event]]) -> None:
    """Writes the ended segments of all streams. Times are seconds of the source's clock, spans half-open.

    Names are as safe as numbers: hidden characters are escaped, and what a spreadsheet took for a formula is text.
    """
    with new_file(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for stream_id, events in streams.items():
            for event in events:
                if isinstance(event, SegmentEnded):
                    times = (event.start_us, event.end_us, event.end_us - event.start_us)
                    seconds = (f"{time_us / 1e6:.6f}" for time_us in times)
                    what = (_text(stream_id), event.segment, event.cluster, _text(event.name))
                    table.writerow([*what, *seconds, event.start_seq, event.end_seq])


def _text(text: str) -> str:
    return ("'" if text.startswith(FORMULA) else "") + escape(text)
