"""Outputs of a feed: what an earlier run wrote stays, a slow one delays no other, and what is lost is known."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from motionscribe.events import SegmentEnded
from motionscribe.feeds import outputs
from motionscribe.feeds.outputs import Outputs
from motionscribe.sinks import MakeSink, StreamInfo, addresses

HERE = "tests.client.feeds.test_outputs"
ENDED = SegmentEnded(1, 1, "walk", 1, 241, 0, 2_000_000)
INFO = StreamInfo("a", "")


@contextmanager
def hanging(address: str) -> Iterator[MakeSink]:
    """Does not close before the process ends."""
    yield lambda info: (_ for _ in ()).throw(AssertionError)
    threading.Event().wait()


def test_a_whole_file_of_an_earlier_run_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "C1.boris"
    for run in range(3):
        made = Outputs("C1", [str(place)])
        for _ in range(2):  # one that begins anew goes on with its file
            [make] = made.open()
            make(INFO).write(ENDED)
            made.reopen()
        made.close()
        assert not made.lost
        if run == 0:
            first = place.read_bytes()
    assert place.read_bytes() == first
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert all(file.suffix == ".boris" and file.stat().st_size >= len(first) for file in files)
    assert caplog.text.count("C1.boris exists and stays: events go to ") == 2


def test_a_receiver_that_hangs_delays_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hangs = addresses.Place("hangs", "X", "", f"{HERE}:hanging")
    monkeypatch.setattr(addresses, "PLACES", (hangs, *addresses.PLACES))
    monkeypatch.setattr(outputs, "CLOSING_S", 0.5)
    made = Outputs("C1", ["hangs:secret", str(tmp_path / "a.eaf"), "hangs:x", str(tmp_path / "a.csv")])
    _, eaf, _, csv = made.open()
    for make in (eaf, csv):
        make(INFO).write(ENDED)
    made.close()
    assert "walk" in (tmp_path / "a.eaf").read_text()
    assert "walk" in (tmp_path / "a.csv").read_text()
    assert made.lost
    assert caplog.text.count("an output hangs:X was not closed within 0.5 s") == 2
    assert "secret" not in caplog.text


def test_what_was_not_written_is_known(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.csv").symlink_to("/dev/full")
    made = Outputs("C1", [str(tmp_path / "a.csv")])
    made.open()[0](INFO).write(ENDED)
    made.close()
    assert made.lost
    assert "when it closed its outputs: [Errno 28] No space left" in caplog.text


def test_what_is_opened_too_late_is_closed(tmp_path: Path) -> None:
    made = Outputs("C1", [str(tmp_path / "a.eaf")])
    made.close()
    with pytest.raises(RuntimeError, match="closed"):
        made.open()
