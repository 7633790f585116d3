"""SQLite tables of durable streams: who owns one, its newest snapshot, and the events that nobody has acknowledged.

Each write names the epoch of its owner and changes nothing where another owner has claimed the stream since:
FencedError. A write is one transaction. Files are those of sqlite_store.py; calls block for a disk access.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from motionscribe_server.errors import FencedError, StoreError
from motionscribe_server.storage.checkpoints import Checkpoint
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


class SqliteCheckpoints:
    """Checkpoints of one file: see there. Raises StoreError where it cannot be read or written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, key: str) -> tuple[Checkpoint, list[tuple[int, bytes]]] | None:
        """The newest checkpoint of a stream, and its outbox in ascending order of number."""
        with _told("read", key):
            row = self._connection.execute("SELECT * FROM durable WHERE key = ?", (key,)).fetchone()
            rows = self._connection.execute("SELECT number, event FROM outbox WHERE key = ? ORDER BY number", (key,))
            if row is None:
                return None
            values = dict(zip(Checkpoint.__dataclass_fields__, row, strict=True))
            values |= {"provisional": bool(values["provisional"]), "closed": bool(values["closed"])}
            return Checkpoint(**values), rows.fetchall()

    def begin(self, first: Checkpoint) -> None:
        """A new stream in place of whatever had its key; who owned that is fenced."""
        with self._transaction(first.key):
            row = self._connection.execute("SELECT epoch FROM durable WHERE key = ?", (first.key,)).fetchone()
            if row and row[0] >= first.epoch:
                raise FencedError(f"expected an epoch above {row[0]} for {first.key!r}, got {first.epoch}")
            self._connection.execute("DELETE FROM outbox WHERE key = ?", (first.key,))
            self._write(first)

    def claim(self, key: str, epoch: int) -> int:
        """Makes the caller the owner of a stream that had `epoch`; returns the new one. Raises FencedError."""
        with self._transaction(key):
            changed = self._connection.execute(
                "UPDATE durable SET epoch = epoch + 1 WHERE key = ? AND epoch = ?", (key, epoch)
            )
            _check(changed, key, epoch)
        return epoch + 1

    def append(self, key: str, epoch: int, events: Sequence[tuple[int, bytes]]) -> None:
        """Events that are about to be sent. Raises FencedError."""
        # from the frames of a power cut's client they are computed again, and are the same
        with self._transaction(key, lasting=False):
            self._own(key, epoch)
            self._connection.executemany(
                "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?)", [(key, number, event) for number, event in events]
            )

    def keep(self, checkpoint: Checkpoint, acknowledged: int) -> None:
        """A newer checkpoint; events up to `acknowledged` need not be kept. Raises FencedError."""
        with self._transaction(checkpoint.key):
            self._own(checkpoint.key, checkpoint.epoch)
            self._write(checkpoint)
            self._connection.execute("DELETE FROM outbox WHERE key = ? AND number <= ?", (checkpoint.key, acknowledged))

    def expire(self, before_s: float) -> int:
        """Forgets streams that were saved before, in seconds since 1970; returns how many."""
        with self._transaction("old streams"):
            old = self._connection.execute("SELECT key FROM durable WHERE saved_s < ?", (before_s,)).fetchall()
            self._connection.executemany("DELETE FROM outbox WHERE key = ?", old)
            self._connection.executemany("DELETE FROM durable WHERE key = ?", old)
        return len(old)

    def _own(self, key: str, epoch: int) -> None:
        _check(
            self._connection.execute("UPDATE durable SET epoch = epoch WHERE key = ? AND epoch = ?", (key, epoch)),
            key,
            epoch,
        )

    def _write(self, checkpoint: Checkpoint) -> None:
        values = tuple(vars(checkpoint).values())
        self._connection.execute(f"INSERT OR REPLACE INTO durable VALUES ({', '.join('?' * len(values))})", values)

    @contextmanager
    def _transaction(self, key: str, lasting: bool = True) -> Iterator[None]:
        """One that is `lasting` outlives a power cut."""
        with _told("write", key):
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


@contextmanager
def _told(what: str, key: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"cannot {what} {key!r}: {error}") from error


def _check(changed: sqlite3.Cursor, key: str, epoch: int) -> None:
    if changed.rowcount != 1:
        raise FencedError(f"stream {id_of(key)!r} has another owner than that of epoch {epoch}")
