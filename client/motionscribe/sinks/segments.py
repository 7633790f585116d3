"""Segments as a CSV table, one row each, for spreadsheets and statistics."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from motionscribe.events import Event, SegmentEnded

COLUMNS = ("stream", "segment", "cluster", "name", "start_s", "end_s", "duration_s", "start_seq", "end_seq")


def write_segments(path: Path | str, streams: Mapping[str, Sequence[Event]]) -> None:
    """Writes the ended segments of all streams. Times are seconds of the source's clock, spans half-open."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for stream_id, events in streams.items():
            for event in events:
                if isinstance(event, SegmentEnded):
                    times = (event.start_us, event.end_us, event.end_us - event.start_us)
                    seconds = (f"{time_us / 1e6:.6f}" for time_us in times)
                    what = (stream_id, event.segment, event.cluster, event.name)
                    table.writerow([*what, *seconds, event.start_seq, event.end_seq])
