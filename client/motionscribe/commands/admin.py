"""`motionscribe admin`: loads a model into a running server of this machine, drains it, or shows its settings."""

import argparse
from typing import Any

import grpc

from motionscribe.commands.options import add_token, token_of
from motionscribe.connection.channel import open_channel
from motionscribe.descriptions import model_from_message
from motionscribe.errors import MODEL_ERRORS, from_status
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.names import escape
from motionscribe_proto.segmentation_pb2_grpc import AdminStub

PATIENCE_S = 120.0
"""Large models on a busy machine."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command and its verbs."""
    parser = commands.add_parser("admin", help="load models, drain, show settings", description=__doc__)
    verbs = parser.add_subparsers(title="verbs", required=True)
    loading = verbs.add_parser("load", help="serve one more model or version; streams that there are keep theirs")
    draining = verbs.add_parser("drain", help="send all clients away with their tokens, then stop")
    showing = verbs.add_parser("config", help="settings as a TOML file")
    loading.add_argument("model", metavar="NAME[/VERSION]", help="below its folder of models; the latest version")
    for verb, run in ((loading, run_load), (draining, run_drain), (showing, run_config)):
        verb.add_argument("--port", type=int, required=True, help="server.admin_port of the server")
        add_token(verb)
        verb.set_defaults(run=run)


def run_load(args: argparse.Namespace) -> None:
    """Prints what is served now."""
    name, _, version = args.model.partition("/")
    answer = _ask(args, "LoadModel", pb.LoadModelRequest(name=name, version=version))
    model = model_from_message(answer)
    print(escape(f"{model.name}/{model.version} is served, {model.variant} on {model.provider}"))


def run_drain(args: argparse.Namespace) -> None:
    """Prints nothing."""
    _ask(args, "Drain", pb.DrainRequest())


def run_config(args: argparse.Namespace) -> None:
    """Prints to stdout."""
    for line in _ask(args, "ShowConfig", pb.ShowConfigRequest()).toml.splitlines():
        print(escape(line))


def _ask(args: argparse.Namespace, method: str, request: Any) -> Any:
    address = f"127.0.0.1:{args.port}"
    with open_channel(address, token=token_of(args)) as channel:
        try:
            stub = AdminStub(channel)
            return getattr(stub, method)(request, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            raise from_status(error, address, MODEL_ERRORS) from error
