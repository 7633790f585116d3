"""`--save` loses nothing: not what was there, not what came before a kill, not the recording itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from tests.client.test_cli import recording, run, started
from tests.support.numbered_frames import labels
from tests.support.scripted_server import Act, ScriptedServer

from motionscribe.sinks import read_events

__all__ = ["recording"]

KEPT = '{"stream": "m1", "event": "ClusterCreated", "cluster": 1, "time_us": 5}\n'


def stream(recording: Path, server: ScriptedServer, saved: Path) -> int:
    arguments = ["--rate", 100, "--address", server.address, "--stream-id", "m1", "--json", "--save", saved]
    return run("stream", recording, *arguments)


def test_a_second_run_goes_on_in_the_same_file_and_is_told_apart(recording: Path, tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"
    with ScriptedServer() as server:
        assert [stream(recording, server, saved) for _ in range(3)] == [0, 0, 0]
        assert run("watch", "live", "--address", server.address, "--json", "--save", saved) == 0
    events = read_events(saved)
    watched = events.pop("live")
    assert [type(event).__name__ for event in watched] == ["SegmentStarted", "SegmentEnded"]
    assert events == {"m1": labels(50), "m1, run 2": labels(50), "m1, run 3": labels(50)}


def test_a_run_that_fails_leaves_every_byte_and_makes_no_file(recording: Path, tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"
    with ScriptedServer() as server:
        away = server.address
    for kept in (None, KEPT, ""):
        if kept is not None:
            saved.write_text(kept)
        assert run("stream", recording, "--rate", 100, "--address", away, "--save", saved) == 1
        assert run("stream", tmp_path / "absent.csv", "--address", away, "--save", saved) == 1
        with ScriptedServer(Act(status=grpc.StatusCode.FAILED_PRECONDITION)) as server:
            assert run("stream", recording, "--rate", 100, "--address", server.address, "--save", saved) == 1
        assert (saved.read_text() if saved.exists() else None) == kept


@pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
def test_the_recording_itself_is_no_place_for_events(
    recording: Path, tmp_path: Path, link: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, kept = recording, recording.read_bytes()
    if link == "symbolic":
        saved = tmp_path / "events.jsonl"
        saved.symlink_to(recording)
    if link == "hard":
        saved = tmp_path / "events.jsonl"
        os.link(recording, saved)
    with ScriptedServer() as server:
        assert stream(recording, server, saved) == 1
        assert server.opens == []
    assert "expected another file for --save than" in capsys.readouterr().err
    assert recording.read_bytes() == kept


@pytest.mark.parametrize(
    "content", [b"HIERARCHY\n", b'{"kept": "yesterday"}\n', b'{"stream": "g", "mine": 1}\n', b"\xff\xfe{\0", b"\n\n"]
)
def test_a_file_of_something_else_is_refused(
    recording: Path, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "notes"
    saved.write_bytes(content)
    with ScriptedServer() as server:
        assert stream(recording, server, saved) == 1
    assert "notes: expected a new file, or one of events to go on with" in capsys.readouterr().err
    assert saved.read_bytes() == content


def test_a_folder_that_is_not_there_is_an_error_before_anything_is_sent(recording: Path, tmp_path: Path) -> None:
    with ScriptedServer() as server:
        assert stream(recording, server, tmp_path / "absent" / "events.jsonl") == 1
        assert server.opens == []


def test_a_pipe_takes_events(recording: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ScriptedServer() as server, subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        assert stream(recording, server, pipe) == 0
        lines, _ = reader.communicate(timeout=30)
    assert lines.count("\n") == 50


def test_a_killed_run_leaves_what_came_and_the_next_one_goes_on(recording: Path, tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"
    # one frame a second: it will not end by itself
    with ScriptedServer() as server:
        options = ["--rate", "1", "--realtime", "--address", server.address, "--stream-id", "m1", "--save", str(saved)]
        with started(recording, *options) as process:
            assert process.stdout
            process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        (came,) = read_events(saved).values()
        assert came[0] == labels(1)[0]
        with saved.open("a") as file:  # a kill, or a full disk, in the middle of a line
            file.write('{"stream": "m1", "event": "Lab')
        assert stream(recording, server, saved) == 0
    told: list[str] = []
    assert read_events(saved, told.append) == {"m1": came, "m1, run 2": labels(50)}
    assert [f"line {len(came) + 1}: expected JSON" in text for text in told] == [True]


def test_recordings_of_one_command_go_into_one_file(recording: Path, tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"
    saved.write_text(KEPT)
    with ScriptedServer() as server:
        command = [sys.executable, "-m", "motionscribe", "stream", *[str(recording)] * 2, "--rate", "100", "--json"]
        subprocess.run([*command, "--address", server.address, "--save", str(saved)], check=True, capture_output=True)
    events = read_events(saved)
    assert saved.read_text().startswith(KEPT)
    assert [len(run) for run in events.values()] == [1, 50, 50]
