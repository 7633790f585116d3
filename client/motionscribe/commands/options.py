"""Options that several commands share, and the client they make."""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from motionscribe.async_client import DEFAULT_ADDRESS
from motionscribe.client import Client
from motionscribe.connection.arguments import read_connection, read_token
from motionscribe.errors import BadFile, BadRequest
from motionscribe.false_alarms import FalseAlarms, parse_false_alarms
from motionscribe.sinks import addresses

PICTURES = (".png", ".svg", ".pdf")
SLOWEST, FASTEST = 1e-6, 1e6
"""Times the pace of a recording."""


def add_server(parser: argparse.ArgumentParser) -> None:
    """Options that say which server, and how to connect."""
    parser.add_argument(
        "--address",
        default=os.environ.get("MOTIONSCRIBE_ADDRESS", DEFAULT_ADDRESS),
        metavar="HOST:PORT",
        help="the server (default: $MOTIONSCRIBE_ADDRESS or %(default)s)",
    )
    add_connection(parser)


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Options that say how to connect."""
    parser.add_argument("--plaintext", action="store_true", help="no TLS, on other hosts than this one as well")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="PEM certificates to trust instead of the system's")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="PEM certificate of this client; --key is its key")
    parser.add_argument("--key", type=Path, metavar="FILE", help="PEM key of --cert")
    add_token(parser)


def add_token(parser: argparse.ArgumentParser) -> None:
    """The option that says who calls."""
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="token for a server with tenants (default: $MOTIONSCRIBE_TOKEN)"
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Options that say where events go."""
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")
    parser.add_argument(
        "--to",
        action="append",
        default=[],
        metavar="ADDRESS",
        help=f"also send events to; several: {addresses.describe()}",
    )
    parser.add_argument("--save", metavar="EVENTS.jsonl", help="also write events to a file, for report")
    parser.add_argument("--no-provisional", action="store_true", help="only labels that will not change")


def positive(text: str) -> float:
    """An argparse type."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def speed(text: str) -> float:
    """An argparse type: times the pace of a recording."""
    number = positive(text)
    if not SLOWEST <= number <= FASTEST:
        raise argparse.ArgumentTypeError(f"expected a number from {SLOWEST:g} to {FASTEST:g}, got {text}")
    return number


def whole(text: str) -> int:
    """An argparse type."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected 0, 1, 2, ..., got {text}")
    return int(text)


def number_of(what: str) -> Callable[[str], int]:
    """An argparse type: the number of `what`, from 1 on, as the wire can carry it."""

    def number(text: str) -> int:
        if not (text.isdecimal() and 0 < int(text) < 2**64):
            raise argparse.ArgumentTypeError(f"expected the number of {what}, got {text!r}")
        return int(text)

    return number


def false_alarms(text: str) -> FalseAlarms:
    """An argparse type."""
    try:
        return parse_false_alarms(text)
    except BadRequest as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_joints(parser: argparse.ArgumentParser) -> None:
    """Names of joints that no table knows."""
    what = "what joints are called here, in lines such as `left_shoulder: LSHO`; default: by their names"
    parser.add_argument("--joints", type=Path, metavar="FILE", help=what)


def refuse_inputs(option: str, output: Path, inputs: Iterable[Path]) -> None:
    """Raises BadFile where `output`, which `option` names, is one of the files that are read."""
    for given in inputs:
        same = output.exists() and given.exists() and output.samefile(given)
        if same or os.path.realpath(output) == os.path.realpath(given):
            raise BadFile(f"expected another file for {option} than {given}, which is read")


def refuse_twice(outputs: Iterable[Path]) -> None:
    """Raises BadFile where two of the files that are written are the same one. Pipes and devices may be shared."""
    often = Counter(os.path.realpath(output) for output in outputs if output.is_file() or not output.exists())
    for path, number in often.items():
        if number > 1:
            raise BadFile(f"expected a file of its own for each output, got {path} {number} times")


def picture(text: str) -> Path:
    """An argparse type."""
    path = Path(text)
    if path.suffix not in PICTURES or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected a {' '.join(PICTURES)} in a folder that exists, got {text}")
    return path


def connect(args: argparse.Namespace) -> Client:
    """The client that the options of add_server ask for. Raises OSError for files that cannot be read, BadFile."""
    return Client(**client_arguments(args))


def client_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """Arguments of Client and AsyncClient that the options of add_server ask for. Raises as `connect` does."""
    names = ("plaintext", "ca", "cert", "key", "token_file")
    return read_connection(args.address, **{name: getattr(args, name) for name in names}).arguments()


def token_of(args: argparse.Namespace) -> str | None:
    """From --token-file or the environment. Raises OSError."""
    return read_token(args.token_file)
