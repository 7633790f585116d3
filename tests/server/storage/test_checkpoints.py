"""The store of durable streams: one owner at a time, all or nothing."""

from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from motionscribe_server.errors import FencedError, NotFoundError, StoreError
from motionscribe_server.storage.checkpoints import Checkpoint
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.storage.store import Owner, Store, StoredStream
from motionscribe_server.storage.unused import Kept

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


def defer(store: Store, row: bytes) -> int | None:
    """The ticket of an edit that changes nothing."""
    edited = store.edit("lab/walk", lambda stored: stored, row)
    return edited.ticket if edited else None


def test_deferred_edits_have_tickets_that_are_never_given_twice(place: str) -> None:
    store = open_store(place)
    assert store.edit("lab/walk", lambda stored: stored, b"of nobody") is None
    store.save("m/1", "lab/walk", 1, [])
    assert defer(store, b"of a stream that is not durable") is None
    store.checkpoints.begin(FIRST)
    first = defer(store, b"one")
    second = defer(open_store(place), b"two")
    assert first is not None
    assert second is not None
    assert first < second
    store.checkpoints.append("lab/walk", 1, [], [(1, b"one, in its place")], [first])
    found = store.checkpoints.find("lab/walk")
    assert found is not None
    assert (found.edits, found.deferred) == ([(1, b"one, in its place")], [(second, b"two")])
    assert store.checkpoints.deferred("lab/walk") == [(second, b"two")]
    assert store.checkpoints.keep(replace(FIRST, edits=1), 0) == [(second, b"two")]
    store.checkpoints.append("lab/walk", 1, [], [], [second])
    third = defer(store, b"three")
    assert third is not None
    assert third > second
    store.checkpoints.keep(replace(FIRST, edits=1, closed=True), 0)
    assert defer(store, b"after its end") is None
    store.checkpoints.begin(replace(FIRST, epoch=2))
    assert store.checkpoints.deferred("lab/walk") == []


def test_an_edit_that_is_written_twice_is_one(place: str) -> None:
    """A server that does not know whether it wrote writes again."""
    store = open_store(place)
    store.checkpoints.begin(FIRST)
    for _ in range(2):
        store.checkpoints.append("lab/walk", 1, [(1, b"a")], [(1, b"edit")])
    assert store.checkpoints.find("lab/walk") == (FIRST, [(1, b"a")], [(1, b"edit")], [])


def test_only_the_session_that_began_last_saves(place: str) -> None:
    one, other = open_store(place), open_store(place)
    one.begin("lab/walk", "first")
    one.save("m/1", "lab/walk", 3, [], Owner("first"))
    other.begin("lab/walk", "second")
    with pytest.raises(FencedError, match="begun anew or deleted"):
        one.save("m/1", "lab/walk", 9, [], Owner("first"))
    other.save("m/1", "lab/walk", 4, [], Owner("second"))
    assert one.load("m/1", "lab/walk").next_id == 4
    assert other.forget("lab/walk")
    with pytest.raises(FencedError, match="begun anew or deleted"):
        other.save("m/1", "lab/walk", 4, [], Owner("second"))
    assert one.model_of("lab/walk") is None


def test_a_live_session_ends_a_durable_one(place: str) -> None:
    store = open_store(place)
    store.checkpoints.begin(FIRST)
    store.save("m/1", "lab/walk", 3, [], Owner("walk-1", 1))
    store.begin("lab/walk", "live")
    assert store.checkpoints.find("lab/walk") is None
    assert store.unused(Kept.CHECKPOINT, -1) == []
    with pytest.raises(FencedError):
        store.save("m/1", "lab/walk", 3, [], Owner("walk-1", 1))
    store.checkpoints.begin(replace(FIRST, name="walk-2"))
    with pytest.raises(FencedError):
        store.save("m/1", "lab/walk", 3, [], Owner("live"))


def test_an_edit_that_cannot_be_made_changes_nothing(place: str) -> None:
    store = open_store(place)
    store.save("m/1", "lab/walk", 3, [])
    store.checkpoints.begin(FIRST)

    def refuse(_stored: StoredStream) -> StoredStream:
        raise NotFoundError("no such cluster")

    with pytest.raises(NotFoundError, match="no such cluster"):
        store.edit("lab/walk", refuse, b"row")
    assert store.checkpoints.deferred("lab/walk") == []
    assert store.load("m/1", "lab/walk").next_id == 3


def test_edits_of_several_servers_are_all_made(place: str) -> None:
    open_store(place).save("m/1", "lab/walk", 1, [])

    def count(stored: StoredStream) -> StoredStream:
        return StoredStream(stored.next_id + 1, stored.clusters)

    def work() -> None:
        own = open_store(place)
        for _ in range(20):
            own.edit("lab/walk", count, b"")
        own.close()

    servers = [Thread(target=work) for _ in range(3)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    assert open_store(place).load("m/1", "lab/walk").next_id == 61


def test_a_store_that_is_gone_says_so(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    store = SqliteStore(file)
    store.close()
    with pytest.raises(StoreError, match="cannot read 'lab/walk'"):
        store.checkpoints.find("lab/walk")
    with pytest.raises(StoreError, match="cannot write 'lab/walk'"):
        store.checkpoints.begin(FIRST)
