"""`motionscribe watch`: shows the events of a stream that somebody else feeds."""

import argparse

from motionscribe.commands.options import add_output, add_server, connect
from motionscribe.commands.showing import open_outputs, show
from motionscribe.sinks import StreamInfo


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("watch", help="follow a live stream", description=__doc__)
    parser.add_argument("stream", metavar="STREAM", help="its id")
    add_output(parser)
    add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Returns when the stream ends."""
    with connect(args) as client, open_outputs(args) as makers:
        events = client.watch(args.stream, provisional=not args.no_provisional)
        names = {cluster.id: cluster.name for cluster in client.clusters(args.stream)}
        show(events, makers, StreamInfo(args.stream, f"watching {args.stream}", names))
