"""SQLite tables of durable streams: who owns one, its newest snapshot, unacknowledged events, edits since then.

See checkpoints.py. Each write is one transaction. Calls block for a disk access.
"""

from collections.abc import Sequence
from dataclasses import replace

from motionscribe_server.errors import FencedError
from motionscribe_server.storage.checkpoints import Checkpoint, KeptStream, Numbered
from motionscribe_server.storage.sqlite_file import PADDING, SqliteFile
from motionscribe_server.storage.sqlite_ids import SqliteIds
from motionscribe_server.stream_keys import id_of

SCHEMA = """
CREATE TABLE durable (
    key TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    padding BLOB NOT NULL,
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
    snapshot BLOB,
    edits INTEGER NOT NULL DEFAULT 0,
    refusal TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE outbox (
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    padding BLOB NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (key, number)
) WITHOUT ROWID;
CREATE TABLE edits (
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    padding BLOB NOT NULL,
    edit BLOB NOT NULL,
    PRIMARY KEY (key, number)
) WITHOUT ROWID;
CREATE TABLE deferred (
    ticket INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    padding BLOB NOT NULL,
    edit BLOB NOT NULL
);
CREATE INDEX deferred_by_key ON deferred (key);
"""
COLUMNS = ", ".join(Checkpoint.__dataclass_fields__)


class SqliteCheckpoints:
    """The checkpoints in one file. Raises StoreError where it cannot be read or written."""

    def __init__(self, file: SqliteFile, ids: SqliteIds) -> None:
        self._file = file
        self._connection = file.connection
        self._ids = ids

    def find(self, key: str) -> KeptStream | None:
        """See Checkpoints."""
        with self._file.errors(f"read {key!r}"):
            return self._find(key)

    def begin(self, first: Checkpoint) -> None:
        """See Checkpoints."""
        with self._file.transaction(f"write {first.key!r}", lasting=True):
            row = self._connection.execute("SELECT epoch FROM durable WHERE key = ?", (first.key,)).fetchone()
            if row and row[0] >= first.epoch:
                raise FencedError(f"expected an epoch above {row[0]} for {first.key!r}, got {first.epoch}")
            self._delete_rows(first.key)
            self._replace(first)
            self._ids.begin(first.key, first.name, durable=True)

    def claim(self, key: str, epoch: int) -> int:
        """See Checkpoints."""
        with self._file.transaction(f"write {key!r}", lasting=True):
            self.require_owner(key, epoch)
            self._claim(key)
        return epoch + 1

    def take_over(self, key: str, epoch: int) -> KeptStream:
        """See Checkpoints."""
        with self._file.transaction(f"write {key!r}", lasting=True):
            found = self._find(key)
            if found is None or found.checkpoint.epoch != epoch:
                raise _fenced(key, epoch)
            self._claim(key)
        return found._replace(checkpoint=replace(found.checkpoint, epoch=epoch + 1))

    def append(self, key: str, epoch: int, events: Numbered, edits: Numbered = (), tickets: Sequence[int] = ()) -> None:
        """See Checkpoints."""
        # after a power cut events are computed again from the client's frames, and are the same; edits are not
        with self._file.transaction(f"write {key!r}", lasting=bool(edits)):
            self.require_owner(key, epoch)
            self._connection.executemany(
                "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?, ?)",
                [(key, number, PADDING, event) for number, event in events],
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO edits VALUES (?, ?, ?, ?)",
                [(key, number, PADDING, edit) for number, edit in edits],
            )
            self._connection.executemany("DELETE FROM deferred WHERE ticket = ?", [(ticket,) for ticket in tickets])

    def deferred(self, key: str) -> Numbered:
        """See Checkpoints."""
        with self._file.errors(f"read {key!r}"):
            return self._deferred(key)

    def defer(self, key: str, edit: bytes) -> int | None:
        """Within a transaction of the caller; returns the ticket, None where the stream is over or not durable."""
        row = self._connection.execute(
            "INSERT INTO deferred (key, padding, edit) SELECT key, ?, ? FROM durable WHERE key = ? AND NOT closed "
            "RETURNING ticket",
            (PADDING, edit, key),
        ).fetchone()
        return row[0] if row else None

    def keep(self, checkpoint: Checkpoint, acknowledged: int) -> Numbered:
        """See Checkpoints."""
        key = checkpoint.key
        with self._file.transaction(f"write {key!r}", lasting=True):
            self.require_owner(key, checkpoint.epoch)
            self._replace(checkpoint)
            self._ids.use(key, durable=True)
            self._connection.execute("DELETE FROM outbox WHERE key = ? AND number <= ?", (key, acknowledged))
            self._connection.execute("DELETE FROM edits WHERE key = ? AND number <= ?", (key, checkpoint.edits))
            return self._deferred(key)

    def delete(self, key: str) -> bool:
        """Within a transaction of the caller; returns whether there was one."""
        self._delete_rows(key)
        return bool(self._connection.execute("DELETE FROM durable WHERE key = ?", (key,)).rowcount)

    def _delete_rows(self, key: str) -> None:
        self._connection.execute("DELETE FROM outbox WHERE key = ?", (key,))
        self._connection.execute("DELETE FROM edits WHERE key = ?", (key,))
        self._connection.execute("DELETE FROM deferred WHERE key = ?", (key,))

    def _deferred(self, key: str) -> Numbered:
        rows = self._connection.execute("SELECT ticket, edit FROM deferred WHERE key = ? ORDER BY ticket", (key,))
        return rows.fetchall()

    def _find(self, key: str) -> KeptStream | None:
        row = self._connection.execute(f"SELECT {COLUMNS} FROM durable WHERE key = ?", (key,)).fetchone()  # noqa: S608  # our names
        if row is None:
            return None
        values = dict(zip(Checkpoint.__dataclass_fields__, row, strict=True))
        values |= {"provisional": bool(values["provisional"]), "closed": bool(values["closed"])}
        outbox = self._connection.execute("SELECT number, event FROM outbox WHERE key = ? ORDER BY number", (key,))
        edits = self._connection.execute("SELECT number, edit FROM edits WHERE key = ? ORDER BY number", (key,))
        return KeptStream(Checkpoint(**values), outbox.fetchall(), edits.fetchall(), self._deferred(key))

    def _claim(self, key: str) -> None:
        self._connection.execute("UPDATE durable SET epoch = epoch + 1 WHERE key = ?", (key,))
        self._ids.use(key, durable=True)

    def require_owner(self, key: str, epoch: int) -> None:
        """Within a transaction that writes: nobody else can claim it before its end. Raises FencedError."""
        row = self._connection.execute("SELECT epoch FROM durable WHERE key = ?", (key,)).fetchone()
        if row is None or row[0] != epoch:
            raise _fenced(key, epoch)

    def _replace(self, checkpoint: Checkpoint) -> None:
        values = (*vars(checkpoint).values(), PADDING)
        places = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT OR REPLACE INTO durable ({COLUMNS}, padding) VALUES ({places})", values)  # noqa: S608  # our names


def _fenced(key: str, epoch: int) -> FencedError:
    return FencedError(f"stream {id_of(key)!r} has another owner than that of epoch {epoch}")
