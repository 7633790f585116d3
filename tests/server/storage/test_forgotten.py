"""Nothing of a deleted stream is in any of SQLite's files: not in the log, nor where rows were moved from."""

import random
import re
import sqlite3
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from tests.server.storage.test_checkpoints import FIRST
from tests.server.storage.test_formats import FORMATS

from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.storage.unused import Kept


def secret(number: int) -> bytes:
    """Stands in all that is kept of a stream."""
    return b"SECRET%06dX" % number


def secrets_in(folder: Path) -> set[int]:
    """Those that any file of a folder has."""
    found = b"\n".join(path.read_bytes() for path in folder.iterdir())
    return {int(number) for number in re.findall(rb"SECRET(\d{6})X", found)}


def save(store: SqliteStore, number: int, clusters: int) -> None:
    """Clusters whose names and centres have the secret."""
    centre = np.frombuffer((secret(number) * 64)[:512])
    names = [secret(number).decode() * (1 + id % 3) for id in range(1, clusters + 1)]
    states = [ClusterState(id, name, 0, True, centre, 1.0, 1, 2, 3, 4.0) for id, name in enumerate(names, 1)]
    store.save("m/1", f"lab/{number}", clusters + 1, states)


EDITS = count(1)


def checkpoint(store: SqliteStore, number: int, chance: random.Random) -> None:
    """Events and a snapshot with the secret; some events of before are acknowledged."""
    first = replace(FIRST, key=f"lab/{number}", token=secret(number).decode())
    found = store.checkpoints.find(first.key)
    if found is None:
        store.checkpoints.begin(first)
    events = [(chance.randrange(300), secret(number) * chance.randrange(1, 8)) for _ in range(chance.randrange(20))]
    edits = [(next(EDITS), secret(number)) for _ in range(chance.randrange(3))]
    store.checkpoints.append(first.key, 1, events, edits)
    store.edit(first.key, lambda stored: stored, secret(number))
    snapshot, acknowledged = secret(number) * chance.randrange(4000), chance.randrange(300)
    store.checkpoints.keep(replace(first, snapshot=snapshot, edits=edits[-1][0] if edits else 0), acknowledged)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_forgotten_is_in_no_file(tmp_path: Path, seed: int) -> None:
    """However rows were moved from page to page while streams came, grew and went."""
    chance, there, next_number = random.Random(seed), list[int](), 0
    store = SqliteStore(tmp_path / "store.sqlite")
    for _ in range(600):
        if not there or chance.random() < 0.4:
            there.insert(chance.randrange(len(there) + 1), next_number)
            save(store, next_number, chance.randrange(1, 13))
            next_number += 1
        elif chance.random() < 0.35:
            gone = there.pop(chance.randrange(len(there)))
            assert store.forget(f"lab/{gone}")
        else:
            kept = chance.choice(there)
            save(store, kept, chance.randrange(1, 13))
            checkpoint(store, kept, chance)
    store.forget(f"lab/{there.pop()}")
    assert secrets_in(tmp_path) == set(there)
    store.close()


def test_what_expired_or_made_room_is_in_no_file(tmp_path: Path) -> None:
    store, chance = SqliteStore(tmp_path / "store.sqlite"), random.Random(0)
    for number in range(4):
        checkpoint(store, number, chance)
    store.expire([each for each in store.unused(Kept.CHECKPOINT, -1) if each.stream == "lab/0"])
    assert secrets_in(tmp_path) == {1, 2, 3}
    store.expire([each for each in store.unused(Kept.UNNAMED, -1) if each.stream == "lab/1"])
    assert secrets_in(tmp_path) == {2, 3}
    store.reserve("lab/9", 2, -1, {"lab/2"})
    assert secrets_in(tmp_path) == {2}
    store.close()


def test_a_log_that_another_process_reads_is_emptied_later(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    save(store, 1, 3)
    reader = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM streams").fetchall()
    assert store.forget("lab/1")
    assert secrets_in(tmp_path) == {1}, "the reader may still read it"
    reader.close()
    store.renew([])
    assert secrets_in(tmp_path) == set()
    store.close()


@pytest.mark.parametrize("version", FORMATS)
def test_what_an_older_server_kept_is_forgotten_as_well(tmp_path: Path, version: int) -> None:
    with sqlite3.connect(tmp_path / "store.sqlite") as old:
        old.executescript(f"{FORMATS[version].replace('gait', secret(7).decode())} PRAGMA user_version = {version};")
    old.close()
    store = SqliteStore(tmp_path / "store.sqlite")
    assert secrets_in(tmp_path) == {7}
    assert store.forget("lab/walk")
    assert secrets_in(tmp_path) == set()
    store.close()
