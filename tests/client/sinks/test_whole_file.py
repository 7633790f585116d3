"""A whole file is complete at any time, has the names of now, and whatever the disk does, no stream is stopped."""

import logging
import shutil
import time
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from motionscribe.errors import BadFile
from motionscribe.events import Anomaly, ClusterMerged, Label, SegmentEnded, SegmentStarted
from motionscribe.feed_clock import FeedClock
from motionscribe.sinks import StreamInfo, whole_file
from motionscribe.sinks.record import Records
from motionscribe.sinks.whole_file import save_whole

ENDED = [SegmentEnded(n, n, "", n, n + 1, n * 1000, n * 1000 + 1000) for n in range(1, 9)]


class Written:
    """A format that only counts what it is given."""

    def __init__(self) -> None:
        self.given: list[Records] = []

    def __call__(self, path: Path, records: Records) -> None:
        path.write_text(str(sum(len(record.spans) for record in records.values())))
        self.given.append(records)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second between writes."""
    monkeypatch.setattr(whole_file, "LEAST_S", 0.01)


def test_it_is_there_while_events_come(tmp_path: Path) -> None:
    path, written = tmp_path / "a", Written()
    with save_whole(str(path), written) as make:
        assert not path.exists()
        sink = make(StreamInfo("a", ""))
        wait_until(lambda: path.exists() and path.read_text() == "0")
        sink.write(ENDED[0])
        wait_until(lambda: path.read_text() == "1")
        number = len(written.given)
        sink.write(Label(1, 2, 3, 4, 5, 0.5, False))
        sink.write(Anomaly(1, True, 1, 2, 3, 4, "sensor fault", "jump", "begun", 0.1, (), (), 0))
        sink.write(ENDED[1])
        sink.close()
    assert path.read_text() == "2"
    assert len(written.given) <= number + 2


def test_nothing_is_written_where_no_stream_was_opened(tmp_path: Path) -> None:
    with save_whole(str(tmp_path / "a"), Written()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_names_and_merges_that_come_later_hold_backwards(tmp_path: Path) -> None:
    written, clock = Written(), FeedClock()
    clock.take(0, 5_000_000)
    with save_whole(str(tmp_path / "a"), written) as make:
        for n in range(3):
            sink = make(StreamInfo("b" if n == 1 else "a", "", {2: "sit"}, clock=clock if n == 1 else None))
            for event in ENDED[:3]:
                sink.write(event)
            sink.write(ClusterMerged(2, 3, 9000))
            sink.write(SegmentStarted(4, 3, "walk", 9, 9000))
    record = written.given[-1]
    assert list(record) == ["a", "b", "a, run 2"]
    for one in record.values():
        assert [(s.cluster, s.name) for s in one.spans if isinstance(s, SegmentEnded)] == [
            (1, ""),
            (3, "walk"),
            (3, "walk"),
        ]
    assert [list(one.offsets_us) for one in record.values()] == [[], [5_000_000] * 3, []]


def test_a_folder_that_goes_away_stops_no_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, written = tmp_path / "folder" / "a", Written()
    path.parent.mkdir()
    with save_whole(str(path), written) as make:
        sink = make(StreamInfo("a", ""))
        wait_until(path.exists)
        shutil.rmtree(path.parent)
        for event in ENDED[:4]:
            sink.write(event)
        wait_until(lambda: "is not written" in caplog.text)
        path.parent.mkdir()
        wait_until(lambda: path.exists() and path.read_text() == "4")
        path.unlink()  # nothing new comes, and it is made again
        wait_until(lambda: path.exists() and path.read_text() == "4")
        sink.write(ENDED[4])
    assert path.read_text() == "5"
    assert caplog.text.count("it is tried again") == 1


def test_a_file_that_cannot_be_written_is_an_error_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a"
    path.parent.mkdir()
    taken = []

    def stream(failure: Exception | None = None) -> None:
        with save_whole(str(path), Written()) as make:
            shutil.rmtree(path.parent)
            sink = make(StreamInfo("a", ""))
            for event in ENDED:
                sink.write(event)
                taken.append(event)
            if failure:
                raise failure

    with pytest.raises(FileNotFoundError):
        stream()
    assert taken == ENDED
    path.parent.mkdir()
    with pytest.raises(ZeroDivisionError):
        stream(ZeroDivisionError())


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("kept")
    with pytest.raises(BadFile, match="expected a new file, got"), save_whole(str(tmp_path / "a"), Written()):
        pass
    with pytest.raises(FileNotFoundError), save_whole(str(tmp_path / "absent" / "a"), Written()):
        pass
    assert (tmp_path / "a").read_text() == "kept"
    (tmp_path / "b").symlink_to("/dev/full")
    with pytest.raises(BadFile, match="is no regular file"), save_whole(str(tmp_path / "b"), Written()):
        pass


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(whole_file, "MOST_SPANS", 5)
    with save_whole(str(tmp_path / "a"), Written()) as make:
        for stream_id in ("a", "b"):
            sink = make(StreamInfo(stream_id, ""))
            for event in ENDED[:4]:
                sink.write(event)
    assert (tmp_path / "a").read_text() == "5"
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "is full: it has 5 segments" in caplog.text


def test_writes_that_take_long_are_rare(tmp_path: Path) -> None:
    began: list[float] = []

    def slow(path: Path, records: Records) -> None:
        began.append(time.monotonic())
        time.sleep(0.02)

    with save_whole(str(tmp_path / "a"), slow) as make:
        sink = make(StreamInfo("a", ""))
        wait_until(lambda: len(began) == 1)
        sink.write(ENDED[0])
        wait_until(lambda: len(began) == 2)
    assert began[1] - began[0] >= 20 * 0.02
