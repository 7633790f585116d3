"""The command `motionscribe`. Exit codes: 0 well, 1 an error in one line, 2 wrong usage, 130 interrupted."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from motionscribe.commands import admin, clusters, models, report, simulate, stream, watch
from motionscribe.errors import MotionscribeError
from motionscribe_models.errors import ContractError

DEMO = "demo"


def build_parser() -> argparse.ArgumentParser:
    """All commands."""
    parser = argparse.ArgumentParser(prog="motionscribe", description="Live motion segmentation: the client.")
    parser.add_argument("--version", action="version", version=f"motionscribe {version('motionscribe')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (stream, watch, models, clusters, report, simulate, admin):
        command.add(commands)
    commands.add_parser(DEMO, help="a synthetic performance, from server to picture", add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line; returns its exit code. argparse raises SystemExit(2) for wrong usage."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == [DEMO]:
            from motionscribe.demo.command import main as demo  # needs the server, which the client does not

            return demo(arguments[1:])
        args = build_parser().parse_args(arguments)
        args.run(args)
    except BrokenPipeError:
        # whoever read our output has enough; Python would complain once more when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (MotionscribeError, ContractError, OSError) as error:
        print(f"motionscribe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
