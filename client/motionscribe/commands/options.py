"""Options that several commands share, and the client they make."""

import argparse
import os
from pathlib import Path

import grpc

from motionscribe.aio import DEFAULT_ADDRESS
from motionscribe.client import Client


def add_server(parser: argparse.ArgumentParser) -> None:
    """Which server, and how."""
    parser.add_argument(
        "--address",
        default=os.environ.get("MOTIONSCRIBE_ADDRESS", DEFAULT_ADDRESS),
        metavar="HOST:PORT",
        help="the server (default: $MOTIONSCRIBE_ADDRESS or %(default)s)",
    )
    parser.add_argument("--plaintext", action="store_true", help="no TLS, on other hosts than this one as well")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="PEM certificates to trust instead of the system's")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where events go."""
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")
    parser.add_argument("--save", type=Path, metavar="EVENTS.jsonl", help="also write events to a file, for report")
    parser.add_argument("--no-provisional", action="store_true", help="only labels that will not change")


def positive(text: str) -> float:
    """An argparse type."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def connect(args: argparse.Namespace) -> Client:
    """The client that the options of add_server ask for. Raises OSError for certificates that cannot be read."""
    credentials = grpc.ssl_channel_credentials(args.ca.read_bytes()) if args.ca else None
    return Client(args.address, credentials=credentials, plaintext=args.plaintext)
