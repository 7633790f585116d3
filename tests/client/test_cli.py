"""The command line: what it prints, what it writes, and its exit codes."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import grpc
import pytest
from tests.client.commands.test_report import STORY, save
from tests.support.numbered_frames import labels
from tests.support.scripted_server import COLUMNS, Act, ScriptedServer

from motionscribe import cli
from motionscribe.sinks import read_events
from motionscribe_proto import segmentation_pb2 as pb


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """50 frames of what the scripted server understands."""
    path = tmp_path / "machine.csv"
    path.write_text(",".join(COLUMNS) + "\n" + "\n".join(f"{n % 5},0.5" for n in range(50)))
    return path


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def outcome(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    code = run(*arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_stream_prints_json_lines(recording: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"
    with ScriptedServer() as server:
        arguments = ["--address", server.address, "--rate", 100, "--json", "--stream-id", "m1", "--save", saved]
        code, out, err = outcome(capsys, "stream", recording, *arguments)
    assert (code, err) == (0, "")
    assert out == saved.read_text()
    assert read_events(saved) == {"m1": labels(50)}
    assert json.loads(out.splitlines()[0])["event"] == "Label"


def test_stream_says_what_the_reader_of_a_file_decided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "machine.csv"
    rows = (f"{1_764_350_000_000 + 33 * n};{n % 5};0,5;on" for n in range(50))
    path.write_text("\n".join([";".join(["timestamp", *COLUMNS, "state"]), *rows]), encoding="utf-16")
    with ScriptedServer() as server:
        code, _, err = outcome(capsys, "stream", path, "--address", server.address, "--json")
    assert code == 0
    assert err.splitlines() == [
        f"{path}: timestamp read as milliseconds since 1970",
        f"{path}: columns left out: state (labels)",
    ]


def test_a_file_that_is_not_there_leaves_what_was_saved_before(tmp_path: Path) -> None:
    saved = tmp_path / "old.jsonl"
    saved.write_text("kept")
    assert run("stream", tmp_path / "absent.amc", "--save", saved) == 1
    assert saved.read_text() == "kept"


def test_stream_shows_a_table_and_paces(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        arguments = ["--address", server.address, "--rate", 100, "--speed", 1000, "--lag", "fast"]
        code, out, _ = outcome(capsys, "stream", recording, recording, *arguments)
    assert code == 0
    assert out.count("on echo/2, final after 0.5 s") == 2
    assert [opening.lag for opening in server.opens] == [1, 1]
    assert server.blocks == [10] * 10


def test_stream_asks_for_false_alarms_and_scores(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        at = ["--address", server.address, "--rate", 100, "--json"]
        assert outcome(capsys, "stream", recording, *at)[0] == 0
        asked = ["--false-alarms-per-hour", "sensor=0.5,motion=6", "--anomaly-scores"]
        assert outcome(capsys, "stream", recording, *at, *asked)[0] == 0
    plain, first = server.opens
    assert not plain.HasField("false_alarms_per_hour")
    assert not plain.anomaly_scores
    assert first.false_alarms_per_hour == pb.FalseAlarms(sensor=0.5, motion=6)
    assert first.anomaly_scores


def test_a_watcher_sees_segments(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"
    with ScriptedServer() as server:
        code, out, _ = outcome(capsys, "watch", "live", "--address", server.address, "--save", saved)
        assert code == 0
        assert "walk" in out
        assert [type(event).__name__ for event in read_events(saved)["live"]] == ["SegmentStarted", "SegmentEnded"]
        code, out, err = outcome(capsys, "watch", "dead", "--address", server.address, "--json")
        assert (code, out, err) == (1, "", "motionscribe: expected the stream 'live', got 'dead'\n")


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        at = ["--address", server.address]
        _, out, _ = outcome(capsys, "models", *at)
        assert all(text in out for text in ("echo/2", "2 columns", "100 Hz", "0.50 s", "0.1 / 0.5 s", "fp32 on CPU"))
        _, out, _ = outcome(capsys, "models", "echo", *at)
        assert all(text in out for text in ("answers what it is told", "accuracy", "0.500", "cluster, noise"))
        _, out, _ = outcome(capsys, "models", "--json", *at)
        assert json.loads(out)["columns"] == list(COLUMNS)
        code, _, err = outcome(capsys, "models", "dance", *at)
        assert (code, err) == (1, "motionscribe: expected the model 'echo', got 'dance'\n")


def test_clusters(capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        at = ["--address", server.address]
        _, out, _ = outcome(capsys, "clusters", "list", "m1", *at)
        assert [word in out for word in ("walk", "run", "1.5")] == [True, False, True]
        _, out, _ = outcome(capsys, "clusters", "rename", "m1", 2, "run", *at)
        assert "run" in out
        _, out, _ = outcome(capsys, "clusters", "list", "m1", "--json", *at)
        clusters = [json.loads(line) for line in out.splitlines()]
        assert [(cluster["id"], cluster["name"]) for cluster in clusters] == [(1, "walk"), (2, "run")]
        assert run("clusters", "merge", "m1", 1, "--into", 2, *at) == 0
        assert server.names == {2: "run"}
        capsys.readouterr()
        assert outcome(capsys, "clusters", "forget", "m1", *at) == (0, "", "")
        assert server.names == {}


def test_clusters_of_the_model_that_were_never_seen_are_listed_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    class Warm(ScriptedServer):
        def ListClusters(  # noqa: N802
            self, request: pb.ListClustersRequest, context: grpc.ServicerContext
        ) -> pb.ListClustersResponse:
            clusters = [pb.Cluster(id=id, warm=True) for id in range(1, 32)]
            clusters[4].segments = clusters[5].last_seen_us = clusters[6].merged_into = 1
            clusters[7].name = "named"
            return pb.ListClustersResponse(clusters=[*clusters, pb.Cluster(id=40, created_us=1)])

    def listed(*options: str) -> tuple[list[int], str]:
        _, out, _ = outcome(capsys, "clusters", "list", "m1", "--address", server.address, *options)
        lines = out.splitlines()
        if "--json" in options:
            return [json.loads(line)["id"] for line in lines], ""
        cells = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
        return [int(cell) for cell in cells if cell], lines[-1]

    with Warm() as server:
        seen, last = listed()
        assert (seen, last) == ([5, 6, 7, 8, 40], "27 more came with the model and have not been seen: --all")
        assert listed("--json")[0] == seen
        everything = [*range(1, 32), 40]
        assert listed("--all") == (everything, listed("--all")[1])
        assert "--all" not in listed("--all")[1]
        assert listed("--all", "--json")[0] == everything


def test_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    events = save(tmp_path / "events.jsonl", {"m1": STORY})
    picture, table = tmp_path / "ethogram.png", tmp_path / "segments.csv"
    code, out, _ = outcome(capsys, "report", events, "--picture", picture, "--csv", table)
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    assert rows == [["walk", "2", "3.0", "1.5", "75%"], ["wave", "1", "1.0", "1.0", "25%"]]
    assert "anomalies: 1 x sensor fault 0.3 s\nnot seen: " in out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(table.read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["stream", "absent.amc"], "absent.amc: expected a file, found none"),
        (["stream", "foreign.xyz"], "expected a file ending in"),
        (["report", "absent.jsonl"], "No such file"),
        (["simulate", "lsl", "absent.amc"], "absent.amc: expected a file, found none"),
        (["models", "--ca", "absent.pem"], "No such file"),
        (["models", "--cert", "camera.pem"], "expected --cert and --key, got one of them"),
    ],
)
def test_errors_are_one_clear_line(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        at = ["--address", server.address] if arguments[0] in ("stream", "models") else []
        code, out, err = outcome(capsys, *arguments, *at)
    assert (code, out) == (1, "")
    assert err.startswith("motionscribe: ")
    assert text in err
    assert err.count("\n") == 1


def test_no_server_is_one_clear_line(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        address = server.address
    code, _, err = outcome(capsys, "stream", recording, "--rate", 100, "--address", address)
    assert code == 1
    assert err.startswith(f"motionscribe: no connection to {address}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["stream"],
        ["stream", "a", "--speed", "0"],
        ["stream", "a", "--speed", "nan"],
        ["stream", "a", "--speed", "2", "--realtime"],
        ["stream", "a", "b", "--stream-id", "x"],
        ["stream", "a", "--lag", "slow"],
        ["stream", "a", "--false-alarms-per-hour", "seldom"],
        ["clusters", "merge", "m1", "1"],
        ["clusters", "rename", "m1", "one", "name"],
        ["clusters", "rename", "m1", "4294967296", "name"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    assert "usage: motionscribe" in capsys.readouterr().err


def started(recording: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The command as a process, for what only a process has: pipes and signals."""
    command = [sys.executable, "-m", "motionscribe", "stream", str(recording), "--json", *arguments]
    # a test run in the background of a shell ignores interrupts, and its children would too
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed)


