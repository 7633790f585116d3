"""The part of `motionscribe simulate` that sends recordings as a live feed would, for trying a connection out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from motionscribe.commands.skeleton import read_aloud
from motionscribe.errors import BadFile
from motionscribe.sources import schemes
from motionscribe.sources.sending import Track, play
from motionscribe_models.recordings import Recording
from motionscribe_proto.names import escape


def simulate_feed(scheme: schemes.Scheme, address: str, args: argparse.Namespace) -> None:
    """Returns when everything was sent, with --repeat never."""
    if len(args.what) < 2:
        raise BadFile(f"expected a recording to send: motionscribe simulate {args.what[0]} FILE")
    recordings = [read_aloud(Path(file), args.rate) for file in args.what[1:]]
    send(scheme, address, recordings, Track.of(recordings), args)


def send(
    scheme: schemes.Scheme, address: str, recordings: Sequence[Recording], track: Track, args: argparse.Namespace
) -> None:
    """Says what goes where, and sends it, at `args.speed` and perhaps over and over."""
    seconds = (track.leave_us[-1] - track.leave_us[0]) / 1e6
    where = f"{scheme.name}:{address or scheme.usual}"
    again = ", over and over" if args.repeat else ""
    print(escape(f"sends {len(track.leave_us)} frames, {seconds:.1f} s, as {where}{again}"), file=sys.stderr)
    play(recordings, scheme.open_sender(recordings, address), track=track, speed=args.speed, repeat=args.repeat)
