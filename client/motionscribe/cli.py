"""The command `motionscribe`. Exit codes: 0 well, 1 an error in one line, 2 wrong usage, 130 interrupted."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from motionscribe.commands import (
    admin,
    anomalies,
    clusters,
    convert,
    demo,
    doctor,
    explain,
    models,
    page,
    record,
    replay,
    report,
    run,
    simulate,
    skeleton,
    sources,
    stream,
    streams,
    watch,
)
from motionscribe.errors import MotionscribeError
from motionscribe_models.errors import ContractError
from motionscribe_proto.names import escape

COMMANDS = (
    *(stream, run, watch, streams, models, clusters, anomalies, explain, report, page),
    *(sources, doctor, record, replay, skeleton, convert, simulate, admin, demo),
)
"""Modules with a function `add` that describes a command and says what runs: `run(args)`, None or an exit code."""


def build_parser() -> argparse.ArgumentParser:
    """All commands."""
    parser = argparse.ArgumentParser(prog="motionscribe", description="Live motion segmentation: the client.")
    parser.add_argument("--version", action="version", version=f"motionscribe {version('motionscribe')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line; returns its exit code. argparse raises SystemExit(2) for wrong usage."""
    try:
        args = build_parser().parse_args(argv)
        return args.run(args) or 0
    except BrokenPipeError:
        # whoever read our output has enough; Python would complain once more when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (MotionscribeError, ContractError, OSError) as error:
        print(escape(f"motionscribe: {error}"), file=sys.stderr)  # a server's text, or the name of a file
        return 1
    except KeyboardInterrupt:
        return 130
