"""`motionscribe convert`: a recording of any format that is read, as a file of another."""

import argparse
from pathlib import Path

from motionscribe.commands.options import positive, refuse_inputs
from motionscribe.commands.skeleton import describe, read_aloud
from motionscribe.errors import BadFile
from motionscribe_models.new_file import new_file
from motionscribe_models.recordings import endings, read_recording
from motionscribe_models.recordings.writing import WRITERS, writer_of
from motionscribe_proto.names import escape


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    written = " ".join(writer.ending for writer in WRITERS)
    parser = commands.add_parser("convert", help="write a recording in another format", description=__doc__)
    parser.add_argument("input", type=Path, metavar="IN", help=f"recording: {' '.join(endings())}, or a folder")
    parser.add_argument("output", type=Path, metavar="OUT", help=f"a new file, by its ending: {written}")
    parser.add_argument("--rate", type=positive, metavar="HZ", help="override the rate that IN implies")
    parser.add_argument("--replace", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints what was read and what OUT holds, as our own reader has it. OUT appears when that reader took it."""
    refuse_inputs("OUT", args.output, [args.input])
    if args.output.exists() and not args.replace:
        raise BadFile(f"expected a new file, got {args.output}, which exists: add --replace")
    writer = writer_of(args.output)
    if not args.output.parent.is_dir():
        raise BadFile(f"expected a folder for {args.output}, found none at {args.output.parent}")
    recording = read_aloud(args.input, args.rate)
    with new_file(args.output) as beside:
        writer.write(recording, beside)
        written = read_recording(beside)
    print(escape(f"{args.input}: {describe(recording)}"))
    print(escape(f"{args.output}: {describe(written)}"))
