"""`motionscribe stream camera:FILE`: a real server labels the people of a video, each in a stream of their own."""

import asyncio
import io
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tests.support.serving import serving
from tests.support.squares import RATE_HZ, draw

from motionscribe.cli import main
from motionscribe.events import Event, Label, SegmentEnded
from motionscribe.sinks import Terminal, read_events
from motionscribe.sinks.board import Board
from motionscribe.sources.camera.estimator import VARIABLE

BODY2D = Path(__file__).parents[3] / "models" / "body2d" / "1"
FRAMES = 160
NEW = 6
"""Frames in which a newcomer is nobody yet."""


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two people for eight seconds, of whom the second comes after two."""
    estimator = tmp_path / "squares.py"
    estimator.write_text("from tests.support.squares import Squares as make_estimator")
    monkeypatch.setenv(VARIABLE, str(estimator))
    across = 160 + 80 * np.sin(np.arange(FRAMES) / 10)
    frames = [{0: (x, 60.0)} | ({1: (x, 180.0)} if n >= 40 else {}) for n, x in enumerate(across.tolist())]
    return draw(tmp_path / "two.avi", frames)


def final_spans(events: list[Event]) -> list[tuple[int, int]]:
    return [(event.start_seq, event.end_seq) for event in events if isinstance(event, Label) and event.final]


@pytest.mark.parametrize(("options", "stem"), [([], "camera"), (["--stream-id", "gym", "--speed", "4"], "gym")])
def test_each_has_labels_without_a_hole(video: Path, tmp_path: Path, options: list[str], stem: str) -> None:
    saved = tmp_path / "events.jsonl"

    async def run() -> None:
        async with serving(BODY2D, tmp_path) as served:
            address = f"127.0.0.1:{served.server.port}"
            command = ["stream", f"camera:{video}", "--address", address, "--save", str(saved), *options]
            began = asyncio.get_running_loop().time()
            assert await asyncio.to_thread(main, command) == 0
            if options:
                assert asyncio.get_running_loop().time() - began > FRAMES / RATE_HZ / 4 * 0.9

    asyncio.run(run())
    streams = read_events(saved)
    assert sorted(streams) == [f"{stem}-1", f"{stem}-2"]
    for events, frames in zip([streams[f"{stem}-1"], streams[f"{stem}-2"]], [FRAMES, FRAMES - 40], strict=True):
        spans = final_spans(events)
        assert (spans[0][0], spans[-1][1]) == (1, frames - NEW + 1)
        assert all(one[1] == following[0] for one, following in pairwise(spans))
    [first] = {event.start_us for event in streams[f"{stem}-2"][:1] if isinstance(event, Label)}
    assert first == (40 + NEW) / RATE_HZ * 1e6, "the video's own clock"


def test_a_refused_stream_is_an_error_in_one_line(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        async with serving(BODY2D, tmp_path) as served:
            command = ["stream", f"camera:{video}", "--address", f"127.0.0.1:{served.server.port}", "--model", "none"]
            assert await asyncio.to_thread(main, command) == 1

    asyncio.run(run())
    assert capsys.readouterr().err == "motionscribe: expected one of the models body2d, got 'none'\n"


@pytest.mark.parametrize("terminal", [False, True])
def test_tables_of_several_streams(terminal: bool) -> None:
    out = io.StringIO()
    board = Board(Console(file=out, width=80, force_terminal=terminal, color_system=None))
    with closing(Terminal(board, "the first")) as first:
        with closing(Terminal(board, "the second")) as second:
            second.write(SegmentEnded(1, 4, "wave", 1, 9, 0, 1_000_000))
        first.write(SegmentEnded(1, 5, "walk", 1, 9, 0, 2_000_000))
    text = out.getvalue()
    assert "the second" in text
    assert "wave (4)" in text
    assert "the first" in text[text.rindex("wave (4)") :]
    assert "walk (5)" in text[text.rindex("wave (4)") :]
