"""The SQLite store: what is saved is found again, ids never come back, foreign files are refused."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motionscribe_server.clustering import ClusterState
from motionscribe_server.errors import StoreError
from motionscribe_server.store import Store, StoredStream

WALK = ClusterState(1, "walk", 0, True, np.array([0.1, -2.0]), 3.5, 0, 7, 2, 4.25)
HOP = ClusterState(2, "", 1, False, np.array([1e-30, 1e30]), 0.0, 12, 13, 1, 0.5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "new" / "names.sqlite")
    yield store
    store.close()


def test_what_was_saved_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "names.sqlite"
    store = Store(path)
    store.save("cmu/1", "lab", 3, [WALK, HOP])
    store.close()
    store = Store(path)
    assert store.load("cmu/1", "lab") == StoredStream(3, (WALK, HOP))
    store.close()


def test_a_killed_process_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "names.sqlite"
    program = (
        "import os, sys, numpy as np, pathlib\n"
        "from motionscribe_server.store import Store\n"
        "from motionscribe_server.clustering import ClusterState\n"
        "store = Store(pathlib.Path(sys.argv[1]))\n"
        "store.save('cmu/1', 'lab', 9, [ClusterState(8, 'jab', 0, False, np.ones(3), 1.0, 5, 6, 1, 2.0)])\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 9
    store = Store(path)
    assert [(c.id, c.name) for c in store.load("cmu/1", "lab").clusters] == [(8, "jab")]
    store.close()


def test_streams_and_models_do_not_mix(store: Store) -> None:
    store.save("cmu/1", "lab", 3, [WALK, HOP])
    store.save("cmu/1", "gym", 2, [replace(WALK, name="gait")])
    assert store.load("cmu/1", "gym").clusters[0].name == "gait"
    assert store.load("cmu/1", "lab").clusters[0].name == "walk"
    assert store.load("cmu/2", "lab").clusters == ()
    assert store.load("cmu/1", "nobody") == StoredStream(1, ())


def test_saving_replaces_the_clusters_but_ids_are_never_given_again(store: Store) -> None:
    store.save("cmu/1", "lab", 30, [WALK, HOP])
    store.save("cmu/1", "lab", 3, [WALK])
    assert store.load("cmu/1", "lab") == StoredStream(30, (WALK,))
    assert store.load("cmu/2", "lab").next_id == 30, "ids belong to the stream, whatever the model"


def test_the_model_of_a_stream_is_the_one_it_was_saved_under_last(store: Store) -> None:
    assert store.model_of("lab") is None
    store.save("cmu/1", "lab", 1, [])
    store.save("cmu/2", "lab", 1, [])
    store.save("cmu/3", "gym", 1, [])
    assert store.model_of("lab") == "cmu/2"
    store.save("cmu/1", "lab", 1, [])
    assert store.model_of("lab") == "cmu/1"


def test_a_save_that_fails_changes_nothing(store: Store) -> None:
    store.save("cmu/1", "lab", 3, [WALK, HOP])
    with pytest.raises(StoreError, match="cannot save clusters of 'lab'"):
        store.save("cmu/1", "lab", 9, [HOP, HOP])
    assert store.load("cmu/1", "lab") == StoredStream(3, (WALK, HOP))


@settings(max_examples=50, deadline=None)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=128),
    centre=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    seen=st.integers(0, 2**62),
    seconds=st.floats(0, 1e12),
)
def test_every_cluster_comes_back_bit_by_bit(name: str, centre: list[float], seen: int, seconds: float) -> None:
    state = ClusterState(2**32 - 1, name, 0, False, np.array(centre), seconds, seen, seen, 3, seconds)
    store = Store(Path(":memory:"))
    store.save("m/1", "s", 1, [state])
    assert store.load("m/1", "s").clusters == (state,)
    store.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    foreign.write_bytes(b"this is not a database, it only looks like one from afar" * 20)
    with pytest.raises(StoreError, match=r"foreign\.sqlite: expected a SQLite file of motionscribe"):
        Store(foreign)
    with pytest.raises(StoreError, match="expected a file that can be opened"):
        Store(tmp_path)


def test_a_store_of_a_newer_server_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(StoreError, match="expected format 2, got 3"):
        Store(path)
