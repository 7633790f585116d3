"""Reads the file that `stream --save` and `watch --save` write: whole lines count, damaged ones are told.

In: a file, which an editor or PowerShell may have saved anew. Out: events by stream and run.
"""

import codecs
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from motionscribe.errors import BadEventsFile
from motionscribe.events import ClusterMerged, ClusterSplit, Event
from motionscribe_proto.events import from_dict

log = logging.getLogger(__name__)

RUN = ", run "
COMPLAINTS = 10


def merges_of(events: Iterable[Event]) -> dict[int, int]:
    """Cluster -> the one that it is part of at the end, where that was not undone."""
    merged: dict[int, int] = {}
    for event in events:
        if isinstance(event, ClusterMerged):
            merged[event.source] = event.target
        elif isinstance(event, ClusterSplit):
            merged.pop(event.cluster, None)
    return merged


def read_events(path: Path | str, complain: Callable[[str], None] = log.warning) -> dict[str, list[Event]]:
    """Events by stream, in the order of the file: "gym-1", "gym-1, run 2" and so on where several runs were saved.

    `complain` is told of each line that is no whole event. Raises BadEventsFile where none is.
    """
    streams: dict[str, list[Event]] = {}
    runs: dict[str, int] = {}
    damaged: list[str] = []
    try:
        # a byte that is no text becomes \x.., which no JSON has
        with Path(path).open(encoding=encoding_of(Path(path)), errors="backslashreplace") as file:
            for number, line in enumerate(file, 1):
                try:
                    if line.strip():
                        _take(line.rstrip("\n"), streams, runs)
                except ValueError as error:
                    damaged.append(f"{path}, line {number}: {error}")
    except OSError as error:
        raise BadEventsFile(f"{path}: expected JSON lines of events: {error}") from error
    if not streams:
        raise BadEventsFile(damaged[0] if damaged else f"{path}: expected events, got an empty file")
    for line in damaged[:COMPLAINTS]:
        complain(line)
    if len(damaged) > COMPLAINTS:
        complain(f"{path}: {len(damaged) - COMPLAINTS} more lines are no events")
    return streams


def _take(line: str, streams: dict[str, list[Event]], runs: dict[str, int]) -> None:
    """Raises ValueError for a line that is no event, nor the start of a run."""
    stream_id, values = _parse(line)
    if values.keys() == {"run"}:
        runs[stream_id] = runs.get(stream_id, 0) + 1
        return
    event = from_dict(values)
    run = runs.setdefault(stream_id, 1)
    streams.setdefault(stream_id if run == 1 else f"{stream_id}{RUN}{run}", []).append(event)


def stream_id_of(title: str) -> str:
    """The stream of a key of `read_events`."""
    return title.partition(RUN)[0]


def encoding_of(path: Path) -> str:
    """UTF-8, with or without a mark, or UTF-16 with one, as Notepad and PowerShell write it. Raises OSError."""
    with path.open("rb") as file:
        mark = file.read(2)
    return "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _parse(line: str) -> tuple[str, dict[str, Any]]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected JSON, got {line[:60]!r}") from error
    if not isinstance(values, dict) or not isinstance(values.get("stream"), str):
        raise ValueError(f'expected an object with a "stream", got {line[:60]!r}')
    return values.pop("stream"), values
