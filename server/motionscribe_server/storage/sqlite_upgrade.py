"""Brings SQLite files of formats 1 to 5 to format 6: tables have padding, there is one of ids, and anomalies are kept.

It happens once. In: the connection of a file, within a transaction. Tables of formats 1 to 3 are set aside, new ones
are made by the caller, and what the old ones have is taken back. Format 4 lacks nothing but anomalies, format 5 nothing
but exemplars, which no cluster needs to have.
"""

import sqlite3
import time
from collections.abc import Iterator

import numpy as np

from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.cluster_codec import CENTRE, pack_clusters
from motionscribe_server.storage.sqlite_file import PADDING
from motionscribe_server.stream_keys import tenant_of

TABLES = {1: ("streams", "clusters")} | dict.fromkeys((2, 3), ("streams", "clusters", "durable", "outbox"))
CLUSTERS = "id, name, merged_into, warm, centre, weight, created_us, last_seen_us, segments, seconds"
STREAMS = "model, stream, next_id, saved, padding, clusters"
DURABLE = (
    "key, epoch, token, name, model, version, lag, provisional, rate_hz, next_seq, last_us, last_event, closed, "
    "saved_s, snapshot"
)
NAMED = """
UPDATE ids SET named = 1 WHERE stream IN (SELECT DISTINCT stream FROM old_clusters WHERE name <> '')
"""

WITHOUT_ANOMALIES = 4
ANOMALIES = (
    "next_anomaly INTEGER NOT NULL DEFAULT 1",
    "marks INTEGER NOT NULL DEFAULT 0",
    "anomalies TEXT NOT NULL DEFAULT '[]'",
)


def add_anomalies(connection: sqlite3.Connection) -> None:
    """Format 4 to 6: no stream has any so far."""
    for column in ANOMALIES:
        connection.execute(f"ALTER TABLE streams ADD COLUMN {column}")


def statements(script: str) -> Iterator[str]:
    """A script statement by statement: `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def set_aside(connection: sqlite3.Connection, version: int) -> None:
    """Makes place for the new tables; version 0 is an empty file."""
    for table in TABLES.get(version, ()):
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")


def take_back(connection: sqlite3.Connection, version: int) -> None:
    """Fills the new tables from those that were set aside. The ids of all streams count as used now."""
    if not version:
        return
    streams = connection.execute("SELECT model, stream, next_id, saved FROM old_streams").fetchall()
    for model, stream, next_id, saved in streams:
        packed = pack_clusters(_clusters(connection, model, stream))
        row = (model, stream, next_id, saved, PADDING, packed)
        connection.execute(f"INSERT INTO streams ({STREAMS}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608  # our names
    durable: list[str] = []
    if "durable" in TABLES[version]:
        connection.execute(f"INSERT INTO durable ({DURABLE}, padding) SELECT {DURABLE}, ? FROM old_durable", (PADDING,))  # noqa: S608  # our names
        connection.execute("INSERT INTO outbox SELECT key, number, ?, event FROM old_outbox", (PADDING,))
        durable = [key for (key,) in connection.execute("SELECT key FROM durable").fetchall()]
    ids = {stream: False for _, stream, *_ in streams} | dict.fromkeys(durable, True)
    rows = [(stream, tenant_of(stream), time.time(), False, is_durable, "") for stream, is_durable in ids.items()]
    connection.executemany("INSERT INTO ids VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute(NAMED)
    for table in TABLES[version]:
        connection.execute(f"DROP TABLE old_{table}")


def _clusters(connection: sqlite3.Connection, model: str, stream: str) -> list[ClusterState]:
    rows = connection.execute(
        f"SELECT {CLUSTERS} FROM old_clusters WHERE model = ? AND stream = ? ORDER BY id",  # noqa: S608  # our names
        (model, stream),
    )
    return [
        ClusterState(id, name, merged_into, bool(warm), np.frombuffer(centre, CENTRE), *numbers)
        for id, name, merged_into, warm, centre, *numbers in rows
    ]
