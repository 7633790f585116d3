"""What waits is bounded and counted; a disk that takes nothing, or gives back something else, stops nothing."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.support.made_up_outlet import ADDRESS, INFO, MadeUp, files, leave_behind
from tests.support.messages import finals, numbers
from tests.support.waiting import wait_until

from motionscribe.sinks import Sink, backlog, relay
from motionscribe.sinks.relay import Relay, relayed
from motionscribe.sinks.spool import Spool


def test_what_waits_is_bounded_and_what_is_lost_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    leave_behind(finals(6), monkeypatch)
    monkeypatch.setattr(backlog, "MOST", 10)
    outlet = MadeUp(away=True)
    under_way = Relay(ADDRESS, outlet)
    for event in finals(37):
        under_way.sink(INFO).write(event)
    wait_until(lambda: under_way.state.dropped == 33)
    assert under_way.state.waiting == 10
    outlet.there.set()
    under_way.close()
    # what was on its way when the others were dropped is the command's of before
    assert numbers(outlet.texts)[-10:] == list(range(28, 38))
    assert "33 events were dropped, since too many waited" in caplog.text


def test_memory_is_bounded_where_the_disk_takes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(backlog, "MOST_IN_MEMORY", 5)
    outlet = MadeUp(away=True)
    under_way = Relay(ADDRESS, outlet)
    for event in finals(60):
        under_way.sink(INFO).write(event)
    wait_until(lambda: "events wait in memory only" in caplog.text)
    outlet.there.set()
    wait_until(lambda: not under_way.state.waiting)
    under_way.close()
    assert numbers(outlet.texts)[-50:] == list(range(11, 61))
    assert under_way.state.dropped == 10


def test_a_queue_that_cannot_be_read_is_left_where_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    leave_behind(finals(2), monkeypatch)
    (damaged,) = files()
    damaged.write_bytes(b"no database" * 100)
    leave_behind(finals(2), monkeypatch)
    newer = files()[-1]
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version=2")
    database.close()
    with relayed(ADDRESS, outlet := MadeUp()) as make:
        make(INFO).write(finals(1)[0])
    assert numbers(outlet.texts) == [1]
    assert files() == [damaged, newer]
    assert f"{damaged}: left out" in caplog.text
    assert "expected a queue of format 1, got 2" in caplog.text


@pytest.mark.parametrize("text", ["[]", '{"id": 1}', "[" * 100_000, b"\xff", b"5"])
def test_a_row_that_is_no_message_is_passed_over_counted_and_told(
    text: str | bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    leave_behind(finals(3), monkeypatch)
    (path,) = files()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE messages SET text = ? WHERE number = 2", (text,))
    database.close()
    under_way = Relay(ADDRESS, outlet := MadeUp())
    under_way.close()
    assert numbers(outlet.texts) == [1, 3]
    assert (under_way.state.unreadable, under_way.state.dropped) == (1, 0)
    assert "1 events could not be read back from disk" in caplog.text
    assert files() == []


def test_a_copy_of_a_queue_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(finals(20), monkeypatch)
    (path,) = files()
    shutil.copy(path, path.with_name(f"{path.stem} (copy).sqlite"))
    with relayed(ADDRESS, outlet := MadeUp()) as make:
        make(INFO).write(finals(21)[-1])
    assert numbers(outlet.texts) == [*range(1, 21), *range(1, 21), 21]
    assert files() == []


def test_what_cannot_be_opened_is_told_unless_another_command_has_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    leave_behind(finals(1), monkeypatch)
    (path,) = files()
    (folder := path.with_name(f"{path.stem}-folder.sqlite")).mkdir()
    holder = Spool(path)
    with relayed(ADDRESS, outlet := MadeUp()):
        pass
    holder.close()
    assert f"{folder}: left out: unable to open" in caplog.text
    assert f"{path}: left out" not in caplog.text
    assert outlet.came == []


def test_a_full_disk_makes_no_hole_and_is_forgotten_when_the_receiver_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outlet = MadeUp(away=True)
    under_way = Relay(ADDRESS, outlet)
    sink = under_way.sink(INFO)
    events = finals(60)
    for event in events[:20]:
        sink.write(event)
    wait_until(lambda: bool(files()) and not under_way._backlog._memory)  # noqa: SLF001  all is on disk
    forbid_writing(under_way)
    for event in events[20:40]:
        sink.write(event)
    wait_until(lambda: "events wait in memory only" in caplog.text)
    outlet.there.set()
    wait_until(lambda: not under_way.state.waiting)
    assert files() == []
    outlet.there.clear()
    for event in events[40:]:
        sink.write(event)
    wait_until(lambda: bool(files()))
    outlet.there.set()
    under_way.close()
    assert numbers(outlet.texts) == list(range(1, 61))
    assert (under_way.state.sent, under_way.state.unreadable, under_way.state.lost) == (60, 0, 0)
    assert "left out" not in caplog.text


def five_on_disk(monkeypatch: pytest.MonkeyPatch) -> tuple[Relay, Sink]:
    """Of a receiver that is away, when the command has no patience at its end."""
    monkeypatch.setattr(relay, "PATIENCE_S", 0.01)
    under_way = Relay(ADDRESS, MadeUp(away=True))
    sink = under_way.sink(INFO)
    for event in finals(5):
        sink.write(event)
    wait_until(lambda: bool(files()) and not under_way._backlog._memory)  # noqa: SLF001
    return under_way, sink


def test_what_a_full_disk_does_not_take_at_the_end_is_told_as_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    under_way, sink = five_on_disk(monkeypatch)
    forbid_writing(under_way)
    for event in finals(3):
        sink.write(event)
    under_way.close()
    assert "5 events wait for the next command with this address, 3 events are lost" in caplog.text
    assert (under_way.state.waiting, under_way.state.lost) == (5, 3)


def test_a_folder_that_is_removed_is_made_anew_and_only_what_was_in_it_is_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    under_way, sink = five_on_disk(monkeypatch)
    shutil.rmtree(backlog.folder())
    for event in finals(3):
        sink.write(event)
    under_way.close()
    assert "3 events wait for the next command with this address, 5 events are lost" in caplog.text
    with relayed(ADDRESS, outlet := MadeUp()):
        pass
    assert numbers(outlet.texts) == [1, 2, 3]


def forbid_writing(under_way: Relay) -> None:
    """To the queue that is open, as a full disk does, also of deletions."""
    (spool,) = under_way._backlog._own  # noqa: SLF001
    spool._db.execute("PRAGMA query_only=ON")  # noqa: SLF001
