"""SQLite and Redis as twins: any sequence of writes of several owners leaves the same in both, refusals included."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.storage.test_checkpoints import FIRST

from motionscribe_server.errors import ExhaustedError, FencedError
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.store import Owner, Store, StoredStream
from motionscribe_server.storage.unused import Kept

KEYS = ("lab/walk", "lab/hop", "run")
MODELS = ("m/1", "m/2")
EDITS = count(1)
keys, epochs, numbers = st.sampled_from(KEYS), st.integers(1, 4), st.integers(1, 8)
events = st.lists(st.tuples(numbers, st.binary(max_size=4)), max_size=4)
sessions = st.sampled_from([FIRST.name, "live-1", "live-2"])
clusters = st.lists(st.integers(1, 9), unique=True, max_size=3)


NOW_S = -1.0
"""Seconds without use that everything has."""


def save(model: str, key: str, next_id: int, ids: list[int], anomaly: int, marks: int) -> Callable[[Store], Any]:
    """Clusters of these ids, of which the odd ones have names, and anomalies."""
    names = {id: f"c{id}" if id % 2 else "" for id in sorted(ids)}
    states = [ClusterState(id, names[id], 0, False, np.array([id / 3, -1.0]), 1.5, 2, 3, 4, 5.5) for id in names]
    book = PackedBook(anomaly, marks, f'["{anomaly} ü"]')
    return lambda store: store.save(model, key, next_id, states, book=book)


def count_up(stored: StoredStream) -> StoredStream:
    """An edit."""
    return StoredStream(stored.next_id + 1, stored.clusters, replace(stored.book, marks=1))


operations = st.one_of(
    st.builds(save, st.sampled_from(MODELS), keys, numbers, clusters, numbers, st.integers(0, 1)),
    st.builds(lambda key: lambda store: store.forget(key), keys),
    st.builds(
        lambda key, epoch, saved: (
            lambda store: store.checkpoints.begin(replace(FIRST, key=key, epoch=epoch, saved_s=saved))
        ),
        keys,
        epochs,
        st.floats(1, 300),
    ),
    st.builds(lambda key, epoch: lambda store: store.checkpoints.claim(key, epoch), keys, epochs),
    st.builds(
        lambda key, epoch, new, edits, tickets: lambda store: store.checkpoints.append(key, epoch, new, edits, tickets),
        keys,
        epochs,
        events,
        events.map(lambda rows: [(next(EDITS), row) for _, row in rows]),
        st.lists(st.integers(1, 5), max_size=2),
    ),
    st.builds(lambda key, row: lambda store: store.edit(key, count_up, row), keys, st.binary(max_size=3)),
    st.builds(lambda key, name: lambda store: store.begin(key, name), keys, sessions),
    st.builds(
        lambda key, name, epoch: lambda store: store.save("m/1", key, 5, [], Owner(name, epoch)),
        keys,
        sessions,
        st.none() | epochs,
    ),
    st.builds(
        lambda key, epoch, seq, acknowledged, edits, snapshot: (
            lambda store: store.checkpoints.keep(
                replace(FIRST, key=key, epoch=epoch, next_seq=seq, edits=edits, snapshot=snapshot, closed=not snapshot),
                acknowledged,
            )
        ),
        keys,
        epochs,
        numbers,
        numbers,
        numbers,
        st.none() | st.binary(max_size=8),
    ),
    st.builds(lambda key, epoch: lambda store: store.checkpoints.take_over(key, epoch), keys, epochs),
    st.builds(lambda kind: lambda store: store.expire(store.unused(kind, NOW_S)), st.sampled_from(Kept)),
    st.builds(
        lambda key, limit, in_use: lambda store: store.reserve(key, limit, NOW_S, in_use),
        keys,
        st.integers(0, 2),
        st.sets(keys),
    ),
)


def outcome(store: Store, operation: Callable[[Store], Any]) -> Any:
    """What it returned, or why it was refused."""
    try:
        return operation(store)
    except (FencedError, ExhaustedError) as error:
        return str(error)


def kept(store: Store) -> list[Any]:
    """All that can be read."""
    found: list[Any] = [store.load(model, key) for model in MODELS for key in KEYS]
    ids = [sorted(each.stream for each in store.unused(kind, NOW_S)) for kind in Kept]
    return [*found, *map(store.model_of, KEYS), *map(store.checkpoints.find, KEYS), *ids]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(operations, max_size=12))
def test_they_keep_the_same(redis_url: str, sequence: list[Callable[[Store], Any]]) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    with tempfile.TemporaryDirectory() as folder:
        one, two = open_store(str(Path(folder) / "store.sqlite")), open_store(redis_url)
        for operation in sequence:
            assert outcome(one, operation) == outcome(two, operation)
        assert kept(one) == kept(two)
        one.close()
        two.close()
