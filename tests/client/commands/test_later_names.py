"""Names that came after the stream reach its report: from a server, from a file; and what a report replaces."""

import csv
import os
from pathlib import Path

import pytest
from tests.client.commands.test_report import STORY, save
from tests.client.test_cli import outcome, run
from tests.support.scripted_server import ScriptedServer

from motionscribe.commands.later_names import LaterNames, read_names
from motionscribe.errors import BadFile
from motionscribe.events import ClusterMerged, ClusterNamed, ClusterSplit, Event, SegmentEnded, SegmentStarted


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Clusters 1, named walk on the way, and 2, wave; two runs."""
    path = save(tmp_path / "events.jsonl", {"m1": STORY})
    path.write_text(path.read_text() + '{"stream": "m1", "run": "2026-01-01T00:00:00+00:00"}\n' + path.read_text())
    return path


def names_in(table: Path) -> list[tuple[str, str, str]]:
    with table.open(newline="") as file:
        return [(row["stream"], row["cluster"], row["name"]) for row in csv.DictReader(file)]


def test_the_newest_name_of_the_events_counts_for_all_of_them(events: Path, tmp_path: Path) -> None:
    table = tmp_path / "segments.csv"
    assert run("report", events, "--csv", table) == 0
    one_run = [("1", "walk"), ("2", "wave"), ("1", "walk")]
    assert names_in(table) == [(stream, *row) for stream in ("m1", "m1, run 2") for row in one_run]


def test_a_server_tells_names_of_now(events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "segments.csv"
    with ScriptedServer() as server:
        server.names = {1: "stroll", 2: ""}
        code, out, err = outcome(capsys, "report", events, "--address", server.address, "--csv", table)
    assert (code, err) == (0, "")
    assert ("stroll" in out, "walk" in out, "wave" in out, "cluster 2" in out) == (True, False, False, True)
    assert names_in(table)[:3] == [("m1", "1", "stroll"), ("m1", "2", ""), ("m1", "1", "stroll")]


def test_joints_out_of_sight_are_summed_up(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in outcome(capsys, "report", events)[1].splitlines() if "not seen" in line]
    assert lines == ["not seen: left_wrist 0.2 s, left_elbow 0.2 s"] * 2


def test_a_server_that_is_away_is_an_error(events: Path) -> None:
    with ScriptedServer() as server:
        away = server.address
    assert run("report", events, "--address", away) == 1


def test_a_file_of_names(events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names, table = tmp_path / "names", tmp_path / "segments.csv"
    names.write_text("1 = long = walk \n\n7=never seen\n", "utf-16")
    assert run("report", events, "--names", names, "--csv", table) == 0
    assert names_in(table)[:3] == [("m1", "1", "long = walk"), ("m1", "2", "wave"), ("m1", "1", "long = walk")]
    with ScriptedServer() as server:
        server.names = {1: "a", 2: "b"}
        capsys.readouterr()
        names.write_text(outcome(capsys, "clusters", "list", "m1", "--json", "--address", server.address)[1])
    assert run("report", events, "--names", names, "--csv", table, "--replace") == 0
    assert names_in(table)[:2] == [("m1", "1", "a"), ("m1", "2", "b")]


@pytest.mark.parametrize(
    "line", ["walk", "one = walk", '{"id": 1}', '{"id": "1", "name": "x", "merged_into": null}', "{"]
)
def test_a_line_that_names_nothing_is_an_error(tmp_path: Path, line: str) -> None:
    path = tmp_path / "names"
    path.write_text(f"1 = walk\n{line}\n")
    with pytest.raises(BadFile, match="line 2: expected 3 = NAME or a line of clusters list --json, got"):
        read_names(path)


def test_clusters_that_were_merged_later_are_one() -> None:
    later = LaterNames({1: "walk", 4: "stroll"}, {1: 3, 3: 4, 5: 6, 6: 5})
    segments = [SegmentEnded(n, n, "", 1, 2, 0, 1) for n in (1, 2, 4, 5)]
    (one, two, four, five) = later.apply(segments)
    assert isinstance(one, SegmentEnded)
    assert isinstance(five, SegmentEnded)
    assert (one.cluster, one.name, two, four) == (4, "stroll", segments[1], SegmentEnded(4, 4, "stroll", 1, 2, 0, 1))
    assert five.cluster in (5, 6)  # a circle, which no server makes


def test_a_merge_that_was_undone_later_is_none() -> None:
    told: list[Event] = [SegmentEnded(1, 5, "", 1, 31, 0, 1_000_000), ClusterMerged(5, 4, 1_000_000)]
    (ended,) = (event for event in LaterNames().apply(told) if isinstance(event, SegmentEnded))
    assert ended.cluster == 4
    for later, events in ((LaterNames({}, {5: None}), told), (LaterNames(), [*told, ClusterSplit(5, 4, 2_000_000)])):
        (ended,) = (event for event in later.apply(events) if isinstance(event, SegmentEnded))
        assert ended.cluster == 5


def test_the_events_themselves_tell_of_names_and_merges() -> None:
    """Of a segment that had not ended, and of clusters that became one while the stream played."""
    events: list[Event] = [
        SegmentEnded(1, 1, "", 1, 2, 0, 1),
        ClusterMerged(1, 2, 1),
        SegmentStarted(2, 2, "walk", 2, 1),
    ]
    assert LaterNames().apply(events)[0] == SegmentEnded(1, 2, "walk", 1, 2, 0, 1)
    assert LaterNames().apply([*events, ClusterNamed(2, "stroll", 2)])[0] == SegmentEnded(1, 2, "stroll", 1, 2, 0, 1)


def test_a_server_that_does_not_know_the_stream_is_said(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        server.names = {}
        assert run("report", save(events.with_name("other.jsonl"), {"gone": STORY}), "--address", server.address) == 0
    assert "does not know gone: its names are those of the file" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--csv", "--picture"])
def test_a_report_replaces_nothing_unasked(
    events: Path, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there.png"
    there.write_text("mine")
    code, out, err = outcome(capsys, "report", events, option, there)
    assert (code, out) == (1, "")
    assert err == f"motionscribe: expected a new file for {option}, got {there}, which exists: add --replace\n"
    assert there.read_text() == "mine"
    assert run("report", events, option, there, "--replace") == 0
    assert there.read_bytes() != b"mine"


def test_a_report_never_replaces_what_it_reads(events: Path, tmp_path: Path) -> None:
    link, kept = tmp_path / "link.png", events.read_bytes()
    os.link(events, link)
    names = tmp_path / "names"
    names.write_text("1 = walk\n")
    for option, path in (("--csv", events), ("--picture", link), ("--csv", names)):
        assert run("report", events, "--names", names, option, path, "--replace") == 1
    assert (events.read_bytes(), names.read_text()) == (kept, "1 = walk\n")


def test_a_picture_that_cannot_be_drawn_leaves_the_old_one_and_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, picture = save(tmp_path / "events.jsonl", {"m1": STORY[:2]}), tmp_path / "old.png"
    picture.write_text("old")
    code, out, err = outcome(capsys, "report", events, "--picture", picture, "--replace")
    assert (code, "m1" in out) == (1, True)
    assert "expected ended segments to draw, got none" in err
    assert picture.read_text() == "old"
    with pytest.raises(SystemExit, match="2"):
        run("report", events, "--picture", tmp_path / "picture.doc")
