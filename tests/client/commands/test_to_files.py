"""Files of `stream --to` and `report --to`: complete after any kill, refused where something would be lost."""

import csv
import json
import shutil
import signal
import time
from pathlib import Path

import h5py
import pytest
from pyarrow import parquet
from pympi import Eaf
from tests.client.commands.test_annotations import states_of
from tests.client.commands.test_report import STORY, save
from tests.client.test_cli import recording, run, started
from tests.support.scripted_server import COLUMNS, ScriptedServer, ServerSession
from tests.support.waiting import wait_until

from motionscribe.events import Anomaly, Label, SegmentEnded
from motionscribe.sinks import read_events
from motionscribe_proto import segmentation_pb2 as pb

__all__ = ["recording"]

ENDINGS = (".csv", ".jsonl", ".parquet", ".eaf", ".boris", ".nwb", ".nc")


class Segmenting(ScriptedServer):
    """Says a segment and an alarm of each frame."""

    removes: Path | None = None
    """A folder that goes away when frames come."""

    def _receive(self, session: ServerSession, message: pb.Frames) -> int:
        if self.removes:
            shutil.rmtree(self.removes, ignore_errors=True)
        number = super()._receive(session, message)
        labels = [event for event in session.events[-number:] if isinstance(event, Label)]
        for label in labels:
            n, start_us = label.start_seq, label.start_us
            span = n, n + 1, start_us, start_us + 100_000
            session.events.append(SegmentEnded(n, label.cluster + 1, f"motion {label.cluster}", *span))
            alarm = Anomaly(n, False, *span, "sensor fault", "jump", "ended", 0.1, ("hand",), (3.0,), 0)
            session.events.append(alarm)
        return number


def long(tmp_path: Path) -> Path:
    """A recording that will not end by itself within a test."""
    path = tmp_path / "long.csv"
    path.write_text(",".join(COLUMNS) + "\n" + "\n".join(f"{n % 5},0.5" for n in range(2000)))
    return path


def segments_in(folder: Path) -> dict[str, int]:
    """Whole segments of stream m1 in each file, by readers that others wrote."""
    found = {}
    with (folder / "a.csv").open(newline="") as file:
        found[".csv"] = sum(row["stream"] == "m1" for row in csv.DictReader(file))
    if (folder / "a.jsonl").exists():
        events = read_events(folder / "a.jsonl")["m1"]
        found[".jsonl"] = sum(isinstance(event, SegmentEnded) for event in events)
    found[".parquet"] = parquet.read_table(folder / "a.parquet").column("event").to_pylist().count("segment")
    found[".eaf"] = len(Eaf(str(folder / "a.eaf")).get_annotation_data_for_tier("m1: labels"))
    observation = json.loads((folder / "a.boris").read_text())["observations"]["m1"]
    found[".boris"] = sum(not code.startswith("alarm") for code, _, _ in states_of(observation))
    if (folder / "a.nwb").exists():
        with h5py.File(folder / "a.nwb") as file:
            found[".nwb"] = len(file["processing/behavior/bouts_m1/label"])
    with h5py.File(folder / "a.nc") as file:
        found[".nc"] = len(file["time"])
    return found


def places(folder: Path, *endings: str) -> list[str]:
    return [word for ending in endings for word in ("--to", str(folder / f"a{ending}"))]


def test_a_killed_run_leaves_complete_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with Segmenting() as server:
        options = ["--rate", "10", "--realtime", "--address", server.address, "--stream-id", "m1"]
        with started(long(tmp_path), *options, *places(out, *ENDINGS)) as process:

            def rows() -> int:
                return (out / "a.csv").exists() and (out / "a.csv").read_text().count("\n")

            wait_until(lambda: rows() > 3)
            then, now_ns = rows() - 1, time.time_ns()
            files = [out / f"a{ending}" for ending in ENDINGS]
            wait_until(lambda: all(file.exists() and file.stat().st_mtime_ns > now_ns for file in files))
            process.send_signal(signal.SIGKILL)
    found = segments_in(out)
    assert tuple(found) == ENDINGS
    assert then >= 3
    assert {ending: number for ending, number in found.items() if number < then} == {}
    assert max(found.values()) < 2000, "it was killed amid the stream"


