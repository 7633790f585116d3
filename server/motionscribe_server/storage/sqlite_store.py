"""The store as one SQLite file: what streams learnt by model, and which format the file has. See store.py.

Checkpoints are in the same file (sqlite_checkpoints.py). Calls block for a disk access: keep them off the event loop,
in one thread at a time.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from motionscribe_server.errors import StoreError
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.cluster_codec import pack_clusters, unpack_clusters
from motionscribe_server.storage.sqlite_checkpoints import SCHEMA as CHECKPOINTS
from motionscribe_server.storage.sqlite_checkpoints import SqliteCheckpoints
from motionscribe_server.storage.sqlite_file import PADDING, SqliteFile
from motionscribe_server.storage.sqlite_ids import SCHEMA as IDS
from motionscribe_server.storage.sqlite_ids import SqliteIds
from motionscribe_server.storage.sqlite_upgrade import (
    WITHOUT_ANOMALIES,
    add_anomalies,
    set_aside,
    statements,
    take_back,
)
from motionscribe_server.storage.store import NO_ANOMALIES, Edited, Owner, StoredStream
from motionscribe_server.storage.unused import AT_ONCE, Kept, Unused, too_many_ids
from motionscribe_server.stream_keys import tenant_of

VERSION = 6

SCHEMA = """
CREATE TABLE streams (
    model TEXT NOT NULL,
    stream TEXT NOT NULL,
    next_id INTEGER NOT NULL,
    saved INTEGER NOT NULL,
    padding BLOB NOT NULL,
    clusters BLOB NOT NULL,
    next_anomaly INTEGER NOT NULL DEFAULT 1,
    marks INTEGER NOT NULL DEFAULT 0,
    anomalies TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (model, stream)
) WITHOUT ROWID;
CREATE INDEX streams_by_id ON streams (stream, saved);
"""
"""`saved` counts the saves of a stream; `marks`, the anomalies of which a user said something."""


class SqliteStore:
    """One open file. Raises StoreError where it cannot be read, written, or was written by a newer version."""

    def __init__(self, path: Path | str) -> None:
        self._file = SqliteFile(Path(path))
        self._connection = self._file.connection
        self._ids = SqliteIds(self._file)
        self.checkpoints = SqliteCheckpoints(self._file, self._ids)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def load(self, model: str, stream: str) -> StoredStream:
        """See Store."""
        with self._file.errors(f"read clusters of {stream!r}"):
            next_id, next_anomaly = self._connection.execute(
                "SELECT coalesce(max(next_id), 1), coalesce(max(next_anomaly), 1) FROM streams WHERE stream = ?",
                (stream,),
            ).fetchone()
            row = self._connection.execute(
                "SELECT clusters, marks, anomalies FROM streams WHERE model = ? AND stream = ?", (model, stream)
            ).fetchone()
        if row is None:
            return StoredStream(next_id, (), PackedBook(next_anomaly))
        return StoredStream(next_id, unpack_clusters(row[0]), PackedBook(next_anomaly, *row[1:]))

    def model_of(self, stream: str) -> str | None:
        """See Store."""
        with self._file.errors(f"look up {stream!r}"):
            row = self._connection.execute(
                "SELECT model FROM streams WHERE stream = ? ORDER BY saved DESC LIMIT 1", (stream,)
            ).fetchone()
        return row[0] if row else None

    def begin(self, stream: str, session: str) -> None:
        """See Store."""
        with self._file.transaction(f"note {stream!r}"):
            self._ids.begin(stream, session, durable=False)
            was_durable = self.checkpoints.delete(stream)
        if was_durable:
            self._file.truncate_log()

    def save(
        self,
        model: str,
        stream: str,
        next_id: int,
        clusters: Sequence[ClusterState],
        owner: Owner | None = None,
        book: PackedBook = NO_ANOMALIES,
    ) -> None:
        """See Store."""
        with self._file.transaction(f"save clusters of {stream!r}"):
            if owner is not None:
                self._ids.require_session(stream, owner.session)
            if owner is not None and owner.epoch is not None:
                self.checkpoints.require_owner(stream, owner.epoch)
            self._save(model, stream, StoredStream(next_id, tuple(clusters), book))

    def edit(self, stream: str, change: Callable[[StoredStream], StoredStream], row: bytes) -> Edited | None:
        """See Store."""
        with self._file.transaction(f"edit clusters of {stream!r}", lasting=True):
            model = self.model_of(stream)
            if model is None:
                return None
            changed = change(self.load(model, stream))
            self._save(model, stream, changed)
            return Edited(changed, self.checkpoints.defer(stream, row))

    def forget(self, stream: str) -> bool:
        """See Store."""
        with self._file.transaction(f"delete {stream!r}"):
            there = self._delete(stream)
        self._file.truncate_log()
        return there

    def reserve(self, stream: str, limit: int, age_s: float, in_use: Collection[str]) -> None:
        """See Store."""
        tenant, deleted = tenant_of(stream), []
        with self._file.transaction(f"note {stream!r}"):
            excess = self._ids.count(tenant) + 1 - limit if limit and not self._ids.has(stream) else 0
            if excess > 0:
                deleted = self._ids.longest_unused(tenant, age_s, in_use, min(excess, AT_ONCE))
                if not deleted:
                    raise too_many_ids(limit)
            for each in deleted:
                self._delete(each)
            self._ids.use(stream)
        if deleted:
            self._file.truncate_log()

    def renew(self, streams: Collection[str]) -> None:
        """See Store."""
        with self._file.transaction("renew streams"):
            self._ids.renew(streams)
        self._file.retry_truncate()

    def unused(self, kept: Kept, age_s: float) -> list[Unused]:
        """See Store."""
        with self._file.errors("find old streams"):
            return self._ids.unused(kept, age_s)

    def expire(self, unused: Sequence[Unused]) -> int:
        """See Store."""
        with self._file.transaction("delete old streams"):
            deleted = sum(self._expire(each) for each in unused if self._ids.is_still(each))
        if deleted:
            self._file.truncate_log()
        return deleted

    def close(self) -> None:
        """See Store."""
        self._file.close()

    def _save(self, model: str, stream: str, stored: StoredStream) -> None:
        clusters, book = stored.clusters, stored.book
        if len({cluster.id for cluster in clusters}) < len(clusters):
            raise StoreError(f"cannot save clusters of {stream!r}: expected an id for each, got one for several")
        padding, packed = PADDING if clusters or len(book.text) > 2 else b"", pack_clusters(clusters)
        self._connection.execute(
            "INSERT INTO streams SELECT ?, ?, ?, coalesce(max(saved), 0) + 1, ?, ?, ?, ?, ? FROM streams "
            "WHERE stream = ? ON CONFLICT DO UPDATE SET next_id = max(next_id, excluded.next_id), "
            "saved = excluded.saved, padding = excluded.padding, clusters = excluded.clusters, "
            "next_anomaly = max(next_anomaly, excluded.next_anomaly), marks = excluded.marks, "
            "anomalies = excluded.anomalies",
            (model, stream, stored.next_id, padding, packed, book.next_id, book.marks, book.text, stream),
        )
        self._ids.use(stream, named=stored.is_named)

    def _expire(self, unused: Unused) -> bool:
        if unused.kept is not Kept.CHECKPOINT:
            return self._delete(unused.stream)
        self._ids.drop_checkpoint(unused.stream)
        return self.checkpoints.delete(unused.stream)

    def _delete(self, stream: str) -> bool:
        """Returns whether there was anything to delete."""
        deleted = [
            self._connection.execute(f"DELETE FROM {table} WHERE stream = ?", (stream,)).rowcount  # noqa: S608  # our names
            for table in ("streams", "ids")
        ]
        return any([*deleted, self.checkpoints.delete(stream)])

    def _prepare(self) -> None:
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            # what is deleted is overwritten
            self._connection.execute("PRAGMA secure_delete = ON")
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version < VERSION:
                self._bring_up_to_date()
        except sqlite3.Error as error:
            raise StoreError(f"{self._file.path}: expected a SQLite file of motionscribe, got {error}") from error
        if version > VERSION:
            raise StoreError(f"{self._file.path}: expected format {VERSION}, got {version}: a newer server wrote it")

    def _bring_up_to_date(self) -> None:
        with self._file.transaction("bring it up to date", lasting=True):
            # another server may have done it meanwhile
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == WITHOUT_ANOMALIES:
                add_anomalies(self._connection)
            elif version < WITHOUT_ANOMALIES:
                set_aside(self._connection, version)
                for statement in statements(SCHEMA + CHECKPOINTS + IDS):
                    self._connection.execute(statement)
                take_back(self._connection, version)
            self._connection.execute(f"PRAGMA user_version = {max(version, VERSION)}")
        if version:
            self._file.truncate_log()
