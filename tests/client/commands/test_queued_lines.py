"""Standard output of many streams: all lines arrive where somebody reads, and nobody who does not stops a stream."""

import os
import threading
import time
from collections.abc import Iterator

import pytest
from tests.support.waiting import wait_until

from motionscribe.commands import queued_lines
from motionscribe.commands.queued_lines import QueuedLines
from motionscribe.events import Label
from motionscribe.sinks import StreamInfo


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    os.close(ends[1])


def labels(output: QueuedLines, count: int, stream_id: str = "a") -> None:
    sink = output.open(StreamInfo(stream_id, ""))
    for number in range(count):
        sink.write(Label(number, number + 1, 0, 10, 1, 0.5, True))


def test_all_lines_arrive_whole(pipe: tuple[int, int]) -> None:
    output, read = QueuedLines(lambda: None, pipe[1]), bytearray()

    def gather() -> None:
        while read.count(b"\n") < 2000:
            read.extend(os.read(pipe[0], 1 << 16))

    reader = threading.Thread(target=gather, daemon=True)
    reader.start()
    streams = [threading.Thread(target=labels, args=(output, 1000, name)) for name in "ab"]
    for stream in streams:
        stream.start()
    for stream in streams:
        stream.join()
    output.end()
    reader.join(20)
    assert all(line.startswith(b'{"stream": ') and line.endswith(b"}") for line in read.splitlines())
    assert (len(read.splitlines()), output.lost) == (2000, 0)
    os.close(pipe[0])


def test_a_reader_that_is_stuck_stops_no_stream(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(queued_lines, "MOST_LINES", 100)
    monkeypatch.setattr(queued_lines, "PATIENCE_S", 0.1)
    output = QueuedLines(lambda: None, pipe[1])
    began_s = time.monotonic()
    labels(output, 2000)
    assert time.monotonic() - began_s < 5
    output.end()
    assert output.lost > 100
    assert caplog.text.count("standard output is not read") == 1
    os.close(pipe[0])


def test_a_reader_who_has_enough_is_told_of(pipe: tuple[int, int]) -> None:
    gone = threading.Event()
    output = QueuedLines(gone.set, pipe[1])
    os.close(pipe[0])
    labels(output, 10)
    wait_until(gone.is_set)
    output.end()
    assert output.is_gone
    assert output.lost == 0
