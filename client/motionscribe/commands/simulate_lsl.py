"""`motionscribe simulate-lsl`: replays a recording as a Lab Streaming Layer stream, as a capture system would."""

import argparse
import sys
from pathlib import Path

from motionscribe.commands.options import positive
from motionscribe_models.recordings import endings, read_recording


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("simulate-lsl", help="replay a recording over LSL", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help=f"recording: {' '.join(endings())}")
    parser.add_argument("--name", default="motionscribe", help="of the stream (default: %(default)s)")
    parser.add_argument("--speed", type=positive, default=1.0, metavar="N", help="times the recording's pace")
    parser.add_argument("--rate", type=positive, metavar="HZ", help="frames a second, instead of what the file says")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Waits for a listener; returns when everything was sent."""
    from motionscribe.sources.lsl_simulator import simulate_lsl  # the extra is only needed here

    recording = read_recording(args.file, args.rate)
    for note in recording.notes:
        print(f"{args.file}: {note}", file=sys.stderr)
    simulate_lsl(recording, name=args.name, speed=args.speed)
