"""Events on file and in words: JSON lines, the table of segments, the terminal."""

import csv
import io
import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tests.proto.test_codec import EVENTS

from motionscribe import errors
from motionscribe.events import (
    Anomaly,
    ClusterCreated,
    ClusterMerged,
    ClusterNamed,
    ClusterTableFull,
    Degraded,
    Event,
    Gap,
    Label,
    Restarted,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe.sinks import JsonLines, Terminal, read_events, write_segments
from motionscribe.sinks.board import Board


def anomaly(end_seq: int, phase: str, per_hour: float, kind: str = "sensor fault") -> Anomaly:
    """Frames from 300 on, at 100 Hz from 3.4 s on."""
    start_us, joints, deviations = 3_400_000, ("hand", "head"), (6.5, 4.0)
    end_us = start_us + 10_000 * (end_seq - 300)
    about = 1, phase != "ended", 300, end_seq, start_us, end_us
    return Anomaly(*about, kind, "jump", phase, per_hour, joints, deviations, 2)


STORY: list[Event] = [
    Label(1, 61, 1_000_000, 1_500_000, 1, 0.75, False),
    SegmentStarted(1, 1, "", 1, 1_000_000),
    SegmentEnded(1, 1, "", 1, 241, 1_000_000, 3_000_000),
    SegmentStarted(2, 2, "wave", 241, 3_000_000),
    anomaly(310, "begun", 0.25),
    anomaly(330, "ended", 0.025),
    Degraded(1, True, 310, 320, 3_500_000, 3_600_000, ("left_wrist", "left_elbow")),
    Degraded(1, False, 310, 325, 3_500_000, 3_700_000, ("left_wrist", "left_elbow")),
    SegmentEnded(2, 2, "wave", 241, 361, 3_000_000, 4_000_000),
    Gap(361, 361, 4_000_000, 6_000_000),
    Restarted(361, 6_000_000, "frames were missing"),
    ClusterCreated(3, 6_500_000),
    ClusterMerged(3, 2, 6_600_000),
    ClusterTableFull(64, 9, 6_700_000),
    SegmentEnded(3, 1, "walk", 361, 481, 6_000_000, 7_000_000),
]


def test_a_line_is_written_to_the_byte() -> None:
    file = io.StringIO()
    sink = JsonLines(file, "ü1")
    for event in (STORY[3], STORY[4]):
        sink.write(event)
    sink.close()
    assert file.getvalue() == (
        '{"stream": "ü1", "event": "SegmentStarted", "segment": 2, "cluster": 2, "name": "wave", "start_seq": 241, '
        '"start_us": 3000000, "guessed": false}\n'
        '{"stream": "ü1", "event": "Anomaly", "anomaly": 1, "ongoing": true, "start_seq": 300, "end_seq": 310, '
        '"start_us": 3400000, "end_us": 3500000, "kind": "sensor fault", "detector": "jump", "phase": "begun", '
        '"false_alarms_per_hour": 0.25, "joints": ["hand", "head"], "deviations": [6.5, 4.0], "cluster": 2}\n'
    )


def save(path: Path, streams: dict[str, list[Event]]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for stream_id, events in streams.items():
            sink = JsonLines(file, stream_id)
            for event in events:
                sink.write(event)
    return path


@given(st.dictionaries(st.text(max_size=5), st.lists(EVENTS, min_size=1, max_size=6), min_size=1, max_size=3))
def test_events_on_file_are_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, streams: dict[str, list[Event]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "events.jsonl"
    assert read_events(save(path, streams)) == streams


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("\x00\x01", "expected JSON"),
        ("[1]", 'an object with a "stream"'),
        ('{"event": "Gap"}', 'an object with a "stream"'),
        ('{"stream": "s", "event": "Dance"}', "an event among Anomaly, .*got 'Dance'"),
        ('{"stream": "s", "event": "ClusterCreated", "cluster": 1}', "with cluster, time_us, got cluster"),
        ('{"stream": "s", "event": "ClusterCreated", "cluster": 1.5, "time_us": 0}', "cluster of type int, got 1.5"),
        ('{"stream": "s", "event": "ClusterCreated", "cluster": true, "time_us": 0}', "cluster of type int, got True"),
    ],
)
def test_a_foreign_file_is_refused_with_its_line(tmp_path: Path, line: str, text: str) -> None:
    path = tmp_path / "foreign.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(errors.BadEventsFile, match=text):
        read_events(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "blank").write_text("\n \n")
    (tmp_path / "binary").write_bytes(b"\x89PNG\xff\x00")
    (tmp_path / "deep").write_text("[" * 100_000)
    reasons = {
        "absent": "No such file",
        "empty": "an empty file",
        "blank": "an empty file",
        "binary": "line 1: expected JSON",
        "deep": "line 1: expected JSON",
    }
    for name, text in reasons.items():
        with pytest.raises(errors.BadEventsFile, match=text):
            read_events(tmp_path / name)


WHOLE = [json.dumps({"stream": "s", "event": "ClusterCreated", "cluster": 1, "time_us": n}) for n in range(4)]


def told_of(path: Path) -> tuple[list[int], list[str]]:
    """Times of the events, and complaints without the name of the file."""
    told: list[str] = []
    try:
        events = [event for run in read_events(path, told.append).values() for event in run]
    except errors.BadEventsFile as error:
        return [], [str(error).removeprefix(f"{path}")]
    return [event.time_us for event in events if isinstance(event, ClusterCreated)], [
        text.removeprefix(f"{path}") for text in told
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_editor_may_save_the_file_anew(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "events.jsonl"
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    path.write_bytes((mark + end.join(["", WHOLE[0], " ", *WHOLE[1:], "", ""])).encode(encoding))
    assert told_of(path) == ([0, 1, 2, 3], [])


def test_a_damaged_line_costs_itself_only_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    damaged = [b'{"stream": "s", "event": "Dance"}', b'{"stream": "caf\xe9", "event": "Gap"}', b"\0" * 9]
    path.write_bytes(b"\n".join([WHOLE[0].encode(), *damaged, WHOLE[1].encode()]))
    times, told = told_of(path)
    assert times == [0, 1]
    assert [text[:9] for text in told] == [", line 2:", ", line 3:", ", line 4:"]


def test_many_damaged_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join([*["x"] * 500, WHOLE[0]]))
    times, told = told_of(path)
    assert (times, len(told), told[-1]) == ([0], 11, ": 490 more lines are no events")


@given(st.integers(0, 400), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_a_file_cut_anywhere_keeps_every_whole_line(
    tmp_path_factory: pytest.TempPathFactory, cut: int, encoding: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    lines = [line.replace('"s"', '"\u00fc\U0001f600"') for line in WHOLE]
    written = "\n".join(lines).encode(encoding)
    path.write_bytes(written[:cut])
    whole = sum(cut >= len("\n".join([*lines[:n], ""]).encode(encoding)) for n in range(1, 5))
    times, told = told_of(path)
    assert times == list(range(len(times)))
    assert whole <= len(times) <= whole + 1
    assert len(told) <= 1


def test_segments_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "segments.csv"
    write_segments(path, {"a": STORY, "b": STORY[:3]})
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["stream"], row["segment"], row["name"]) for row in rows] == [
        ("a", "1", ""),
        ("a", "2", "wave"),
        ("a", "3", "walk"),
        ("b", "1", ""),
    ]
    assert [float(rows[1][key]) for key in ("start_s", "end_s", "duration_s", "start_seq", "end_seq")] == [
        3,
        4,
        1,
        241,
        361,
    ]


def shown(events: list[Event], *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=terminal, color_system=None)
    with closing(Terminal(Board(console), "the title", {1: "warm", 9: "other"})) as sink:
        for event in events:
            sink.write(event)
    return out.getvalue()


def test_the_final_table_tells_the_story() -> None:
    lines = [line.split("│") for line in shown(STORY, terminal=False).splitlines()]
    rows = [[cell.strip() for cell in line[1:-1]] for line in lines if len(line) > 2]
    assert rows == [
        ["0:00.00", "0:02.00", "2.00", "cluster 1"],
        ["0:02.40", "0:02.70", "0.30", "sensor fault in hand, head (once in 40 h)"],
        ["0:02.50", "0:02.70", "0.20", "not seen: left_wrist, left_elbow"],
        ["0:02.00", "0:03.00", "1.00", "wave (2)"],
        ["0:03.00", "0:05.00", "2.00", "gap: no frames"],
        ["0:05.00", "0:05.00", "", "restarted: frames were missing"],
        ["0:05.50", "0:05.50", "", "new: cluster 3"],
        ["0:05.60", "0:05.60", "", "cluster 3 is part of wave (2)"],
        ["0:05.70", "0:05.70", "", "64 clusters are learnt: cluster 9 made room"],
        ["0:05.00", "0:06.00", "1.00", "walk (1)"],
    ]


def test_a_new_name_is_a_row_and_holds_from_then_on() -> None:
    sink = Terminal(Board(console := Console(file=io.StringIO(), width=100)), "the title", {1: "warm"})
    story: list[Event] = [
        Label(1, 9, 0, 1_000_000, 1, 1.0, True),
        ClusterNamed(1, "walk", 1_000_000),
        ClusterMerged(1, 2, 2_000_000),
        ClusterNamed(2, "sit", 3_000_000),
        ClusterNamed(1, "", 4_000_000),
    ]
    for event in story:
        sink.write(event)
    with console.capture() as capture:
        console.print(sink.render())
    text = capture.get()
    assert [line.split("│")[4].strip() for line in text.splitlines() if "│ 0:" in line] == [
        "warm (1) is called walk from now on",
        "walk (1) is part of cluster 2",
        "cluster 2 is called sit from now on",
        "walk (1) has no name any more",
    ]
    assert "now: cluster 1 100%" in text


def test_the_live_view_shows_the_moment_and_the_newest_rows() -> None:
    console = Console(file=io.StringIO(), width=100)
    sink = Terminal(Board(console), "the title", {1: "warm", 4: "jump"})
    for event in [
        *STORY[:2],
        Label(61, 71, 1_500_000, 1_600_000, 4, 0.5, False),
        Label(1, 9, 1_000_000, 1, 1, 1.0, True),
    ]:
        sink.write(event)
    sink.write(STORY[4])
    sink.write(STORY[6])
    segments = [SegmentEnded(n, 4, f"step {n}", n, n + 1, n * 1_000_000, n * 1_000_000 + 1) for n in range(1, 31)]
    for segment in segments:
        sink.write(segment)
    with console.capture() as capture:
        console.print(sink.render())
    text = capture.get()
    assert "now: step 30 (4) 50%" in text
    assert "sensor fault in hand, head (begun, once in 4 h)" in text
    assert "not seen: left_wrist, left_elbow" in text
    assert "15 earlier rows" in text
    assert text.count("0:") == 2 * 15