def test_sigterm_closes_them_well(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with Segmenting() as server:
        options = ["--rate", "10", "--realtime", "--address", server.address, "--stream-id", "m1"]
        with started(long(tmp_path), *options, *places(out, ".csv", ".parquet", ".eaf", ".boris", ".nc")) as process:
            wait_until(lambda: (out / "a.csv").exists() and (out / "a.csv").read_text().count("\n") > 3)
            process.terminate()
            _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    (number,) = set(segments_in(out).values())
    assert number >= 3
    assert sorted(path.suffix for path in out.iterdir()) == [".boris", ".csv", ".eaf", ".nc", ".parquet"]


def test_a_disk_that_goes_away_stops_no_stream(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, kept = tmp_path / "out", tmp_path / "kept.csv"
    out.mkdir()
    with Segmenting() as server:
        server.removes = out
        options = ["--rate", 100, "--address", server.address, "--stream-id", "m1", "--no-provisional"]
        assert run("stream", recording, *options, *places(out, ".eaf"), "--to", kept) == 1
    assert kept.read_text().count("\n") == 51
    assert "No such file or directory" in capsys.readouterr().err


def test_what_would_be_lost_is_refused_before_anything_is_sent(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.eaf").write_text("kept")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "new.jsonl")
    refused = [
        (["--to", tmp_path / "old.eaf"], "expected a new file, got"),
        (["--to", tmp_path / "b.nc", "--to", tmp_path / "b.nc"], "expected a file of its own for each output"),
        (["--to", tmp_path / "link.jsonl", "--to", tmp_path / "new.jsonl"], "expected a file of its own for each"),
        (["--to", recording], "expected another file for --to than"),
        (["--to", tmp_path / "absent" / "b.boris"], "expected a folder for"),
        (["--to", tmp_path / "b.xyz"], "expected one of"),
    ]
    with Segmenting() as server:
        for options, said in refused:
            assert run("stream", recording, "--rate", 100, "--address", server.address, *options) == 1
            assert said in capsys.readouterr().err
        assert server.opens == []
    assert (tmp_path / "old.eaf").read_text() == "kept"
    assert not list(tmp_path.glob("b.*"))


def test_report_writes_the_same_files_with_later_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = save(tmp_path / "events.jsonl", {"m1": STORY})
    (tmp_path / "names").write_text("1 = stroll\n")
    command = ["report", events, "--names", tmp_path / "names", *places(tmp_path, ".csv", ".parquet", ".eaf", ".nc")]
    command += ["--to", tmp_path / "b.jsonl", *places(tmp_path, ".boris")]
    assert run(*command) == 0
    found = segments_in(tmp_path)
    assert (found[".csv"], found[".parquet"], found[".eaf"], found[".boris"], found[".nc"]) == (3, 3, 3, 3, 40)
    labels = Eaf(str(tmp_path / "a.eaf")).get_annotation_data_for_tier("m1: labels")
    assert [label[2] for label in labels] == ["stroll", "wave", "stroll"]
    table = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["event"] for row in table] == ["segment", "alarm", "segment", "gap", "segment"]
    assert [type(event).__name__ for event in read_events(tmp_path / "b.jsonl")["m1"]] == [
        *("SegmentEnded", "Anomaly", "SegmentEnded", "Gap", "SegmentEnded")
    ]
    assert run(*command) == 1
    assert "expected a new file for --to" in capsys.readouterr().err
    assert run(*command, "--replace") == 0
    assert segments_in(tmp_path) == found
    assert run("report", events, "--to", events, "--replace") == 1
    assert run("report", events, "--to", tmp_path / "c.eaf", "--elan", tmp_path / "c.eaf") == 1
