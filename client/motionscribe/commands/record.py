"""`motionscribe record`: keeps what a live feed sends, as it comes: for a bug report, for replay, for training."""

import argparse
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from motionscribe.commands.options import positive
from motionscribe.commands.take_files import TakeFiles
from motionscribe.errors import BadFile
from motionscribe.sources import schemes
from motionscribe.sources.hearing import claimed_hz, hear, nothing_came
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.takes import Takes
from motionscribe_proto.names import escape

WRITE_S = 60.0
"""So often what came is added to the file: a process that is killed loses no more."""
SHARE = 20.0
"""A file is copied when frames are added: between two times, so many times as long as the last one took, or longer."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("record", help="keep what a live feed sends, as it comes", description=__doc__)
    parser.add_argument("source", metavar="FEED", help=schemes.describe(live=True))
    parser.add_argument("output", type=Path, metavar="FILE.npz", help="a new file; of several people FILE-ID.npz each")
    parser.add_argument(
        "--seconds", type=positive, metavar="S", help="how long from the first frame on (default: until stopped)"
    )
    parser.add_argument("--person", metavar="ID", help="of a feed with several people, only this one")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Ends with --seconds, an interrupt, or the feed. Prints each file.

    Raises NotFound where nothing came, BadFile for a file that was there before, and where frames are lost.
    """
    scheme, address = schemes.parse_address(args.source)
    if not scheme.live:
        raise BadFile(f"expected a live feed, got {args.source}: motionscribe convert copies files")
    if args.output.suffix.lower() != ".npz":
        raise BadFile(f"expected a file ending in .npz, got {args.output}")
    if not args.output.parent.is_dir():
        raise BadFile(f"expected a folder for {args.output}, found none at {args.output.parent}")
    if args.output.exists():
        raise BadFile(f"expected a new file, got {args.output}, which exists")
    feed = scheme.open(address)
    several = isinstance(feed, LiveFeed) and feed.several
    takes = Takes(scheme.name, several=several, person=args.person)
    try:
        files = TakeFiles(args.output, several=several and args.person is None)
    except BaseException:
        if isinstance(feed, LiveFeed):
            feed.close()
        raise
    begun_s, write_s = None, time.monotonic() + WRITE_S
    print(f"waiting for {args.source}", flush=True)
    with _stopping() as stopped, closing(hear(feed)) as moments:
        try:
            for moment in moments:
                now_s = time.monotonic()
                if moment:
                    takes.take(moment)
                    if begun_s is None:
                        begun_s = now_s
                        print("recording: end with Ctrl-C", flush=True)
                is_over = begun_s is not None and args.seconds and now_s >= begun_s + args.seconds
                if is_over or stopped.is_set():
                    break
                if now_s >= write_s:
                    files.add(takes.pop(claimed_hz(feed)))
                    files.write()
                    write_s = time.monotonic() + max(WRITE_S, SHARE * (time.monotonic() - now_s))
        finally:
            files.add(takes.pop(claimed_hz(feed)))
            files.write()
    for path, frames in files.frames.items():
        print(escape(f"{path}: {frames} frames"))
    if takes.left_out:
        print(f"{takes.left_out} frames of more people or skeletons than can be were left out")
    files.check()
    if not files.frames:
        raise nothing_came(feed)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, where this is the main thread: others get no signals."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stopped.set()) for number in numbers]
    try:
        yield stopped
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
