"""What motionscribe-server does with its command line.

`motionscribe-server [flags]` serves until SIGTERM or SIGINT; `motionscribe-server config show [flags]` prints the
effective settings and where each comes from. Exit status 0 when drained; 2 when it cannot serve, with one line that
says why.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from motionscribe_models.errors import ContractError
from motionscribe_server.access.tenants import TENANT, new_token
from motionscribe_server.doctor import examine
from motionscribe_server.errors import ServerError, SettingsError
from motionscribe_server.server import Server
from motionscribe_server.session.model import ServedModel
from motionscribe_server.settings import Settings, read_settings, to_toml, unknown_variables
from motionscribe_server.stream_keys import digest
from motionscribe_server.streams.catalog import read_models

log = logging.getLogger("motionscribe_server")

CANNOT = 2


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    parsed = vars(_parser().parse_args(arguments))
    command, config, doctor = parsed.pop("command"), parsed.pop("config"), parsed.pop("doctor")
    try:
        if command[:1] == ["token"] and len(command) == 2:
            print(_new_tenant(command[1]))
            return 0
        if command not in ([], ["config", "show"]):
            raise SettingsError(f"expected no command, 'config show' or 'token TENANT', got '{' '.join(command)}'")
        settings, sources = read_settings(parsed, config)
        if command:
            print(to_toml(settings, sources), end="")
            return 0
        if doctor:
            for line in examine(settings):
                print(line, flush=True)
            return 0
        logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        for complaint in unknown_variables(os.environ):
            log.warning(complaint)
        asyncio.run(serve(settings, read_models(settings)))
    except (ServerError, ContractError) as error:
        print(f"motionscribe-server: {error}", file=sys.stderr)
        return CANNOT
    return 0


async def serve(settings: Settings, models: Sequence[ServedModel]) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Prints the address when it answers."""
    server = Server(settings, models)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stopping.set)
    await server.start()
    for model in server.registry.catalog.models:
        log.info("serving %s at %s:%d", model.engine.description, settings.host, server.port)
    if server.metrics_port is not None:
        log.info("metrics at http://127.0.0.1:%d/metrics", server.metrics_port)
    if server.admin_port is not None:
        log.info("administration at 127.0.0.1:%d", server.admin_port)
    print(f"listening on {settings.host}:{server.port}", flush=True)
    told, failed = asyncio.create_task(server.stopping.wait()), asyncio.create_task(server.failed())
    await asyncio.wait({told, failed}, return_when=asyncio.FIRST_COMPLETED)
    log.info("draining")
    await server.stop()
    for task in (told, failed):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await failed
    log.info("drained")


def _new_tenant(tenant: str) -> str:
    """A token for a person and the line for the server's file. Raises SettingsError."""
    if not TENANT.fullmatch(tenant):
        raise SettingsError(f"expected a tenant of 1 to 64 of A-Z a-z 0-9 . _ -, got {tenant!r}")
    token = new_token()
    return f'token, for the clients of {tenant}: {token}\nline, for the file of tokens: {tenant} = "{digest(token)}"'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motionscribe-server",
        description="Serves motion models over gRPC. Every flag may also be set as MOTIONSCRIBE_NAME in the "
        "environment or as a key of the TOML file.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version("motionscribe"))
    parser.add_argument(
        "command",
        nargs="*",
        default=[],
        help="instead of serving, 'config show' prints the settings, 'token TENANT' a new token",
    )
    parser.add_argument(
        "--doctor",
        action="store_true",
        default=False,
        help="instead of serving, say what this machine has and how many streams it carries",
    )
    parser.add_argument(
        "--config", type=Path, default=None, metavar="FILE", help="TOML file; ./motionscribe.toml when it exists"
    )
    for name, field in Settings.model_fields.items():
        options: dict[str, Any] = {"metavar": name.rpartition("_")[2].upper()}
        if field.annotation is bool:
            options = {"action": argparse.BooleanOptionalAction}
        parser.add_argument(
            f"--{name.replace('_', '-')}", dest=name, help=f"{field.description} ({field.default})", **options
        )
    return parser
