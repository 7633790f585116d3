"""`motionscribe replay`: sends what was recorded again, as a live feed: pauses, repeats and jumps as they came."""

import argparse
from pathlib import Path

from motionscribe.commands.options import speed
from motionscribe.commands.simulate_feed import send
from motionscribe.commands.skeleton import read_aloud
from motionscribe.errors import BadFile
from motionscribe.sources import schemes
from motionscribe.sources.replaying import track_of
from motionscribe.sources.sending import Track
from motionscribe_models.recordings.npz import read_take


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("replay", help="send a recording again, as it came", description=__doc__)
    what = "what `motionscribe record` wrote, a file for each person; with --as any recording"
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=what)
    feeds = ", ".join(scheme.name for scheme in schemes.senders())
    parser.add_argument(
        "--as",
        dest="feed",
        metavar="FEED[:ADDRESS]",
        help=f"how it is sent: {feeds} (default: the feed that it came by)",
    )
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N", help="times the pace at which it came")
    parser.add_argument("--repeat", action="store_true", help="over and over, until it is stopped")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Returns when everything was sent, with --repeat never."""
    takes = [take for path in args.files if (take := read_take(path))]
    if len(takes) == len(args.files):
        recordings, track = [take.numbered() for take in takes], track_of(takes)
    else:
        recordings = [read_aloud(path) for path in args.files]
        track = Track.of(recordings)
    text = args.feed or (takes[0].feed if takes else "")
    feed = schemes.parse_sender(text)
    if feed is None:
        known = ", ".join(scheme.name for scheme in schemes.senders())
        got = text.partition(":")[0] or "a file that names no feed"
        raise BadFile(f"{args.files[0]}: expected --as with one of {known}, got {got}")
    send(*feed, recordings, track, args)
