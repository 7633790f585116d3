"""Both stores: what is saved is found again, ids never come back, what others wrote is refused."""

import math
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.redis_server import redis_server

from motionscribe_server.errors import StoreError
from motionscribe_server.session.clustering import ClusterState, Exemplar
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.storage.store import Store, StoredStream

WALK = ClusterState(1, "walk", 0, True, np.array([0.1, -2.0]), 3.5, 0, 7, 2, 4.25)
CLIPS = (Exemplar(5, 0.25, bytes(range(12))), Exemplar(6, math.inf, b""))
HOP = ClusterState(2, "", 1, False, np.array([1e-30, 1e30]), 0.0, 12, 13, 1, 0.5)


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    store = open_store(place)
    yield store
    store.close()


def test_what_was_saved_is_there_after_reopening(place: str) -> None:
    store = open_store(place)
    store.save("cmu/1", "lab", 3, [WALK, HOP])
    store.close()
    store = open_store(place)
    assert store.load("cmu/1", "lab") == StoredStream(3, (WALK, HOP))
    store.close()


def test_exemplars_are_there_after_reopening(place: str) -> None:
    store = open_store(place)
    store.save("cmu/1", "lab", 3, [replace(WALK, exemplars=CLIPS), HOP])
    store.close()
    store = open_store(place)
    assert [cluster.exemplars for cluster in store.load("cmu/1", "lab").clusters] == [CLIPS, ()]
    store.close()


def test_a_killed_process_loses_nothing_that_was_saved(place: str) -> None:
    program = (
        "import os, sys, numpy as np\n"
        "from motionscribe_server.storage.open_store import open_store\n"
        "from motionscribe_server.session.clustering import ClusterState\n"
        "store = open_store(sys.argv[1])\n"
        "store.save('cmu/1', 'lab', 9, [ClusterState(8, 'jab', 0, False, np.ones(3), 1.0, 5, 6, 1, 2.0)])\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, place], check=False).returncode == 9
    store = open_store(place)
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


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=128),
    centre=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    seen=st.integers(0, 2**62),
    seconds=st.floats(0, 1e12),
)
def test_every_cluster_comes_back_bit_by_bit(
    store: Store, name: str, centre: list[float], seen: int, seconds: float
) -> None:
    state = ClusterState(2**32 - 1, name, 0, False, np.array(centre), seconds, seen, seen, 3, seconds)
    store.forget("s")
    store.save("m/1", "s", 1, [state])
    assert store.load("m/1", "s").clusters == (state,)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    foreign.write_bytes(b"this is not a database, it only looks like one from afar" * 20)
    with pytest.raises(StoreError, match=r"foreign\.sqlite: expected a SQLite file of motionscribe"):
        SqliteStore(foreign)
    with pytest.raises(StoreError, match="expected a file that can be opened"):
        SqliteStore(tmp_path)


def test_a_redis_that_goes_away_says_so_and_is_used_again_when_it_is_back(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        store = open_store(url)
        store.save("cmu/1", "lab", 3, [WALK])
    for ask in (
        lambda: store.load("cmu/1", "lab"),
        lambda: store.save("cmu/1", "lab", 3, []),
        lambda: store.forget("lab"),
        lambda: store.checkpoints.find("lab"),
        lambda: store.checkpoints.claim("lab", 1),
    ):
        with pytest.raises(StoreError, match="redis: cannot"):
            ask()
    store.close()
    with redis_server(tmp_path) as url:
        store = open_store(url)
        assert store.load("cmu/1", "lab") == StoredStream(3, (WALK,)), "what it was told is in its folder"
        store.close()


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "names.sqlite"
    path.touch(0o644)
    store = SqliteStore(path)
    store.save("cmu/1", "lab", 3, [WALK])
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {f"names.sqlite{ending}": 0o600 for ending in ("", "-wal", "-shm")}
    store.close()
