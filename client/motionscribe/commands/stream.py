"""`motionscribe stream`: sends recordings or a live feed to a server and shows what it finds in them."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from motionscribe.async_client import LAGS
from motionscribe.commands.options import add_output, add_server, connect, positive
from motionscribe.commands.showing import show
from motionscribe.sources import Source, file_source

LSL = "lsl:"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("stream", help="stream recordings or a live feed", description=__doc__)
    parser.add_argument(
        "sources", nargs="+", metavar="FILE", help=".amc .csv .mat .npz .txt, one after the other; or lsl:NAME, live"
    )
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--realtime", action="store_const", const=1.0, dest="speed", help="at the recording's own pace")
    pace.add_argument("--speed", type=positive, metavar="N", help="N times that (default: as fast as the server goes)")
    parser.add_argument("--rate", type=positive, metavar="HZ", help="frames a second, instead of what the file says")
    parser.add_argument("--model", default="", metavar="NAME", help="default: the server's only one")
    parser.add_argument("--version", default="latest", help="of the model (default: %(default)s)")
    parser.add_argument(
        "--lag", choices=LAGS, default="balanced", help="how soon labels are final (default: %(default)s)"
    )
    parser.add_argument("--durable", action="store_true", help="lose nothing even where the server dies")
    parser.add_argument("--stream-id", metavar="ID", help="names of clusters belong to it (default: made up)")
    add_output(parser)
    add_server(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> None:
    """Streams one source after the other."""
    if args.stream_id and len(args.sources) > 1:
        args.parser.error("--stream-id is for one FILE")
    with ExitStack() as stack:
        client = stack.enter_context(connect(args))
        save = stack.enter_context(open(args.save, "w", encoding="utf-8")) if args.save else None
        for what in args.sources:
            stream = client.stream(
                _source(what, args.rate),
                stream_id=args.stream_id,
                model=args.model,
                version=args.version,
                lag=args.lag,
                provisional=not args.no_provisional,
                durable=args.durable,
                realtime=None if what.startswith(LSL) else args.speed,
            )
            opened = stream.opened
            title = (
                f"{opened.stream_id}: {Path(what).name} on {opened.model.name}/{opened.model.version}, "
                f"final after {opened.latency_us / 1e6:.1f} s"
            )
            show(stream, args, save, opened.stream_id, title, opened.clusters)


def _source(what: str, rate_hz: float | None) -> Source:
    if what.startswith(LSL):
        from motionscribe.sources.lsl import LslSource  # the extra is only needed here

        return LslSource(what.removeprefix(LSL))
    return file_source(what, rate_hz)
