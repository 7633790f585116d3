"""A feed, a file format and a sink come in by one file and one line; nothing else has to know of them."""

from pathlib import Path

import grpc
import pytest
from tests.client.sources.test_sources import collect, joined
from tests.support.numbered_frames import labels
from tests.support.scripted_server import COLUMNS, Act, ScriptedServer
from tests.throwaway import feed, file_format, sink

from motionscribe import cli
from motionscribe.errors import BadFile
from motionscribe.sinks import addresses, read_events
from motionscribe.sources import open_source, schemes
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import endings, read_recording, reading
from motionscribe_training.data.actions import find_clips
from motionscribe_training.data.dataset import find_recordings


def words_of_help(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    return " ".join(capsys.readouterr().out.split())


def test_a_feed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="unknown scheme count:"):
        open_source("count:7")
    monkeypatch.setattr(schemes, "SCHEMES", (*schemes.SCHEMES, feed.LINE))
    assert joined(collect(open_source("count:7"), 3))[0][:, 0].tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert "count:N: N made-up frames (needs the extra counting)" in words_of_help("stream", capsys)
    with pytest.raises(RecordingError, match=r"expected FILE or lsl:NAME or .*count:N, got the unknown scheme kount:"):
        open_source("kount:7")
    saved = tmp_path / "events.jsonl"
    with ScriptedServer() as server:
        # a live feed has its own pace: a hundredth of it would take a minute
        arguments = ["--address", server.address, "--speed", "0.01", "--save", str(saved), "--stream-id", "m1"]
        assert cli.main(["stream", "count:50", *arguments]) == 0
    assert read_events(saved) == {"m1": labels(50)}
    assert "m1: count:50 on echo/2" in capsys.readouterr().out


def test_a_file_format(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "walk_1.steps"
    path.write_text("1\n2\n4\n")
    known = endings()
    with pytest.raises(RecordingError, match=r"expected a file ending in .*got \.steps"):
        read_recording(path)
    monkeypatch.setattr(reading, "READERS", (*reading.READERS, file_format.LINE))
    assert read_recording(path).frames.ravel().tolist() == [1, 2, 4]
    assert read_recording(path, 20.0).timestamps_us.tolist() == [0, 50_000, 100_000]
    assert joined(collect(open_source(str(path)), 3))[0].ravel().tolist() == [1, 2, 4]
    assert endings() == tuple(sorted((*known, ".steps")))
    assert find_recordings([tmp_path]) == [path]
    assert find_clips(tmp_path) == {"walk": [path]}
    for command in ("stream", "simulate"):
        assert " ".join(endings()) in words_of_help(command, capsys)


def test_a_sink(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recording, counts, saved = tmp_path / "machine.csv", tmp_path / "counts", tmp_path / "events.jsonl"
    recording.write_text(",".join(COLUMNS) + "\n" + "\n".join(f"{n % 5},0.5" for n in range(50)))
    with pytest.raises(BadFile, match=r"expected one of FILE\.jsonl, .*osc:HOST:PORT"):
        addresses.parse_place("count:FILE")
    monkeypatch.setattr(addresses, "PLACES", (*addresses.PLACES, sink.LINE))
    stream = ["stream", str(recording), "--rate", "100", "--stream-id"]
    assert "count:FILE: counts of events (needs the extra counting)" in words_of_help("watch", capsys)
    with ScriptedServer() as server:
        at = ["--address", server.address, "--to", f"count:{counts}"]
        assert cli.main([*stream, "m1", *at, "--save", str(saved), "--json"]) == 0
        assert cli.main(["watch", "live", *at]) == 0
    assert counts.read_text() == "m1 {'Label': 50}\nlive {'SegmentStarted': 1, 'SegmentEnded': 1}\n"
    assert read_events(saved) == {"m1": labels(50)}
    # a stream that breaks off is closed as well
    with ScriptedServer(Act(after_frames=20, status=grpc.StatusCode.INVALID_ARGUMENT)) as server:
        assert cli.main([*stream, "m2", "--address", server.address, "--to", f"count:{counts}"]) == 1
    assert counts.read_text().endswith("\nm2 {'Label': 20}\n")
