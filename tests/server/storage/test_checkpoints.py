"""The store of durable streams: one owner at a time, all or nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from motionscribe_server.errors import FencedError, StoreError
from motionscribe_server.storage.checkpoints import Checkpoint
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.sqlite_store import SqliteStore

FIRST = Checkpoint(
    key="lab/walk",
    epoch=1,
    token="d",
    name="walk-1",
    model="m",
    version="1",
    lag="fast",
    provisional=True,
    rate_hz=30.0,
    next_seq=1,
    last_us=None,
    last_event=0,
    edits=0,
    closed=False,
    refusal="",
    saved_s=100.0,
    snapshot=None,
)


def test_what_is_written_is_found_by_another_server(place: str) -> None:
    one = open_store(place)
    assert one.checkpoints.find("lab/walk") is None
    one.checkpoints.begin(FIRST)
    one.checkpoints.append("lab/walk", 1, [(1, b"a"), (3, b"b")])
    kept = replace(FIRST, next_seq=91, last_us=3_000, last_event=4, edits=1, snapshot=b"bytes", saved_s=200.0)
    one.checkpoints.append("lab/walk", 1, [], [(1, b"in the snapshot"), (2, b"after it")])
    assert one.checkpoints.keep(kept, acknowledged=1) == []
    one.checkpoints.append("lab/walk", 1, [(5, b"c")])
    other = open_store(place)
    assert other.checkpoints.find("lab/walk") == (kept, [(3, b"b"), (5, b"c")], [(2, b"after it")], [])


def test_an_old_owner_can_write_nothing(place: str) -> None:
    one, other = open_store(place), open_store(place)
    one.checkpoints.begin(FIRST)
    assert other.checkpoints.claim("lab/walk", 1) == 2
    for write in (
        lambda: one.checkpoints.append("lab/walk", 1, [(1, b"late")]),
        lambda: one.checkpoints.keep(replace(FIRST, next_seq=5), 0),
        lambda: one.checkpoints.claim("lab/walk", 1),
        lambda: one.checkpoints.begin(replace(FIRST, epoch=2)),
    ):
        with pytest.raises(FencedError):
            write()
    other.checkpoints.append("lab/walk", 2, [(1, b"mine")])
    assert one.checkpoints.find("lab/walk") == (replace(FIRST, epoch=2), [(1, b"mine")], [], [])


def test_an_event_that_was_told_is_never_another_one(place: str) -> None:
    store = open_store(place)
    store.checkpoints.begin(FIRST)
    store.checkpoints.append("lab/walk", 1, [(1, b"told")])
    store.checkpoints.append("lab/walk", 1, [(1, b"computed to something else"), (2, b"new")])
    found = store.checkpoints.find("lab/walk")
    assert found is not None
    assert found.outbox == [(1, b"told"), (2, b"new")]


def test_a_new_stream_takes_the_place_of_an_old_one(place: str) -> None:
    store = open_store(place)
    store.checkpoints.begin(FIRST)
    store.checkpoints.append("lab/walk", 1, [(1, b"a")])
    store.checkpoints.begin(replace(FIRST, epoch=2, name="walk-2"))
    assert store.checkpoints.find("lab/walk") == (replace(FIRST, epoch=2, name="walk-2"), [], [], [])


def test_deferred_edits_have_tickets_that_are_never_given_twice(place: str) -> None:
    store = open_store(place)
    assert store.checkpoints.defer("lab/walk", b"of nobody") is None
    store.checkpoints.begin(FIRST)
    first = store.checkpoints.defer("lab/walk", b"one")
    second = open_store(place).checkpoints.defer("lab/walk", b"two")
    assert first is not None
    assert second is not None
    assert first < second
    store.checkpoints.append("lab/walk", 1, [], [(1, b"one, in its place")], [first])
    found = store.checkpoints.find("lab/walk")
    assert found is not None
    assert (found.edits, found.deferred) == ([(1, b"one, in its place")], [(second, b"two")])
    assert store.checkpoints.keep(replace(FIRST, edits=1), 0) == [(second, b"two")]
    store.checkpoints.append("lab/walk", 1, [], [], [second])
    third = store.checkpoints.defer("lab/walk", b"three")
    assert third is not None
    assert third > second
    store.checkpoints.keep(replace(FIRST, edits=1, closed=True), 0)
    assert store.checkpoints.defer("lab/walk", b"after its end") is None
    store.checkpoints.begin(replace(FIRST, epoch=2))
    found = store.checkpoints.find("lab/walk")
    assert found is not None
    assert found.deferred == []


def test_a_store_that_is_gone_says_so(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    store = SqliteStore(file)
    store.close()
    with pytest.raises(StoreError, match="cannot read 'lab/walk'"):
        store.checkpoints.find("lab/walk")
    with pytest.raises(StoreError, match="cannot write 'lab/walk'"):
        store.checkpoints.begin(FIRST)
