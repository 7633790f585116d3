"""What waits is bounded and counted; a disk that takes nothing, or gives back something else, stops nothing."""

import sqlite3
from pathlib import Path

import pytest
from tests.support.made_up_outlet import ADDRESS, INFO, MadeUp, files, leave_behind
from tests.support.messages import finals, numbers
from tests.support.waiting import wait_until

from motionscribe.sinks import backlog
from motionscribe.sinks.relay import Relay, relayed


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


def test_a_row_that_is_no_message_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(finals(2), monkeypatch)
    (path,) = files()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE messages SET text = '[]' WHERE number = 1")
    database.close()
    under_way = Relay(ADDRESS, outlet := MadeUp())
    under_way.close()
    assert numbers(outlet.texts) == [2]
    assert under_way.state.dropped == 1
