"""`motionscribe skeleton`: what a recording's skeleton is, and how a model of the body would read it."""

import argparse
import sys
from pathlib import Path

from motionscribe.commands.options import add_joints
from motionscribe_models.body.mapping import Mapping, find_mapping
from motionscribe_models.body.own_names import read_own_names, renamed
from motionscribe_models.body.plausibility import find_faults
from motionscribe_models.recordings import Recording, endings, read_recording
from motionscribe_proto.names import escape


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("skeleton", help="show how a recording's joints are read", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help=f"recording: {' '.join(endings())}")
    add_joints(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints; 1 where the body is not plausible."""
    recording = read_aloud(args.file)
    print(escape(describe(recording)))
    skeleton = recording.skeleton
    if args.joints:
        skeleton = renamed(skeleton, read_own_names(args.joints))
    mapping = find_mapping(skeleton)
    print(f"read as {mapping.convention}")
    for line in mapping.describe():
        print(escape(f"  {line}"))
    faults = faults_of(mapping, recording)
    for fault in faults:
        print(f"not plausible: {fault}", file=sys.stderr)
    return 1 if faults else 0


def read_aloud(path: Path, rate_hz: float | None = None) -> Recording:
    """Reads a recording, and says on standard error what its reader decided. Raises RecordingError."""
    recording = read_recording(path, rate_hz)
    for note in recording.notes:
        print(escape(f"{path}: {note}"), file=sys.stderr)
    return recording


def faults_of(mapping: Mapping, recording: Recording) -> list[str]:
    """What is not plausible in a body that `mapping` makes of a recording."""
    return find_faults(mapping.apply(recording.frames, recording.confidences), mapping.body)


def describe(recording: Recording) -> str:
    """A recording's layout and length, in a line."""
    skeleton = recording.skeleton
    axes = f"{skeleton.up_axis} up{'' if skeleton.level else ' (a camera, levelled while it runs)'}"
    hand = "left hand" if skeleton.left_handed else "right hand"
    return (
        f"{skeleton.name}: {len(skeleton.joints)} joints, {skeleton.representation}, {skeleton.units}, "
        f"{axes}, axes of a {hand}, {len(recording.frames)} frames at {skeleton.rate_hz:g} Hz"
    )
