"""`motionscribe watch`: shows the events of a stream that somebody else feeds."""

import argparse
import time

from motionscribe.client import Client, Watch
from motionscribe.commands.options import add_output, add_server, connect
from motionscribe.commands.showing import open_outputs, show
from motionscribe.errors import NotFound
from motionscribe.events import Event
from motionscribe.sinks import StreamInfo

ASK_AGAIN_S = 0.2


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("watch", help="follow a live stream", description=__doc__)
    parser.add_argument("stream", metavar="STREAM", help="its id")
    parser.add_argument("--wait", action="store_true", help="until somebody feeds it")
    add_output(parser)
    add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Returns when the stream ends."""
    with connect(args) as client, open_outputs(args) as makers, _open(client, args) as watch:
        names = {cluster.id: cluster.name for cluster in client.clusters(args.stream)}
        show(watch, makers, StreamInfo(args.stream, f"watching {args.stream}", names, watch.start_us))


def _open(client: Client, args: argparse.Namespace) -> Watch[Event]:
    while True:
        try:
            return client.watch(args.stream, provisional=not args.no_provisional)
        except NotFound:
            if not args.wait:
                raise
            time.sleep(ASK_AGAIN_S)
