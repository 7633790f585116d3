"""Reads the server's settings from flags, environment and a TOML file, in this order, then defaults.

In: flags as a mapping, MOTIONSCRIBE_* of the environment, --config FILE or ./motionscribe.toml. Out: Settings, and
where each value came from. Raises SettingsError for whatever it does not understand.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from motionscribe_server.errors import SettingsError
from motionscribe_server.setting_names import FORMER_KEYS, FORMER_VARIABLES, SETTINGS, UNGROUPED, ask, nearest
from motionscribe_server.settings import Settings

DEFAULT_FILE = Path("motionscribe.toml")
PREFIX = "MOTIONSCRIBE_"
NEIGHBOURS = ("ADDRESS", "DATA", "TOKEN")
"""Variables of the client and the trainer, without PREFIX."""

Layer = Mapping[str, Any]
"""Values by path ("limits.credits")."""


def read_settings(flags: Layer, config: Path | None = None) -> tuple[Settings, dict[str, str]]:
    """Effective settings, and the source of each by path: "--port", "MOTIONSCRIBE_PORT", the file's path or "default".

    `flags` holds only what was given. Without `config`, ./motionscribe.toml is read if it is there. Raises
    SettingsError.
    """
    file = config or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    in_file, variables = _read_file(file) if file else {}, _read_variables(os.environ)
    sources = dict.fromkeys(SETTINGS, "default") | dict.fromkeys(in_file, str(file))
    sources |= {path: SETTINGS[path].variable for path in variables} | {path: SETTINGS[path].flag for path in flags}
    try:
        return Settings.model_validate(_grouped({**in_file, **variables, **flags})), sources
    except ValidationError as error:
        raise SettingsError("; ".join(_complaints(error, sources))) from error


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """MOTIONSCRIBE_* that no setting reads, each with the nearest one; they may be other programs', so no error."""
    known = [*(setting.variable.removeprefix(PREFIX) for setting in SETTINGS.values()), *NEIGHBOURS]
    unknown = {
        key: name
        for key in environment
        if (name := key.upper().removeprefix(PREFIX)) != key.upper() and name not in known
    }
    return [
        f"{key} is no setting of the server" + ask(PREFIX + near if (near := nearest(name, known)) else "")
        for key, name in sorted(unknown.items())
    ]


def _grouped(layer: Layer) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for path, value in layer.items():
        setting = SETTINGS[path]
        groups.setdefault(setting.group, {})[setting.name] = _split(value) if setting.is_list else value
    return groups


def _split(value: object) -> object:
    """Flags and variables list values with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _read_variables(environment: Mapping[str, str]) -> Layer:
    """Variables in any case; an empty one is as good as none. Raises SettingsError for the names of former settings."""
    given = {key.upper(): value for key, value in environment.items() if value}
    if former := [f"{name} {now}" for name, now in FORMER_VARIABLES.items() if name in given]:
        raise SettingsError("; ".join(former))
    return {path: given[setting.variable] for path, setting in SETTINGS.items() if setting.variable in given}


def _read_file(file: Path) -> Layer:
    """Raises SettingsError for a file that is none, and for keys that no setting has."""
    if not file.is_file():
        raise SettingsError(f"expected a TOML file, got {file}, which is not there")
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: expected TOML: {error}") from error
    layer: dict[str, Any] = {}
    for key, value in table.items():
        layer |= {f"{key}.{name}": inner for name, inner in value.items()} if isinstance(value, dict) else {key: value}
    if unknown := [f"{path} (from {file}) {_correct(path)}" for path in layer if path not in SETTINGS]:
        raise SettingsError("; ".join(unknown))
    return layer


def _correct(path: str) -> str:
    """What is wrong with a key of the file that no setting has."""
    if path in FORMER_KEYS:
        return FORMER_KEYS[path]
    if path in Settings.model_fields:
        return f"is a group: expected a table [{path}]"
    near = nearest(path.rpartition(".")[2], UNGROUPED)
    return "is no setting" + ask(UNGROUPED[near].path if near else "")


def _complaints(error: ValidationError, sources: Mapping[str, str]) -> list[str]:
    """One line a wrong value: name, source, what was expected and what came."""
    lines = []
    for problem in error.errors(include_url=False):
        path = ".".join(map(str, problem["loc"][:2]))
        wrong = str(problem.get("ctx", {}).get("error", problem["msg"]))
        # a rule for several settings names them itself
        lines.append(f"{path} (from {sources[path]}): {wrong}, got {problem['input']!r}" if path in sources else wrong)
    return lines
