"""`motionscribe streams`: lists the streams that are at a server, live or waiting to be resumed."""

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from motionscribe.commands.options import add_server, connect
from motionscribe.descriptions import StreamInfo
from motionscribe.tables import plain


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("streams", help="list the streams at a server", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints to stdout."""
    with connect(args) as client:
        streams = client.streams()
    if args.json:
        for stream in streams:
            print(json.dumps(asdict(stream)))
    else:
        Console().print(_table(streams))


def _table(streams: list[StreamInfo]) -> Table:
    table = Table()
    for column in ("stream", "model", "rate", "frames up to", "state"):
        table.add_column(column)
    for stream in streams:
        table.add_row(
            plain(stream.stream_id),
            plain(f"{stream.model}/{stream.version}"),
            f"{stream.rate_hz:g} Hz",
            str(stream.received_seq),
            "live" if stream.has_owner else "waits to be resumed",
        )
    return table
