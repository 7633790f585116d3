"""What nobody uses: found by the store's clock, deleted unless it was used since, and making room for new ids."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import redis
from tests.server.storage.test_checkpoints import FIRST

from motionscribe_server.errors import ExhaustedError
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.store import Store
from motionscribe_server.storage.unused import Kept

NAMED = ClusterState(1, "walk", 0, True, np.array([0.5]), 3.5, 0, 7, 2, 4.25)
UNNAMED = replace(NAMED, name="")
AT_ALL = -1.0
"""Seconds without use that everything has."""


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    store = open_store(place)
    yield store
    store.close()


def found(store: Store, kept: Kept) -> set[str]:
    """Streams that are kept so."""
    return {each.stream for each in store.unused(kept, AT_ALL)}


def test_each_kind_is_found_and_deleted_by_itself(store: Store) -> None:
    store.save("m/1", "named", 2, [NAMED])
    store.save("m/1", "unnamed", 2, [UNNAMED])
    store.checkpoints.begin(replace(FIRST, key="named"))
    store.checkpoints.begin(replace(FIRST, key="bare"))
    assert [found(store, kept) for kept in Kept] == [{"unnamed", "bare"}, {"named"}, {"named", "bare"}]
    assert [store.unused(kept, 3600) for kept in Kept] == [[], [], []], "they were used just now"
    assert store.expire(store.unused(Kept.CHECKPOINT, AT_ALL)) == 2
    assert store.checkpoints.find("named") is None
    assert store.load("m/1", "named").clusters == (NAMED,)
    assert store.expire(store.unused(Kept.UNNAMED, AT_ALL)) == 2
    assert (store.model_of("unnamed"), store.model_of("named")) == (None, "m/1")
    assert [found(store, kept) for kept in Kept] == [set(), {"named"}, set()]


def test_what_was_used_since_it_was_found_stays(store: Store) -> None:
    for stream in ("renewed", "saved", "opened", "kept", "taken", "left"):
        store.save("m/1", stream, 2, [UNNAMED])
        store.checkpoints.begin(replace(FIRST, key=stream))
    old = [each for kept in (Kept.UNNAMED, Kept.CHECKPOINT) for each in store.unused(kept, AT_ALL)]
    store.renew(["renewed", "nobody"])
    store.save("m/1", "saved", 2, [UNNAMED])
    store.reserve("opened", 0, AT_ALL, set())
    store.checkpoints.keep(replace(FIRST, key="kept"), 0)
    store.checkpoints.take_over("taken", 1)
    assert store.expire(old) == 1
    assert found(store, Kept.CHECKPOINT) == {"renewed", "saved", "opened", "kept", "taken"}
    assert found(store, Kept.UNNAMED) == found(store, Kept.CHECKPOINT)


def test_a_stream_that_had_a_name_or_a_mark_counts_as_named(store: Store) -> None:
    store.save("m/1", "lab", 2, [NAMED])
    store.save("m/2", "lab", 2, [])
    store.checkpoints.begin(replace(FIRST, key="lab"))
    store.reserve("lab", 1, AT_ALL, set())
    store.save("m/1", "gym", 2, [UNNAMED], book=PackedBook(3, 1, '["of two, one with a mark"]'))
    store.save("m/1", "gym", 2, [UNNAMED], book=PackedBook(3))
    assert found(store, Kept.NAMED) == {"lab", "gym"}
    assert found(store, Kept.UNNAMED) == set()


def test_a_new_id_takes_the_place_of_the_unnamed_one_that_was_unused_longest(store: Store) -> None:
    for stream, cluster in (("a/1", NAMED), ("a/2", UNNAMED), ("a/3", UNNAMED), ("a/4", UNNAMED), ("b/1", UNNAMED)):
        store.save("m/1", stream, 2, [cluster])
    store.renew(["a/2"])
    store.reserve("a/3", 4, AT_ALL, set())  # it is there already
    store.reserve("a/5", 4, AT_ALL, {"a/4"})
    assert found(store, Kept.UNNAMED) == {"a/3", "a/4", "a/5", "b/1"}
    assert store.model_of("a/2") is None
    store.reserve("a/6", 2, AT_ALL, set())
    assert (found(store, Kept.UNNAMED), found(store, Kept.NAMED)) == ({"a/6", "b/1"}, {"a/1"}), "a limit that fell"


def test_where_all_ids_have_to_stay_a_new_one_is_refused(store: Store) -> None:
    store.save("m/1", "a/1", 2, [NAMED])
    store.save("m/1", "a/2", 2, [UNNAMED])
    for age_s, in_use in ((AT_ALL, {"a/2"}), (3600, set[str]())):
        with pytest.raises(ExhaustedError, match=r"at most 2 stream ids, got one more.*clusters forget"):
            store.reserve("a/3", 2, age_s, in_use)
    store.reserve("a/2", 2, 3600, set())
    store.reserve("b/1", 2, 3600, set())
    store.reserve("a/3", 0, 3600, set())
    assert store.forget("a/3")
    assert store.forget("a/2")
    store.reserve("a/3", 2, 3600, set())


def test_servers_of_one_redis_have_one_clock(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    one, ahead = open_store(redis_url), open_store(redis_url)
    one.save("m/1", "lab", 2, [UNNAMED])
    one.checkpoints.begin(replace(FIRST, key="lab", saved_s=time.time()))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 365 * 86400.0)
    assert [ahead.unused(kept, 60.0) for kept in Kept] == [[], [], []]
    ahead.renew(["lab"])
    ahead.checkpoints.keep(replace(FIRST, key="lab", saved_s=time.time()), 0)
    monkeypatch.undo()
    assert [[each.stream for each in one.unused(kept, AT_ALL)] for kept in Kept] == [["lab"], [], ["lab"]]
