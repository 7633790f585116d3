"""The audit log: who did what to which stream and when, and never a value of a frame.

In: calls as they begin and end. Out: a file of JSON lines, readable by its owner only, to which lines are appended.
"""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from motionscribe_server.errors import SettingsError

log = logging.getLogger(__name__)

LONGEST_ID = 128


class Audit:
    """Writes to one file, or nowhere. Raises SettingsError for a file that cannot be written."""

    def __init__(self, file: Path | None) -> None:
        self._number = -1
        if file is not None:
            try:
                self._number = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            except OSError as error:
                raise SettingsError(
                    f"security.audit: expected a file that can be written, got {file}: {error}"
                ) from error

    def note(self, peer: str, tenant: str, action: str, stream: str, outcome: str) -> None:
        """Appends a line. A full disk must not end calls: the line is logged instead."""
        if self._number < 0:
            return
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "peer": peer,
            "tenant": tenant,
            "action": action,
            "stream": stream[:LONGEST_ID],
            "outcome": outcome,
        }
        try:
            os.write(self._number, json.dumps(line).encode() + b"\n")
        except OSError:
            log.exception("the audit log cannot be written: %s", line)

    def close(self) -> None:
        """Closes the file."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1
