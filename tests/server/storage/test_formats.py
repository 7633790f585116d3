"""Stores of other versions: older ones are brought up to date with all their names, newer ones are refused."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.server.storage.test_checkpoints import FIRST
from tests.server.storage.test_unused import NAMED

from motionscribe_server.errors import SettingsError, StoreError
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.storage.cluster_codec import pack_clusters
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.sqlite_checkpoints import SCHEMA as CHECKPOINTS
from motionscribe_server.storage.sqlite_file import PADDING
from motionscribe_server.storage.sqlite_ids import SCHEMA as IDS
from motionscribe_server.storage.sqlite_store import SCHEMA, SqliteStore
from motionscribe_server.storage.store import StoredStream
from motionscribe_server.storage.unused import Kept

LEARNT = """
CREATE TABLE streams (model TEXT NOT NULL, stream TEXT NOT NULL, next_id INTEGER NOT NULL, saved INTEGER NOT NULL,
    {saved_s} PRIMARY KEY (model, stream)) WITHOUT ROWID;
CREATE TABLE clusters (model TEXT NOT NULL, stream TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
    merged_into INTEGER NOT NULL, warm INTEGER NOT NULL, centre BLOB NOT NULL, weight REAL NOT NULL,
    created_us INTEGER NOT NULL, last_seen_us INTEGER NOT NULL, segments INTEGER NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (model, stream, id)) WITHOUT ROWID;
INSERT INTO streams VALUES ('m/1', 'lab/walk', 7, 1 {at});
INSERT INTO streams VALUES ('m/2', 'lab/walk', 9, 2 {at});
INSERT INTO streams VALUES ('m/1', 'run', 3, 3 {at});
INSERT INTO clusters VALUES ('m/1', 'lab/walk', 1, 'gait', 0, 1, x'000000000000f03f', 1, 2, 3, 4, 5);
INSERT INTO clusters VALUES ('m/1', 'run', 2, '', 0, 1, x'000000000000f03f', 1, 2, 3, 4, 5);
"""
DURABLE = """
CREATE TABLE durable (key TEXT PRIMARY KEY, epoch INTEGER NOT NULL, token TEXT NOT NULL, name TEXT NOT NULL,
    model TEXT NOT NULL, version TEXT NOT NULL, lag TEXT NOT NULL, provisional INTEGER NOT NULL, rate_hz REAL NOT NULL,
    next_seq INTEGER NOT NULL, last_us INTEGER, last_event INTEGER NOT NULL, closed INTEGER NOT NULL,
    saved_s REAL NOT NULL, snapshot BLOB) WITHOUT ROWID;
CREATE TABLE outbox (key TEXT NOT NULL, number INTEGER NOT NULL, event BLOB NOT NULL, PRIMARY KEY (key, number))
    WITHOUT ROWID;