def test_an_interrupt_is_130_and_keeps_what_came(recording: Path, tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"
    # one frame a second: it will not end by itself
    with (
        ScriptedServer() as server,
        started(recording, "--rate", "1", "--realtime", "--address", server.address, "--save", str(saved)) as process,
    ):
        assert process.stdout
        assert json.loads(process.stdout.readline())["start_seq"] == 1
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    (events,) = read_events(saved).values()
    assert events[0] == labels(1)[0]


def test_a_reader_that_has_enough_ends_it_quietly(recording: Path) -> None:
    lines = "\n".join(f"{n % 5},0.5" for n in range(5000))  # 700 kB of events, more than a pipe holds
    recording.write_text(",".join(COLUMNS) + "\n" + lines)
    with ScriptedServer() as server, started(recording, "--rate", "100", "--address", server.address) as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["event"] == "Label"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 1


def test_a_refusal_midway_keeps_what_was_saved(
    recording: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved = tmp_path / "events.jsonl"
    with ScriptedServer(Act(after_frames=20, status=grpc.StatusCode.INVALID_ARGUMENT)) as server:
        arguments = ["--rate", 100, "--address", server.address, "--save", saved, "--stream-id", "m1"]
        code, _, err = outcome(capsys, "stream", recording, *arguments)
    assert (code, err) == (1, "motionscribe: dropped on purpose\n")
    assert read_events(saved) == {"m1": labels(20)}


@pytest.mark.parametrize(("missing", "code"), [([], 0), (["an anomaly in the fall, got none"], 1)])
def test_demo_runs_as_it_is_asked_and_says_what_is_missing(
    missing: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("motionscribe.demo.demonstration")
    asked: list[object] = []

    def demonstrate(*places: Path, **options: object) -> list[str]:
        asked.extend([*places, options])
        return missing

    monkeypatch.setattr("motionscribe.demo.demonstration.demonstrate", demonstrate)
    picture = tmp_path / "a.svg"
    arguments = ["--seed", 3, "--realtime", "--lag", "fast", "--models", tmp_path, "--picture", picture]
    assert outcome(capsys, "demo", *arguments)[::2] == (
        code,
        "".join(f"motionscribe demo: expected {text}\n" for text in missing),
    )
    assert asked == [tmp_path, picture, {"seed": 3, "lag": "fast", "speed": 1.0}]


def test_demo_finds_the_shipped_models() -> None:
    args = cli.build_parser().parse_args(["demo"])
    assert {"body", "cmu-expmap"} <= {folder.name for folder in args.models.iterdir()}
