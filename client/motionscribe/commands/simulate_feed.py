"""The part of `motionscribe simulate` that sends recordings as a live feed would, for trying a connection out."""

import argparse
from pathlib import Path

from motionscribe.commands.skeleton import read_aloud
from motionscribe.errors import BadFile
from motionscribe.sources import schemes
from motionscribe.sources.sending import play


def sends(text: str) -> bool:
    """Whether an argument is a feed that can be simulated, such as `vmc` or `vmc:HOST:PORT`."""
    return any(scheme.sender and text.partition(":")[0] == scheme.name for scheme in schemes.SCHEMES)


def simulate_feed(args: argparse.Namespace) -> None:
    """Returns when everything was sent, with --repeat never."""
    name, _, address = args.what[0].partition(":")
    scheme = next(scheme for scheme in schemes.SCHEMES if scheme.name == name)
    if len(args.what) < 2:
        raise BadFile(f"expected a recording to send: motionscribe simulate {args.what[0]} FILE")
    recordings = [read_aloud(Path(file), args.rate) for file in args.what[1:]]
    sender = scheme.open_sender(recordings, address)
    play(recordings, sender, speed=args.speed, repeat=args.repeat)
