"""`motionscribe report`: what `stream --save` wrote, as a time budget, an ethogram, a table, a page, annotations."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table

from motionscribe.commands.later_names import LaterNames, names_of, read_names
from motionscribe.commands.options import PICTURES, add_connection, connect, picture, refuse_inputs, refuse_twice
from motionscribe.errors import BadFile, NotFound
from motionscribe.events import Anomaly, Degraded, Event, SegmentEnded
from motionscribe.exemplars import Exemplars
from motionscribe.sinks import (
    StreamInfo,
    addresses,
    draw_ethogram,
    read_events,
    read_explanations,
    write_boris,
    write_elan,
    write_html,
    write_segments,
)
from motionscribe.sinks.record import is_kept
from motionscribe.sinks.saved_events import stream_id_of
from motionscribe.tables import plain, titled
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("report", help="picture and table of a recorded stream", description=__doc__)
    parser.add_argument("events", type=Path, metavar="EVENTS.jsonl", help="what stream --save wrote")
    parser.add_argument("--picture", type=picture, metavar="FILE", help=f"ethogram, {' '.join(PICTURES)}")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="one row a segment")
    parser.add_argument("--html", type=Path, metavar="FILE", help="a page: ethogram, segments, alarms, explanations")
    parser.add_argument("--elan", type=Path, metavar="FILE.eaf", help="an annotation file of ELAN: labels and alarms")
    parser.add_argument("--boris", type=Path, metavar="FILE.boris", help="a project of BORIS: labels and alarms")
    files = ", ".join(place.spelling for place in addresses.PLACES if addresses.is_file(place))
    parser.add_argument("--to", action="append", default=[], metavar="FILE", help=f"also write; several: {files}")
    parser.add_argument(
        "--explanations", type=Path, metavar="FILE", help="for the page: lines that explain --json printed"
    )
    parser.add_argument("--replace", action="store_true", help="write over files that exist")
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="names given later: lines such as 3 = walking, or what clusters list --json printed",
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="ask this server for names, merges and faces of now",
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the time budget of each stream and writes what was asked for."""
    _check_outputs(args)
    saved = read_events(args.events, _complain)
    later = _later_names(args, {stream_id_of(title) for title in saved})
    streams = {title: later[stream_id_of(title)].apply(events) for title, events in saved.items()}
    for title, events in streams.items():
        Console().print(_budget(title, events))
    explanations = read_explanations(args.explanations) if args.explanations else {}
    if args.explanations and not explanations.keys() & set(later):
        _complain(f"{args.explanations}: no explanation is of {', '.join(later)}")
    if args.picture:
        draw_ethogram(args.picture, streams)
    if args.csv:
        write_segments(args.csv, streams)
    if args.elan:
        write_elan(args.elan, streams)
    if args.boris:
        write_boris(args.boris, streams)
    for text in args.to:
        _write(text, streams)
    if args.html:
        write_html(args.html, streams, explanations, _exemplars(args, streams))


def _write(text: str, streams: Mapping[str, Sequence[Event]]) -> None:
    """Writes what has ended in all streams, which have the names of now, as `stream --to` does."""
    place, address = addresses.parse_place(text)
    with new_file(address) as beside, place.open(str(beside)) as make:
        for title, events in streams.items():
            sink = make(StreamInfo(title, title))
            for event in filter(is_kept, events):
                sink.write(event)
            sink.close()


def _check_outputs(args: argparse.Namespace) -> None:
    """Raises BadFile for a file that would be lost, and for explanations that nothing would show."""
    if args.explanations and not args.html:
        raise BadFile("expected --html with --explanations: a page shows them")
    inputs = [path for path in (args.events, args.names, args.explanations) if path]
    outputs = {"--picture": args.picture, "--csv": args.csv, "--elan": args.elan, "--boris": args.boris}
    asked = [*outputs.items(), ("--html", args.html), *(("--to", _file(text)) for text in args.to)]
    refuse_twice(path for _, path in asked if path)
    for option, path in asked:
        if path:
            refuse_inputs(option, path, inputs)
            if path.is_file() and not args.replace:
                raise BadFile(f"expected a new file for {option}, got {path}, which exists: add --replace")


def _file(text: str) -> Path:
    """Raises BadFile for what names no file."""
    place, address = addresses.parse_place(text)
    if not addresses.is_file(place):
        raise BadFile(f"expected a file for --to, got {text}")
    return Path(address)


def _later_names(args: argparse.Namespace, stream_ids: set[str]) -> Mapping[str, LaterNames]:
    """By stream. Names of the file come before those of the server."""
    later = dict.fromkeys(stream_ids, read_names(args.names) if args.names else LaterNames())
    if args.address:
        with connect(args) as client:
            for stream_id in stream_ids:
                try:
                    told, written = names_of(client.clusters(stream_id)), later[stream_id]
                except NotFound:
                    _complain(f"{args.address} does not know {stream_id}: its names are those of the file")
                    continue
                later[stream_id] = LaterNames(
                    {**told.names, **written.names}, {**told.merged_into, **written.merged_into}
                )
    return later


def _exemplars(args: argparse.Namespace, streams: Mapping[str, Sequence[Event]]) -> dict[str, dict[int, Exemplars]]:
    """By stream and cluster, as far as a server has them."""
    found: dict[str, dict[int, Exemplars]] = {}
    if args.address:
        with connect(args) as client:
            for title, events in streams.items():
                own = found.setdefault(stream_id := stream_id_of(title), {})
                for cluster in {event.cluster for event in events if isinstance(event, SegmentEnded)}:
                    with suppress(NotFound):
                        own[cluster] = client.exemplars(stream_id, cluster)
    return found


def _complain(text: str) -> None:
    print(escape(f"motionscribe: {text}"), file=sys.stderr)


def _budget(title: str, events: Sequence[Event]) -> Group:
    """Time in each cluster, longest first; how often and how long each kind of anomaly was; what was out of sight."""
    lengths: dict[int, list[float]] = {}
    names: dict[int, str] = {}
    anomalies: dict[str, list[float]] = {}
    unseen: Counter[str] = Counter()
    for event in events:
        if isinstance(event, SegmentEnded):
            lengths.setdefault(event.cluster, []).append((event.end_us - event.start_us) / 1e6)
            names[event.cluster] = event.name or f"cluster {event.cluster}"
        if isinstance(event, Anomaly) and not event.ongoing:
            anomalies.setdefault(event.kind, []).append((event.end_us - event.start_us) / 1e6)
        if isinstance(event, Degraded) and not event.ongoing:
            unseen.update(dict.fromkeys(event.joints, event.end_us - event.start_us))
    total = sum(map(sum, lengths.values())) or 1.0
    table = Table()
    for column in ("what", "segments", "seconds", "mean", "share"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for cluster, seconds in sorted(lengths.items(), key=lambda item: -sum(item[1])):
        length = sum(seconds)
        mean = length / len(seconds)
        table.add_row(plain(names[cluster]), str(len(seconds)), f"{length:.1f}", f"{mean:.1f}", f"{length / total:.0%}")
    kinds = ", ".join(f"{len(seconds)} x {kind} {sum(seconds):.1f} s" for kind, seconds in anomalies.items())
    lost = ", ".join(f"{joint} {time_us / 1e6:.1f} s" for joint, time_us in unseen.most_common())
    below = {"anomalies": kinds, "not seen": lost}
    return titled(title, table, *(plain(f"{what}: {text}") for what, text in below.items() if text))
