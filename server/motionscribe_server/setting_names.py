"""What each setting is called in the TOML file, as a flag and as a variable, and what it was called before.

The setting NAME of [GROUP] is the flag --GROUP-NAME and the variable MOTIONSCRIBE_GROUP_NAME; those of [server] go
without the group: --port, MOTIONSCRIBE_PORT. Everything derives from the fields of Settings: flags, help, docs' table.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic.fields import FieldInfo

from motionscribe_server.settings import Settings

SHORT_GROUP = "server"
"""The group whose flags and variables go without its name."""


@dataclass(frozen=True)
class Setting:
    """One setting: a field of a group."""

    group: str
    name: str
    field: FieldInfo

    @property
    def path(self) -> str:
        """As in Python and in messages: limits.credits."""
        return f"{self.group}.{self.name}"

    @property
    def flag(self) -> str:
        """--limits-credits."""
        return _flag(self._short)

    @property
    def variable(self) -> str:
        """MOTIONSCRIBE_LIMITS_CREDITS."""
        return _variable(self._short)

    @property
    def _short(self) -> str:
        return self.name if self.group == SHORT_GROUP else f"{self.group}_{self.name}"

    @property
    def is_switch(self) -> bool:
        """A flag without a value."""
        return self.field.annotation is bool

    @property
    def is_list(self) -> bool:
        """Flags and variables list its values with commas."""
        return get_origin(self.field.annotation) is tuple

    @property
    def meaning(self) -> str:
        """One line for people."""
        return str(self.field.description)

    @property
    def default(self) -> str:
        """For people."""
        match self.field.default:
            case None | ():
                return "none"
            case bool() as value:
                return str(value).lower()
            case tuple() as values:
                return ",".join(map(str, values))
            case float() as value:
                return f"{value:.15g}"
            case value:
                return str(value)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return "MOTIONSCRIBE_" + name.upper()


def _settings() -> dict[str, Setting]:
    groups: dict[str, Any] = {group: field.annotation for group, field in Settings.model_fields.items()}
    found = [Setting(group, name, field) for group, of in groups.items() for name, field in of.model_fields.items()]
    return {setting.path: setting for setting in found}


SETTINGS = _settings()
"""By path, in the order of the file."""

RENAMED = {
    "insecure": "security.plaintext",
    "store": "storage.location",
    "retention_s": "limits.resume_within_s",
    "stream_retention_s": "storage.keep_clusters_s",
    "checkpoint_retention_s": "storage.keep_checkpoints_s",
    "tenant_frames_s": "limits.tenant_frames_per_s",
    "tenant_bytes_s": "limits.tenant_bytes_per_s",
}
"""Names that settings had before there were groups; the others only got a group."""
REMOVED = {"clusterer": "is no setting any more: clusters of every stream form by DP-means"}

UNGROUPED = {setting.name: setting for setting in SETTINGS.values()} | {
    name: SETTINGS[path] for name, path in RENAMED.items()
}
"""Settings by the names that they had before there were groups, and by those they have."""

FORMER_KEYS = {name: f"is now {setting.name} in [{setting.group}]" for name, setting in UNGROUPED.items()} | REMOVED
"""What became of a key of that time. Likewise for variables and flags."""
FORMER_VARIABLES = {
    _variable(name): f"is now {setting.variable}"
    for name, setting in UNGROUPED.items()
    if setting.variable != _variable(name)
} | {_variable(name): why for name, why in REMOVED.items()}
FORMER_FLAGS = (
    {_flag(name): f"is now {setting.flag}" for name, setting in UNGROUPED.items() if setting.flag != _flag(name)}
    | {_flag(name): why for name, why in REMOVED.items()}
    | {"--no-insecure": "is now --no-security-plaintext"}
)


def nearest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that somebody meant who wrote `name`; empty where none is like it."""
    return "".join(difflib.get_close_matches(name, list(names), 1))


def ask(near: str) -> str:
    """The end of a message about a name that does not exist; empty where no other is like it."""
    return f"; is it {near}?" if near else ""
