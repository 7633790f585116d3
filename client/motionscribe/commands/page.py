"""`motionscribe page`: shows streams in a browser, where clusters are named and alarms judged; or saved ones."""

import argparse
import asyncio
import importlib.util
from pathlib import Path

from motionscribe.async_client import AsyncClient
from motionscribe.commands.options import add_server, client_arguments, whole
from motionscribe.errors import BadRequest
from motionscribe_models.errors import MissingExtraError
from motionscribe_proto.addresses import is_loopback


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("page", help="show live streams in a browser", description=__doc__)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="where to listen (default: %(default)s); other machines must log in with the token",
    )
    parser.add_argument("--port", type=whole, default=8080, help="0 takes any that is free (default: %(default)s)")
    parser.add_argument(
        "--page-cert", type=Path, metavar="FILE", help="PEM certificate of the page; --page-key is its key"
    )
    parser.add_argument("--page-key", type=Path, metavar="FILE", help="PEM key of --page-cert")
    parser.add_argument(
        "--replay",
        nargs="+",
        type=Path,
        metavar=("EVENTS.jsonl", "RECORDING"),
        help="show what stream --save wrote, beside the recording of it, instead of live streams; needs no server",
    )
    parser.add_argument(
        "--camera", type=Path, metavar="DIR", help="folder in which npm installed the pose model, as the page says"
    )
    add_server(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints where the page is; returns when it is interrupted."""
    if any(importlib.util.find_spec(module) is None for module in ("starlette", "uvicorn", "websockets")):
        raise MissingExtraError("page", "the page")
    asyncio.run(_serve(args))


async def _serve(args: argparse.Namespace) -> None:
    """Raises BadRequest where others could come in without token or encryption, OSError."""
    from motionscribe.page.app import make_app
    from motionscribe.page.pose_model import find_pose_model
    from motionscribe.page.saved import read_saved
    from motionscribe.page.serving import PageServer

    if len(args.replay or ()) > 2:
        raise BadRequest(f"expected --replay EVENTS.jsonl and perhaps its recording, got {len(args.replay)} files")
    arguments = client_arguments(args)
    token = None if is_loopback(args.host) else arguments["token"]
    if bool(args.page_cert) != bool(args.page_key):
        raise BadRequest("expected --page-cert and --page-key, got one of them")
    if not is_loopback(args.host):
        if not token:
            raise BadRequest(
                f"expected a token (--token-file) for a page on {args.host}: whoever opens it must give it"
            )
        if not (args.page_cert or args.plaintext):
            raise BadRequest(f"expected --page-cert and --page-key for a page on {args.host}, or --plaintext")
    saved = read_saved(*args.replay) if args.replay else ()
    pose_model = find_pose_model(args.camera)
    async with AsyncClient(**arguments) as client:
        app = make_app(client, token, args.page_cert is not None, saved, pose_model)
        server = PageServer(app, args.host, args.port, args.page_cert, args.page_key)
        await server.run(lambda: print(f"the page is at {server.url}", flush=True))
