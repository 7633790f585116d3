"""`motionscribe explain`: which joints, and which moments, gave a segment of a live stream its label."""

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from motionscribe.commands.options import add_server, connect, number_of
from motionscribe.explanations import Explanation
from motionscribe.tables import plain, titled

SHOWN_JOINTS = 8
BAR = 20
"""Characters of the longest bar."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("explain", help="why a segment has its label", description=__doc__)
    parser.add_argument("stream", metavar="STREAM", help="its id; it must be live")
    parser.add_argument(
        "--segment",
        type=number_of("a segment"),
        default=0,
        metavar="N",
        help="as its events have it; the newest when left out",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints to stdout."""
    with connect(args) as client:
        explanation = client.explain(args.stream, args.segment)
    if args.json:
        print(json.dumps({"stream": args.stream, **asdict(explanation)}))
    else:
        _print(explanation)


def _print(explanation: Explanation) -> None:
    start_s = explanation.start_us / 1e6
    title = (
        f"segment {explanation.segment}, {start_s:.1f} to {explanation.end_us / 1e6:.1f} s: "
        f"{_called(explanation.cluster, explanation.name)}"
    )
    rows = [(one.joint, one.weight, one.becomes) for one in explanation.joints[:SHOWN_JOINTS]]
    rows += [
        (f"{one.start_us / 1e6:.1f} to {one.end_us / 1e6:.1f} s", one.weight, one.becomes) for one in explanation.parts
    ]
    most = max(max(weight for _, weight, _ in rows), 1e-9)
    table = Table()
    for column in ("without", "weight", "", "it would be"):
        table.add_column(column, justify="right" if column == "weight" else "left")
    for number, (what, weight, becomes) in enumerate(rows):
        last_joint = number + 1 == len(rows) - len(explanation.parts)
        bar = "█" * round(BAR * max(weight, 0.0) / most)
        changed = "" if becomes == explanation.cluster else f"cluster {becomes}"
        table.add_row(plain(what), f"{weight:.2f}", bar, changed, end_section=last_joint)
    below = "there is no other cluster"
    if explanation.other is not None:
        below = f"margin {explanation.margin:.2f} over the next, {_called(explanation.other, explanation.other_name)}"
    Console().print(titled(title, table, plain(below)))


def _called(cluster: int, name: str) -> str:
    return f"cluster {cluster} “{name}”" if name else f"cluster {cluster}"
