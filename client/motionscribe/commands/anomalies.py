"""`motionscribe anomalies`: lists the anomalies of a stream, and says of one that it was normal or a fault."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from motionscribe.commands.options import add_server, connect, number_of
from motionscribe.descriptions import KeptAnomaly
from motionscribe.tables import plain
from motionscribe_proto.verdicts import Verdict

VERBS: dict[str, tuple[Verdict, str]] = {
    "normal": ("normal", "say that one was normal: the same, as high as it was, is no alarm any more"),
    "fault": ("fault", "say that one was a fault: it is kept as an example"),
    "clear": ("none", "take back what was said of one"),
}
SHOWN_JOINTS = 3


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command and its verbs."""
    parser = commands.add_parser(
        "anomalies", help="list anomalies, and say which were normal or faults", description=__doc__
    )
    verbs = parser.add_subparsers(title="verbs", required=True)
    listing = verbs.add_parser("list", help="the newest anomalies of a stream")
    listing.set_defaults(run=run_list)
    marking = {name: verbs.add_parser(name, help=help) for name, (_, help) in VERBS.items()}
    for verb in (listing, *marking.values()):
        verb.add_argument("stream", metavar="STREAM", help="its id")
        add_server(verb)
        verb.add_argument("--json", action="store_true", help="print JSON lines")
    for name, verb in marking.items():
        help = "as `list` and the events have it"
        verb.add_argument("anomaly", type=number_of("an anomaly"), metavar="ID", help=help)
        verb.set_defaults(run=run_mark, verdict=VERBS[name][0])


def run_list(args: argparse.Namespace) -> None:
    """Prints to stdout."""
    with connect(args) as client:
        _print(client.anomalies(args.stream), args.json)


def run_mark(args: argparse.Namespace) -> None:
    """Prints the anomaly as it is now."""
    with connect(args) as client:
        _print([client.mark_anomaly(args.stream, args.anomaly, args.verdict)], args.json)


def _print(anomalies: Sequence[KeptAnomaly], as_json: bool) -> None:
    if as_json:
        for kept in anomalies:
            print(json.dumps(asdict(kept)))
        return
    table = Table()
    for column in ("anomaly", "kind", "joints", "from s", "to s", "an hour", "fired", "verdict"):
        left = column in ("kind", "joints", "fired", "verdict")
        table.add_column(column, justify="left" if left else "right")
    for kept in anomalies:
        event = kept.event
        fired = ", ".join(f"{detector} {deviation:.1f}" for detector, deviation in kept.fired.items())
        table.add_row(
            str(event.anomaly),
            plain(event.kind),
            plain(", ".join(event.joints[:SHOWN_JOINTS])),
            f"{event.start_us / 1e6:.1f}",
            "goes on" if event.ongoing else f"{event.end_us / 1e6:.1f}",
            f"{event.false_alarms_per_hour:.2g}",
            plain(fired),
            "" if kept.verdict == "none" else kept.verdict,
        )
    Console().print(table)
