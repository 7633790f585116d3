"""SQLite table of stream ids: whose each is, when it was last used, whether it has a name or a checkpoint.

In: ids that are used, named, gone. Out: how many a tenant has, which nobody used for long. Each answer comes from an
index: it costs as much for a million ids as for ten. Times are those of this machine's clock. What else is kept of a
stream is in other tables.
"""

import time
from collections.abc import Collection, Iterable

from motionscribe_server.storage.sqlite_file import SqliteFile
from motionscribe_server.storage.store import lost_session
from motionscribe_server.storage.unused import AT_ONCE, Kept, Unused
from motionscribe_server.stream_keys import tenant_of

SCHEMA = """
CREATE TABLE ids (
    stream TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    used_s REAL NOT NULL,
    named INTEGER NOT NULL,
    durable INTEGER NOT NULL,
    session TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX ids_by_age ON ids (named, used_s);
CREATE INDEX ids_of_tenants ON ids (tenant, named, used_s);
CREATE INDEX ids_with_checkpoints ON ids (used_s) WHERE durable;
CREATE TABLE tenants (tenant TEXT PRIMARY KEY, ids INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER id_came AFTER INSERT ON ids BEGIN
    INSERT INTO tenants VALUES (new.tenant, 1) ON CONFLICT DO UPDATE SET ids = ids + 1;
END;
CREATE TRIGGER id_went AFTER DELETE ON ids BEGIN
    UPDATE tenants SET ids = ids - 1 WHERE tenant = old.tenant;
END;
"""
"""`tenants` counts the rows of `ids`, since SQLite counts by reading all."""
WHICH = {Kept.UNNAMED: "named = 0", Kept.NAMED: "named = 1", Kept.CHECKPOINT: "durable"}


class SqliteIds:
    """The ids in one file. Methods that write need a transaction of the caller."""

    def __init__(self, file: SqliteFile) -> None:
        self._connection = file.connection

    def use(self, stream: str, named: bool = False, durable: bool = False) -> None:
        """It is used now. A name or a checkpoint that it has already stays."""
        self._connection.execute(
            "INSERT INTO ids VALUES (?, ?, ?, ?, ?, '') ON CONFLICT DO UPDATE SET used_s = excluded.used_s, "
            "named = max(named, excluded.named), durable = max(durable, excluded.durable)",
            (stream, tenant_of(stream), time.time(), named, durable),
        )

    def begin(self, stream: str, session: str, durable: bool) -> None:
        """A session has it from now on; it has a checkpoint where that is durable."""
        self.use(stream, durable=durable)
        self._connection.execute("UPDATE ids SET session = ?, durable = ? WHERE stream = ?", (session, durable, stream))

    def require_session(self, stream: str, session: str) -> None:
        """Raises FencedError where another session has it, or none; earlier servers did not say which has."""
        row = self._connection.execute("SELECT session FROM ids WHERE stream = ?", (stream,)).fetchone()
        if row is None or row[0] not in ("", session):
            raise lost_session(stream)

    def renew(self, streams: Iterable[str]) -> None:
        """They are used now, those that are there."""
        now = time.time()
        self._connection.executemany("UPDATE ids SET used_s = ? WHERE stream = ?", [(now, each) for each in streams])

    def drop_checkpoint(self, stream: str) -> None:
        """It has none any more."""
        self._connection.execute("UPDATE ids SET durable = 0 WHERE stream = ?", (stream,))

    def has(self, stream: str) -> bool:
        """It is there."""
        return self._connection.execute("SELECT 1 FROM ids WHERE stream = ?", (stream,)).fetchone() is not None

    def count(self, tenant: str) -> int:
        """How many a tenant has."""
        row = self._connection.execute("SELECT ids FROM tenants WHERE tenant = ?", (tenant,)).fetchone()
        return row[0] if row else 0

    def longest_unused(self, tenant: str, age_s: float, in_use: Collection[str], most: int) -> list[str]:
        """Ids of a tenant without a name that nobody used for `age_s` seconds, the oldest first."""
        rows = self._connection.execute(
            "SELECT stream FROM ids WHERE tenant = ? AND named = 0 AND used_s < ? ORDER BY used_s LIMIT ?",
            (tenant, time.time() - age_s, most + len(in_use)),
        )
        return [stream for (stream,) in rows.fetchall() if stream not in in_use][:most]

    def unused(self, kept: Kept, age_s: float) -> list[Unused]:
        """See Store."""
        rows = self._connection.execute(
            f"SELECT stream, used_s FROM ids WHERE {WHICH[kept]} AND used_s < ? ORDER BY used_s LIMIT ?",  # noqa: S608  # our constants
            (time.time() - age_s, AT_ONCE),
        )
        return [Unused(kept, stream, used_s) for stream, used_s in rows.fetchall()]

    def is_still(self, unused: Unused) -> bool:
        """Nobody has used it since."""
        row = self._connection.execute("SELECT used_s FROM ids WHERE stream = ?", (unused.stream,)).fetchone()
        return row is not None and row[0] == unused.used_s
