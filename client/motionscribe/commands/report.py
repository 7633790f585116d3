"""`motionscribe report`: what `stream --save` wrote, as a time budget, an ethogram picture and a table of segments."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from motionscribe.events import Event, SegmentEnded
from motionscribe.sinks import draw_ethogram, read_events, write_segments


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("report", help="picture and table of a recorded stream", description=__doc__)
    parser.add_argument("events", type=Path, metavar="EVENTS.jsonl", help="what stream --save wrote")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="ethogram, .png .svg or .pdf")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="one row a segment")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the time budget of each stream and writes what was asked for."""
    streams = read_events(args.events)
    if args.picture:
        draw_ethogram(args.picture, streams)
    if args.csv:
        write_segments(args.csv, streams)
    for stream_id, events in streams.items():
        Console().print(_budget(stream_id, events))


def _budget(stream_id: str, events: Sequence[Event]) -> Table:
    """Time in each cluster, longest first."""
    lengths: dict[int, list[float]] = {}
    names: dict[int, str] = {}
    for event in events:
        if isinstance(event, SegmentEnded):
            lengths.setdefault(event.cluster, []).append((event.end_us - event.start_us) / 1e6)
            names[event.cluster] = event.name or f"cluster {event.cluster}"
    total = sum(map(sum, lengths.values()))
    table = Table(title=stream_id, title_justify="left")
    for column in ("what", "segments", "seconds", "mean", "share"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for cluster, seconds in sorted(lengths.items(), key=lambda item: -sum(item[1])):
        length = sum(seconds)
        mean = length / len(seconds)
        table.add_row(names[cluster], str(len(seconds)), f"{length:.1f}", f"{mean:.1f}", f"{length / total:.0%}")
    return table
