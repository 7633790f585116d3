"""`motionscribe stream`: sends recordings or a live feed to a server and shows what it finds in them."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from motionscribe.async_client import AsyncClient
from motionscribe.commands.ending import ending_well
from motionscribe.commands.options import (
    add_joints,
    add_output,
    add_server,
    client_arguments,
    false_alarms,
    positive,
    speed,
)
from motionscribe.commands.showing import open_outputs
from motionscribe.commands.skeleton import faults_of
from motionscribe.feeds.streams import FeedStreams, Plan
from motionscribe.sinks import MakeSink
from motionscribe.sources import RecordingSource, Source, schemes
from motionscribe_models.body.mapping import find_mapping
from motionscribe_models.body.own_names import read_own_names
from motionscribe_models.lags import LAGS
from motionscribe_models.recordings import endings
from motionscribe_proto.names import escape


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("stream", help="stream recordings or a live feed", description=__doc__)
    what = f"{schemes.describe()}. Several come one after the other. Endings of files: {' '.join(endings())}"
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=what)
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--realtime", action="store_const", const=1.0, dest="speed", help="at the recording's own pace")
    pace.add_argument("--speed", type=speed, metavar="N", help="N times that (default: as fast as the server goes)")
    parser.add_argument("--rate", type=positive, metavar="HZ", help="frames a second, instead of what the file says")
    parser.add_argument(
        "--model", default="", metavar="NAME", help="default: the only one, body, or body2d in an image"
    )
    parser.add_argument("--version", default="latest", help="of the model (default: %(default)s)")
    parser.add_argument(
        "--lag", choices=LAGS, default="balanced", help="how soon labels are final (default: %(default)s)"
    )
    parser.add_argument(
        "--false-alarms-per-hour",
        type=false_alarms,
        metavar="N",
        help="of anomalies, to be expected: 0.5, or sensor=0.5,motion=6,behaviour=2 (default: 0.5 of each kind)",
    )
    parser.add_argument("--anomaly-scores", action="store_true", help="also how normal each moment is")
    parser.add_argument("--durable", action="store_true", help="lose nothing even where the server dies")
    parser.add_argument("--stream-id", metavar="ID", help="names of clusters belong to it (default: made up)")
    parser.add_argument("--person", metavar="ID", help="of a feed with several people the one (default: all)")
    add_joints(parser)
    add_output(parser)
    add_server(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> None:
    """Streams one source after the other."""
    if args.stream_id and len(args.sources) > 1:
        args.parser.error("--stream-id is for one SOURCE: send each with a command of its own, with the same id")
    feeds = _open_feeds(args)
    first = next(feeds)
    client = AsyncClient(**client_arguments(args))
    with open_outputs(args, _files(args)) as makers:
        asyncio.run(_stream_all(args, client, chain([first], feeds), makers))


async def _stream_all(
    args: argparse.Namespace, client: AsyncClient, feeds: Iterable[tuple[str, Source]], makers: Sequence[MakeSink]
) -> None:
    joints = read_own_names(args.joints) if args.joints else {}
    async with client:
        for text, source in feeds:

            def tell(line: str, text: str = text) -> None:
                print(escape(f"{text}: {line}"), file=sys.stderr)

            plan = Plan(text, args.stream_id, args.person, joints, args.speed, _options(args))
            streams = FeedStreams(client, source, plan, makers, tell)
            try:
                await ending_well(streams.run(), streams.finish)
            finally:
                if source.clock and (drift := source.clock.conclude()):
                    print(escape(f"{args.stream_id or source.name}: {drift}"), file=sys.stderr)
            # last: of a long recording it takes seconds
            for fault in _faults(source) if streams.opened and streams.opened.mapping else ():
                tell(f"not plausible: {fault}")


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Arguments of AsyncClient.stream but for source, id and pace."""
    return {
        "model": args.model,
        "version": args.version,
        "lag": args.lag,
        "provisional": not args.no_provisional,
        "false_alarms_per_hour": args.false_alarms_per_hour,
        "anomaly_scores": args.anomaly_scores,
        "durable": args.durable,
    }


def _faults(source: Source) -> list[str]:
    """What is wrong with the body in a recording that the server maps."""
    if not isinstance(source, RecordingSource):
        return []
    return faults_of(find_mapping(source.skeleton or source.recording.skeleton), source.recording)


def _files(args: argparse.Namespace) -> list[Path]:
    """What the sources may be files of."""
    return [Path(name) for text in args.sources for name in (text, schemes.parse_address(text)[1])]


def _open_feeds(args: argparse.Namespace) -> Iterator[tuple[str, Source]]:
    """Each source as it was named, and opened when its turn comes. Says what its reader decided."""
    for text in args.sources:
        scheme, address = schemes.parse_address(text)
        source = scheme.open(address, args.rate)
        for note in source.notes:
            print(f"{text}: {note}", file=sys.stderr)
        yield text, source
