"""SQLite tables of durable streams: who owns one, its newest snapshot, unacknowledged events, edits since then.

See checkpoints.py. Each write is one transaction. Calls block for a disk access.
"""

import sqlite3

from motionscribe_server.errors import FencedError
from motionscribe_server.storage.checkpoints import Checkpoint, Kept, Numbered
from motionscribe_server.storage.sqlite_file import SqliteFile
from motionscribe_server.stream_keys import id_of

SCHEMA = """
CREATE TABLE durable (
    key TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    token TEXT NOT NULL,
    name TEXT NOT NULL,
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    lag TEXT NOT NULL,
    provisional INTEGER NOT NULL,
    rate_hz REAL NOT NULL,
    next_seq INTEGER NOT NULL,
    last_us INTEGER,
    last_event INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    saved_s REAL NOT NULL,
    snapshot BLOB
) WITHOUT ROWID;
CREATE TABLE outbox (
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (key, number)
) WITHOUT ROWID;
"""
EDITS = """
CREATE TABLE edits (
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    edit BLOB NOT NULL,
    PRIMARY KEY (key, number)
) WITHOUT ROWID;
"""


class SqliteCheckpoints:
    """The checkpoints in one file. Raises StoreError where it cannot be read or written."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._connection = file.connection

    def find(self, key: str) -> Kept | None:
        """See Checkpoints."""
        with self._file.errors(f"read {key!r}"):
            row = self._connection.execute("SELECT * FROM durable WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            outbox = self._connection.execute("SELECT number, event FROM outbox WHERE key = ? ORDER BY number", (key,))
            edits = self._connection.execute("SELECT number, edit FROM edits WHERE key = ? ORDER BY number", (key,))
            values = dict(zip(Checkpoint.__dataclass_fields__, row, strict=True))
            values |= {"provisional": bool(values["provisional"]), "closed": bool(values["closed"])}
            return Kept(Checkpoint(**values), outbox.fetchall(), edits.fetchall())

    def begin(self, first: Checkpoint) -> None:
        """See Checkpoints."""
        with self._file.transaction(f"write {first.key!r}", lasting=True):
            row = self._connection.execute("SELECT epoch FROM durable WHERE key = ?", (first.key,)).fetchone()
            if row and row[0] >= first.epoch:
                raise FencedError(f"expected an epoch above {row[0]} for {first.key!r}, got {first.epoch}")
            self._connection.execute("DELETE FROM outbox WHERE key = ?", (first.key,))
            self._connection.execute("DELETE FROM edits WHERE key = ?", (first.key,))
            self._replace(first)

    def claim(self, key: str, epoch: int) -> int:
        """See Checkpoints."""
        with self._file.transaction(f"write {key!r}", lasting=True):
            changed = self._connection.execute(
                "UPDATE durable SET epoch = epoch + 1 WHERE key = ? AND epoch = ?", (key, epoch)
            )
            _require_one(changed, key, epoch)
        return epoch + 1

    def append(self, key: str, epoch: int, events: Numbered, edits: Numbered = ()) -> None:
        """See Checkpoints."""
        # after a power cut events are computed again from the client's frames, and are the same; edits are not
        with self._file.transaction(f"write {key!r}", lasting=bool(edits)):
            self._require_owner(key, epoch)
            self._connection.executemany(
                "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?)", [(key, number, event) for number, event in events]
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO edits VALUES (?, ?, ?)", [(key, number, edit) for number, edit in edits]
            )

    def defer(self, key: str, edit: bytes) -> int | None:
        """See Checkpoints."""
        with self._file.transaction(f"write {key!r}", lasting=True):
            row = self._connection.execute(
                "INSERT INTO edits SELECT key, (SELECT coalesce(max(number), 0) + 1 FROM edits WHERE key = ?1), ?2 "
                "FROM durable WHERE key = ?1 AND NOT closed RETURNING number",
                (key, edit),
            ).fetchone()
        return row[0] if row else None

    def keep(self, checkpoint: Checkpoint, acknowledged: int, edits: int) -> None:
        """See Checkpoints."""
        with self._file.transaction(f"write {checkpoint.key!r}", lasting=True):
            self._require_owner(checkpoint.key, checkpoint.epoch)
            self._replace(checkpoint)
            self._connection.execute("DELETE FROM outbox WHERE key = ? AND number <= ?", (checkpoint.key, acknowledged))
            self._connection.execute("DELETE FROM edits WHERE key = ? AND number <= ?", (checkpoint.key, edits))

    def expire(self, before_s: float) -> int:
        """See Checkpoints."""
        with self._file.transaction("delete old checkpoints", lasting=True):
            old = self._connection.execute("SELECT key FROM durable WHERE saved_s < ?", (before_s,)).fetchall()
            self._connection.executemany("DELETE FROM outbox WHERE key = ?", old)
            self._connection.executemany("DELETE FROM edits WHERE key = ?", old)
            self._connection.executemany("DELETE FROM durable WHERE key = ?", old)
        return len(old)

    def _require_owner(self, key: str, epoch: int) -> None:
        _require_one(
            self._connection.execute("UPDATE durable SET epoch = epoch WHERE key = ? AND epoch = ?", (key, epoch)),
            key,
            epoch,
        )

    def _replace(self, checkpoint: Checkpoint) -> None:
        values = tuple(vars(checkpoint).values())
        places = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT OR REPLACE INTO durable VALUES ({places})", values)  # noqa: S608  # question marks


def _require_one(changed: sqlite3.Cursor, key: str, epoch: int) -> None:
    if changed.rowcount != 1:
        raise FencedError(f"stream {id_of(key)!r} has another owner than that of epoch {epoch}")
