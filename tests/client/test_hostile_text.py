"""No text of somebody else is a command: not to the terminal, not to rich, not to matplotlib, not to a spreadsheet."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from rich.console import Console
from tests.client.commands.test_report import save
from tests.client.test_cli import outcome
from tests.support.pseudo_terminal import CONTROL, run_in_terminal
from tests.support.scripted_server import COLUMNS, ScriptedServer

from motionscribe.events import Anomaly, Degraded, Event, Restarted, SegmentEnded, SegmentStarted
from motionscribe.sinks import Terminal, draw_ethogram, read_events, write_segments
from motionscribe.sinks.board import Board
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.names import escape, hidden_in

HOSTILE = [
    "\x1b[2J\x1b[31mHACK",
    "\x1b]0;title\x07",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31mX",
    "walk\b\b\b\bFALL",
    "walk\rFALL",
    "a\nb",
    "\u202egnihton",
    "a\0b",
    "[red]x[/red] [link=file:///etc/passwd]y[/link] :smile:",
    "[/nothing]",
    "$\\frac$ $x$",
]


NAME = " ".join(HOSTILE)


def visible(text: str) -> str:
    """What is left of a terminal's bytes without what rich itself sends."""
    return CONTROL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def assert_harmless(written: str) -> None:
    assert [line for line in visible(written).split("\n") if hidden_in(line)] == []


def events_named(name: str) -> list[Event]:
    return [
        SegmentStarted(1, 1, name, 1, 0),
        Restarted(1, 0, name),
        Anomaly(1, False, 1, 10, 0, 1_000_000, name, name, name, 1.0, (name,), (1.0,), 1),
        Degraded(1, False, 1, 10, 0, 1_000_000, (name,)),
        SegmentEnded(1, 1, name, 1, 10, 0, 1_000_000),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_the_live_table(name: str) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=200, color_system=None)
    with closing(Terminal(Board(console), f"{name}: title", {1: name})) as sink:
        for event in events_named(name):
            sink.write(event)
    assert_harmless(out.getvalue())
    if not hidden_in(
        name
    ):  # what is text is shown as it is, in the title, in each of four rows, and twice in that of the anomaly
        assert visible(out.getvalue()).count(name) == 6


class Hostile(ScriptedServer):
    """Says NAME wherever it can say anything."""

    def model(self) -> pb.Model:
        model = super().model()
        model.name, model.description, model.provider = NAME, NAME, NAME
        model.metrics[NAME] = 1.0
        return model

    def Watch(  # noqa: N802
        self, request: pb.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamResponse]:
        if request.stream_id == "dead":
            context.abort(grpc.StatusCode.NOT_FOUND, NAME)
        yield pb.StreamResponse(update=pb.Update(first_event=1, events=events_to_messages(events_named(NAME))))


def test_a_name_in_every_command(tmp_path: Path) -> None:
    events = save(tmp_path / "events.jsonl", {NAME: events_named(NAME)})
    recording = tmp_path / "[red]machine.csv"
    recording.write_text(",".join(COLUMNS) + "\n0,1\n1,1\n")
    with Hostile() as server:
        server.names = {1: NAME, 2: NAME}
        at = ["--address", server.address]
        for arguments, times in (
            (["clusters", "list", "m1", *at], 2),
            (["clusters", "rename", "m1", "2", NAME.replace("\0", ""), *at], 0),
            (["models", *at], 2),
            (["streams", *at], 2),
            (["models", "echo", *at], 4),
            (["watch", "live", *at], 3),
            (["watch", "live", "--json", *at], 0),
            (["watch", "dead", *at], 1),
            (["stream", recording, "--rate", "100", *at], 1),
            (["report", events], 2),
        ):
            written = run_in_terminal(*arguments, columns=2000)
            assert_harmless(written)
            assert visible(written).count(escape(NAME)) >= times, arguments


def test_json_lines_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in HOSTILE:
        path = save(tmp_path / "events.jsonl", {"m1": events_named(name)})
        assert_harmless(path.read_text())
        assert read_events(path) == {"m1": events_named(name)}
    with ScriptedServer() as server:
        server.names = {1: "\x9bX"}
        out = outcome(capsys, "clusters", "list", "m1", "--json", "--address", server.address)[1]
    assert json.loads(out)["name"] == "\x9bX"
    assert_harmless(out)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_a_picture(name: str, tmp_path: Path) -> None:
    """Warnings are errors: a character without a glyph would be one."""
    draw_ethogram(tmp_path / "picture.svg", {name: events_named(name)})


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", r"'\u0009=1"),
        ("\r=1", r"'\u000d=1"),
        ("＝1", "'＝1"),  # noqa: RUF001
        ("a=1", "a=1"),
        ("\x1b[2J", r"\u001b[2J"),
        ("", ""),
    ],
)
def test_a_name_in_a_spreadsheet(name: str, cell: str, tmp_path: Path) -> None:
    path = tmp_path / "segments.csv"
    write_segments(path, {name: [SegmentEnded(1, 3, name, 1, 10, -2_000_000, -1_000_000)]})
    with path.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["stream"], row["name"], row["start_s"]) == (cell, cell, "-2.000000")


def test_a_title_is_as_wide_as_the_terminal(tmp_path: Path) -> None:
    recording = tmp_path / "a-recording-with-a-rather-long-name-of-its-own.csv"
    recording.write_text(",".join(COLUMNS) + "\n0,1\n1,1\n")
    title = f"gym-1: {recording.name} on echo/2, final after 0.5 s"
    with ScriptedServer() as server:
        at = ["--address", server.address, "--rate", "100", "--stream-id", "gym-1"]
        lines = visible(run_in_terminal("stream", recording, *at, columns=110)).splitlines()
    assert title in [line.strip() for line in lines]
    stream_id = "a-stream-id-that-is-longer-than-its-table-" * 2
    events = save(tmp_path / "events.jsonl", {stream_id: events_named("walk")})
    lines = visible(run_in_terminal("report", events, columns=110)).splitlines()
    assert stream_id in [line.strip() for line in lines]
    assert re.search(r"│ walk +│ +1 │", "\n".join(lines))
