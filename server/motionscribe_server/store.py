"""SQLite file of what streams learnt: clusters with the names and merges that users gave, the next free cluster id, and
checkpoints of durable streams (checkpoints.py).

In and out: ClusterState of one stream id under one model, "name/version": another version embeds motion otherwise, so
centres do not carry over. Ids are never reused, not even when the clusters that had them are gone. Calls block for a
disk access: keep them off the event loop, in one thread at a time.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motionscribe_server.checkpoints import SCHEMA as CHECKPOINTS
from motionscribe_server.checkpoints import Checkpoints
from motionscribe_server.clustering import ClusterState
from motionscribe_server.errors import StoreError

VERSION = 2
CENTRE = np.dtype("<f8")
BUSY_S = 5.0  # another process holds the file: a backup, a second server

SCHEMA = """
CREATE TABLE streams (
    model TEXT NOT NULL,
    stream TEXT NOT NULL,
    next_id INTEGER NOT NULL,
    saved INTEGER NOT NULL,
    PRIMARY KEY (model, stream)
) WITHOUT ROWID;
CREATE TABLE clusters (
    model TEXT NOT NULL,
    stream TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    merged_into INTEGER NOT NULL,
    warm INTEGER NOT NULL,
    centre BLOB NOT NULL,
    weight REAL NOT NULL,
    created_us INTEGER NOT NULL,
    last_seen_us INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (model, stream, id)
) WITHOUT ROWID;
"""
TABLES = {"streams": "stream", "clusters": "stream", "durable": "key", "outbox": "key"}
"""With the column that says whose a row is."""
COLUMNS = "id, name, merged_into, warm, centre, weight, created_us, last_seen_us, segments, seconds"


@dataclass(frozen=True)
class StoredStream:
    """What is kept of one stream id under one model."""

    next_id: int
    """First cluster id that the stream never used, under whatever model; 1 for an unknown stream."""
    clusters: tuple[ClusterState, ...]
    """In ascending order of id."""


class Store:
    """One open file. Raises StoreError where it cannot be read, written, or was written by a newer version."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # one thread at a time is promised by the caller, not always the same one
            self._connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path}: expected a file that can be opened, got {error}") from error
        self.checkpoints = Checkpoints(self._connection)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def load(self, model: str, stream: str) -> StoredStream:
        """What is known of a stream; no clusters where it was never saved under this model."""
        try:
            row = self._connection.execute(
                "SELECT coalesce(max(next_id), 1) FROM streams WHERE stream = ?", (stream,)
            ).fetchone()
            rows = self._connection.execute(
                f"SELECT {COLUMNS} FROM clusters WHERE model = ? AND stream = ? ORDER BY id", (model, stream)
            ).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot read clusters of {stream!r}: {error}") from error
        return StoredStream(row[0], tuple(_cluster(row) for row in rows))

    def model_of(self, stream: str) -> str | None:
        """The model under which a stream was saved last, None where it never was."""
        try:
            row = self._connection.execute(
                "SELECT model FROM streams WHERE stream = ? ORDER BY saved DESC LIMIT 1", (stream,)
            ).fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot look up {stream!r}: {error}") from error
        return row[0] if row else None

    def save(self, model: str, stream: str, next_id: int, clusters: Sequence[ClusterState]) -> None:
        """Replaces what is kept of a stream, in one transaction. `next_id` never falls."""
        rows = [
            (
                *(model, stream, c.id, c.name, c.merged_into, c.warm, c.centre.astype(CENTRE).tobytes(), c.weight),
                *(c.created_us, c.last_seen_us, c.segments, c.seconds),
            )
            for c in clusters
        ]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.execute(
                    "INSERT INTO streams SELECT ?, ?, ?, coalesce(max(saved), 0) + 1 FROM streams WHERE true "
                    "ON CONFLICT DO UPDATE SET next_id = max(next_id, excluded.next_id), saved = excluded.saved",
                    (model, stream, next_id),
                )
                self._connection.execute("DELETE FROM clusters WHERE model = ? AND stream = ?", (model, stream))
                self._connection.executemany(
                    f"INSERT INTO clusters (model, stream, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
                )
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot save clusters of {stream!r}: {error}") from error

    def forget(self, stream: str) -> bool:
        """Deletes all of a stream, under whatever model, and its checkpoint; returns whether there was anything."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                there = [
                    self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (stream,)).rowcount
                    for table, column in TABLES.items()
                ]
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            # what was deleted is also in the log
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot delete {stream!r}: {error}") from error
        return any(there)

    def close(self) -> None:
        """Ends the connection; SQLite folds its log into the file."""
        self._connection.close()

    def _prepare(self) -> None:
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            # safe in WAL against a killed process; a power cut may take the last transactions, never the file.
            # checkpoints.py asks for more where it matters
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # what is deleted is overwritten
            self._connection.execute("PRAGMA secure_delete = ON")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            tables = {0: SCHEMA + CHECKPOINTS, 1: CHECKPOINTS}
            if version in tables:
                script = f"BEGIN IMMEDIATE; {tables[version]} PRAGMA user_version = {VERSION}; COMMIT;"
                self._connection.executescript(script)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: expected a SQLite file of motionscribe, got {error}") from error
        if version not in (*tables, VERSION):
            raise StoreError(f"{self.path}: expected format {VERSION}, got {version}: a newer server wrote it")


def _cluster(row: tuple[Any, ...]) -> ClusterState:
    id, name, merged_into, warm, centre, *numbers = row
    return ClusterState(id, name, merged_into, bool(warm), np.frombuffer(centre, CENTRE), *numbers)
