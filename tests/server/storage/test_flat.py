"""What a store is asked costs the same for ten ids and for a million: no statement and no command goes over all."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.server.storage.test_checkpoints import FIRST
from tests.server.storage.test_unused import AT_ALL, NAMED, UNNAMED

from motionscribe_server.errors import ExhaustedError
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.storage.store import Owner, Store
from motionscribe_server.storage.unused import Kept


def ask_everything(store: Store) -> None:
    """Each method once or more, on three ids that nobody had before and has after."""
    store.reserve("lab/a", 10**9, AT_ALL, set())
    store.begin("lab/a", "session")
    store.save("m/1", "lab/a", 2, [NAMED])
    store.save("m/2", "lab/a", 2, [UNNAMED])
    store.load("m/1", "lab/a")
    store.model_of("lab/a")
    store.renew(["lab/a", "lab/b"])
    checkpoints = store.checkpoints
    checkpoints.begin(replace(FIRST, key="lab/b"))
    checkpoints.append("lab/b", 1, [(1, b"a"), (2, b"b")], [(1, b"c")])
    store.save("m/1", "lab/b", 2, [UNNAMED], Owner(FIRST.name, 1))
    store.edit("lab/b", lambda stored: stored, b"d")
    checkpoints.deferred("lab/b")
    checkpoints.append("lab/b", 1, [], [], [1])
    checkpoints.keep(replace(FIRST, key="lab/b", edits=1), 1)
    checkpoints.claim("lab/b", 1)
    checkpoints.take_over("lab/b", 2)
    checkpoints.find("lab/b")
    for kept in Kept:
        assert store.unused(kept, 1e9) == []
    store.reserve("else/a", 1, AT_ALL, set())
    store.reserve("else/b", 1, AT_ALL, set())
    with pytest.raises(ExhaustedError):
        store.reserve("else/c", 1, 1e9, set())
    old = [each for kept in Kept for each in store.unused(kept, AT_ALL) if each.stream in ("lab/a", "lab/b", "else/b")]
    assert store.expire(old) == 3
    store.save("m/1", "lab/a", 2, [NAMED])
    assert store.forget("lab/a")


def test_every_statement_of_sqlite_uses_an_index(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    connection: sqlite3.Connection = store._connection  # noqa: SLF001  # nobody but a test asks for plans
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    ask_everything(store)
    connection.set_trace_callback(None)
    planned = {each for each in statements if each.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")}
    assert len(planned) > 20
    for statement in planned:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert [step for step in plan if step.startswith(("SCAN", "USE TEMP"))] == [], (statement, plan)
    store.close()


def commands(client: redis.Redis, work: Callable[[], Any]) -> dict[str, int]:
    """How often Redis was asked for what, scripts' own commands included."""
    client.config_resetstat()
    work()
    found: Any = client.info("commandstats")
    return {name: value["calls"] for name, value in found.items() if name not in ("cmdstat_config|resetstat",)}


def test_redis_is_asked_the_same_whatever_it_keeps(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        store = open_store(redis_url)
        ask_everything(store)
        few = commands(client, lambda: ask_everything(store))
        for number in range(100):
            store.save("m/1", f"lab/{number}", 2, [NAMED if number % 2 else UNNAMED])
            store.checkpoints.begin(replace(FIRST, key=f"lab/{number}"))
        assert commands(client, lambda: ask_everything(store)) == few
        asked = {name.removeprefix("cmdstat_") for name in few}
        assert not asked & {"keys", "scan", "sscan", "hscan", "zscan", "sort"}
        store.close()


def test_the_count_of_a_tenants_ids_is_that_of_its_rows(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    for number in range(5):
        store.save("m/1", f"lab/{number}", 2, [UNNAMED])
        store.save("m/2", f"lab/{number}", 2, [UNNAMED])
        store.reserve(f"gym/{number}", 3, AT_ALL, set())
    store.forget("lab/2")
    store.expire(store.unused(Kept.UNNAMED, AT_ALL)[:1])
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        counted = dict(connection.execute("SELECT tenant, count(*) FROM ids GROUP BY tenant").fetchall())
        assert dict(connection.execute("SELECT tenant, ids FROM tenants").fetchall()) == counted == {"lab": 3, "gym": 3}
    connection.close()
    store.close()