INSERT INTO durable VALUES ('lab/hop', 1, 'd', 'hop-1', 'm', '1', 'fast', 1, 30.0, 1, NULL, 0, 0, 100.0, NULL);
"""
BOOK = PackedBook(4, 1, '["of three"]')
BOOK = PackedBook(4, 1, '["of three"]')
FORMATS = {
    1: LEARNT.format(saved_s="", at=""),
    2: LEARNT.format(saved_s="", at="") + DURABLE,
    3: LEARNT.format(saved_s="saved_s REAL NOT NULL DEFAULT 0,", at=", 100.0") + DURABLE,
}
WITHOUT_ANOMALIES = re.sub(r" +(next_anomaly|marks|anomalies) .*\n", "", SCHEMA) + CHECKPOINTS + IDS
"""Format 4."""


@pytest.mark.parametrize("version", FORMATS)
def test_a_file_of_an_older_format_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    file = tmp_path / "store.sqlite"
    with sqlite3.connect(file) as old:
        old.executescript(f"{FORMATS[version]} PRAGMA user_version = {version};")
    old.close()
    for store in (SqliteStore(file), SqliteStore(file)):
        assert [(c.id, c.name) for c in store.load("m/1", "lab/walk").clusters] == [(1, "gait")]
        assert store.load("m/1", "lab/walk").next_id == 9
        assert store.model_of("lab/walk") == "m/2"
        assert (store.checkpoints.find("lab/hop") is None) == (version == 1)
    assert {each.stream for each in store.unused(Kept.NAMED, -1)} == {"lab/walk"}
    assert {each.stream for each in store.unused(Kept.UNNAMED, -1)} == ({"run"} if version == 1 else {"run", "lab/hop"})
    store.checkpoints.begin(FIRST)
    # of the tenant `lab` there are two, or one: the one without a name makes room
    store.reserve("lab/new", 2, -1, set())
    assert store.load("m/1", "lab/walk").clusters
    assert store.checkpoints.find("lab/hop") is None


def test_a_file_of_the_format_before_anomalies_gets_room_for_them(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    with sqlite3.connect(file) as old:
        old.executescript(f"{WITHOUT_ANOMALIES} PRAGMA user_version = 4;")
        row = "m/1", "lab/walk", 7, 1, PADDING, pack_clusters([NAMED])
        old.execute("INSERT INTO streams VALUES (?, ?, ?, ?, ?, ?)", row)
    old.close()
    store = SqliteStore(file)
    assert store.load("m/1", "lab/walk") == StoredStream(7, (NAMED,))
    store.save("m/1", "lab/walk", 7, [NAMED], book=BOOK)
    store.close()
    store = SqliteStore(file)
    assert store.load("m/1", "lab/walk") == StoredStream(7, (NAMED,), BOOK)
    store.close()


def test_a_redis_of_the_format_before_anomalies_is_read_as_one_without_any(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        store = open_store(redis_url)
        store.save("m/1", "lab/walk", 7, [NAMED], book=BOOK)
        assert store.load("m/1", "lab/walk") == StoredStream(7, (NAMED,), BOOK)
        store.close()
        client.set("motionscribe:format", "2")
        value: Any = json.loads(str(client.hget("motionscribe:clusters:lab/walk", "m/1"), "utf-8"))
        del value["book"]
        client.hset("motionscribe:clusters:lab/walk", "m/1", json.dumps(value))
        store = open_store(redis_url)
        assert store.load("m/1", "lab/walk") == StoredStream(7, (NAMED,))
        store.close()
        assert client.get("motionscribe:format") == b"4"


def test_a_redis_of_the_first_format_is_brought_up_to_date(redis_url: str) -> None:
    cluster = {"id": 1, "name": "gait", "merged_into": 0, "warm": True, "centre": [1.0], "weight": 1.0}
    cluster |= {"created_us": 2, "last_seen_us": 3, "segments": 4, "seconds": 5.0}
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        client.set("motionscribe:format", "1")
        for stream, name in (("lab/walk", "gait"), ("run", "")):
            value = {"next_id": 9, "saved": 1, "clusters": [{**cluster, "name": name}]}
            client.hset(f"motionscribe:clusters:{stream}", "m/1", json.dumps(value))
            client.zadd("motionscribe:saved", {stream: 100.0})
        client.zadd("motionscribe:kept", {"lab/walk": 100.0})
        for store in (open_store(redis_url), open_store(redis_url)):
            assert [c.name for c in store.load("m/1", "lab/walk").clusters] == ["gait"]
            assert [each.stream for each in store.unused(Kept.NAMED, -1)] == ["lab/walk"]
            assert [each.stream for each in store.unused(Kept.UNNAMED, -1)] == ["run"]
            assert [each.stream for each in store.unused(Kept.CHECKPOINT, -1)] == ["lab/walk"]
            assert store.unused(Kept.NAMED, 3600) == [], "it counts from now"
            store.close()
        assert client.get("motionscribe:format") == b"4"
        assert not client.exists("motionscribe:saved")


def test_a_store_of_a_newer_server_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(StoreError, match="expected format 6, got 7"):
        SqliteStore(path)


def test_redis_of_a_newer_server_or_none_at_all_is_refused(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("motionscribe:format", "5")
        with pytest.raises(StoreError, match="expected format b'4', got b'5'"):
            open_store(redis_url)
        client.flushall()
    with pytest.raises(StoreError, match="redis: cannot open"):
        open_store("redis://127.0.0.1:1/0")
    with pytest.raises(SettingsError, match="expected redis://HOST:PORT/DB"):
        open_store("redis://127.0.0.1:port/0")
