"""`motionscribe watch`: shows the events of a stream that somebody else feeds."""

import argparse
from contextlib import ExitStack

from motionscribe.commands.options import add_output, add_server, connect
from motionscribe.commands.showing import show


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("watch", help="follow a live stream", description=__doc__)
    parser.add_argument("stream", metavar="STREAM", help="its id")
    add_output(parser)
    add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Returns when the stream ends."""
    with ExitStack() as stack:
        client = stack.enter_context(connect(args))
        save = stack.enter_context(open(args.save, "w", encoding="utf-8")) if args.save else None
        events = client.watch(args.stream, provisional=not args.no_provisional)
        show(events, args, save, args.stream, f"watching {args.stream}", client.clusters(args.stream))
