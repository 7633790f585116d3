"""What motionscribe-server does with its command line.

`motionscribe-server [flags]` serves until a signal ends it (signals.py); `motionscribe-server config show [flags]`
prints the effective settings and where each comes from; `motionscribe-server token TENANT` prints a new token. Exit
status 0 when drained; 1 when the drain did not end in time; 2 when it cannot serve, with one line that says why.
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

from motionscribe_models.errors import ContractError
from motionscribe_server.access.tenants import TENANT, new_token
from motionscribe_server.errors import ServerError, SettingsError
from motionscribe_server.logging_aside import logging_aside
from motionscribe_server.read_settings import read_settings, unknown_variables
from motionscribe_server.server import Server
from motionscribe_server.session.model import ServedModel
from motionscribe_server.setting_names import FORMER_FLAGS, SETTINGS, ask, nearest
from motionscribe_server.settings import Settings, to_toml
from motionscribe_server.signals import end_at_once, handle_signals, ignore_signals
from motionscribe_server.stream_keys import digest
from motionscribe_server.streams.catalog import read_models

log = logging.getLogger("motionscribe_server")

EXIT_NOT_DRAINED = 1
EXIT_CANNOT_SERVE = 2
CLOSING_S = 5.0
"""For workers, store and files to close, after the grace of the calls."""
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        _refuse_former_flags(words)
        parsed, unknown = _parser().parse_known_args(words)
        _refuse_unknown_flags(unknown)
        flags = vars(parsed)
        command, config, doctor = flags.pop("command"), flags.pop("config"), flags.pop("doctor")
        if command[:1] == ["token"] and len(command) == 2:
            print(_new_tenant(command[1]))
            return 0
        if command not in ([], ["config", "show"]):
            raise SettingsError(f"expected no command, 'config show' or 'token TENANT', got '{' '.join(command)}'")
        settings, sources = read_settings(flags, config)
        if command:
            print(to_toml(settings, sources), end="")
            return 0
        if doctor:
            # the doctor loads ONNX Runtime, which the serving process does without
            from motionscribe_server.doctor import examine

            for line in examine(settings):
                print(line, flush=True)
            return 0
        logging.basicConfig(level=settings.server.log_level.upper(), format=LOG_FORMAT)
        for complaint in unknown_variables(os.environ):
            log.warning(complaint)
        with logging_aside():
            asyncio.run(serve(settings, read_models(settings)))
    except (ServerError, ContractError) as error:
        print(f"motionscribe-server: {error}", file=sys.stderr)
        return EXIT_CANNOT_SERVE
    except KeyboardInterrupt:  # before there is anything to drain
        return 128 + signal.SIGINT
    return 0


async def serve(settings: Settings, models: Sequence[ServedModel]) -> None:
    """Serves until a signal or a failure, then drains. Prints the address when it answers."""
    server = Server(settings, models)
    handle_signals(server.stopping.set)
    stopping = asyncio.create_task(server.stopping.wait())
    starting = asyncio.create_task(server.start())
    await asyncio.wait({stopping, starting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        log.info("ends before it has started")
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        return
    await starting
    _say_what_is_served(server, settings.server.host)
    failed = asyncio.create_task(server.failed())
    await asyncio.wait({stopping, failed}, return_when=asyncio.FIRST_COMPLETED)
    log.info("draining")
    try:
        async with asyncio.timeout(settings.server.grace_s + CLOSING_S):
            await server.stop()
    except TimeoutError:
        log.error("expected to close within %g s of the grace: the store waits for something", CLOSING_S)
        end_at_once(EXIT_NOT_DRAINED)
    for task in (stopping, failed):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await failed
    log.info("drained")
    ignore_signals()


def _say_what_is_served(server: Server, host: str) -> None:
    for model in server.registry.catalog.models:
        log.info("serving %s at %s:%d", model.engine.description, host, server.port)
    if server.metrics_port is not None:
        log.info("metrics at http://127.0.0.1:%d/metrics", server.metrics_port)
    if server.admin_port is not None:
        log.info("administration at 127.0.0.1:%d", server.admin_port)
    with contextlib.suppress(OSError):  # the terminal is closed just now: SIGHUP is on its way
        print(f"listening on {host}:{server.port}", flush=True)


def _new_tenant(tenant: str) -> str:
    """A token for a person and the line for the server's file. Raises SettingsError."""
    if not TENANT.fullmatch(tenant):
        raise SettingsError(f"expected a tenant of 1 to 64 of A-Z a-z 0-9 . _ -, got {tenant!r}")
    token = new_token()
    return f'token, for the clients of {tenant}: {token}\nline, for the file of tokens: {tenant} = "{digest(token)}"'


def _refuse_former_flags(words: Sequence[str]) -> None:
    """Raises SettingsError for flags that have another name now, with that name."""
    flags = [word.partition("=")[0] for word in words]
    if former := [f"{flag} {FORMER_FLAGS[flag]}" for flag in flags if flag in FORMER_FLAGS]:
        raise SettingsError("; ".join(former))


def _refuse_unknown_flags(unknown: Sequence[str]) -> None:
    """Raises SettingsError for words that the parser left over, with the nearest flag."""
    if unknown:
        word = unknown[0].partition("=")[0]
        near = nearest(word, [setting.flag for setting in SETTINGS.values()])
        raise SettingsError(f"{word} is no flag" + ask(near))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motionscribe-server",
        description="Serves motion models over gRPC. The setting NAME of [GROUP] in the TOML file is the flag "
        "--GROUP-NAME and the variable MOTIONSCRIBE_GROUP_NAME; settings of [server] go without the group.",
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
    groups = {
        name: parser.add_argument_group(f"[{name}]", field.annotation.__doc__ if field.annotation else None)
        for name, field in Settings.model_fields.items()
    }
    for setting in SETTINGS.values():
        add, text = groups[setting.group].add_argument, f"{setting.meaning} ({setting.default})"
        if setting.is_switch:
            add(setting.flag, dest=setting.path, help=text, action=argparse.BooleanOptionalAction)
        else:
            add(setting.flag, dest=setting.path, help=text, metavar=setting.name.upper())
    return parser
