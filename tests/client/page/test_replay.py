"""A saved stream beside its recording, without a server: what the page sends, and what a browser shows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.browser import Browser, browsing, in_a_browser
from tests.support.page import Viewer, page_of, viewing

from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe.errors import BadEventsFile
from motionscribe.events import (
    Anomaly,
    ClusterMerged,
    ClusterNamed,
    ClusterSplit,
    Event,
    Label,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe.page.saved import MOST_VALUES, SavedStream, figures_of, read_saved
from motionscribe.sinks import write_lines
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording, even_times, read_recording, write_recording
from motionscribe_models.skeleton import Skeleton, feature_skeleton

STORY: list[Event] = [
    SegmentStarted(1, 4, "", 1, 0),
    Label(1, 31, 0, 500_000, 9, 0.5, False),
    Label(1, 31, 0, 500_000, 4, 1.0, True),
    SegmentEnded(1, 4, "walk", 1, 361, 0, 6_000_000),
    ClusterMerged(5, 4, 6_000_000),
    Anomaly(1, True, 200, 210, 3_300_000, 3_500_000, "motion fault", "jump", "begun", 0.1, (), (), 0),
    Anomaly(1, False, 200, 240, 3_300_000, 4_000_000, "motion fault", "jump", "ended", 0.01, (), (), 0),
    SegmentStarted(2, 5, "", 361, 6_000_000),
    SegmentEnded(2, 5, "", 361, 691, 6_000_000, 11_500_000),
    Label(691, 721, 11_500_000, 12_000_000, 4, 1.0, True),
]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    performed = perform([("walk", 6.0), ("squat", 6.0)], rate_hz=60).recording
    write_recording(performed, tmp_path / "gym.npz")
    return tmp_path / "gym.npz"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    write_lines(tmp_path / "gym.jsonl", {"gym": STORY, "lab": [SegmentEnded(1, 1, "", 1, 2, 50, 1_000_000)]})
    return tmp_path / "gym.jsonl"


def test_a_saved_stream_has_names_merges_and_thinned_poses(events: Path, recording: Path) -> None:
    gym, lab = read_saved(events, recording)
    assert (gym.title, gym.start_us) == ("gym", 0)
    assert 11_900_000 < gym.end_us <= 12_000_000
    assert [(one.id, one.name, one.merged_into, one.seconds) for one in gym.clusters()] == [
        (4, "walk", None, 6.0),
        (5, "", 4, 5.5),
    ]
    assert [anomaly.phase for anomaly in gym.anomalies()] == ["ended"]
    assert [event for event in gym.events if isinstance(event, Label)] == [STORY[-1]]
    figures = gym.figures
    assert figures
    gaps = np.diff(figures.times_us)
    assert gaps.min() >= 60_000
    assert gaps.mean() < 70_000
    assert figures.frames.shape == (len(figures.times_us), 3 * len(figures.skeleton.joints))
    assert lab.figures is figures
    assert all(stream.figures is None for stream in read_saved(events))


def test_a_recording_of_another_time_is_refused(events: Path, recording: Path, tmp_path: Path) -> None:
    play = read_recording(recording)
    later = replace(play, timestamps_us=play.timestamps_us + 10**15)
    write_recording(later, tmp_path / "later.npz")
    with pytest.raises(BadEventsFile, match="expected at most a week from the first to the last time"):
        read_saved(events, tmp_path / "later.npz")


def test_a_merge_that_was_undone_is_none(tmp_path: Path) -> None:
    write_lines(tmp_path / "gym.jsonl", {"gym": [*STORY, ClusterSplit(5, 4, 11_000_000)]})
    (gym,) = read_saved(tmp_path / "gym.jsonl")
    assert [(one.id, one.merged_into) for one in gym.clusters()] == [(4, None), (5, None)]


def test_the_name_that_was_given_last_holds(tmp_path: Path) -> None:
    write_lines(tmp_path / "gym.jsonl", {"gym": [*STORY, ClusterNamed(4, "stroll", 11_000_000)]})
    (gym,) = read_saved(tmp_path / "gym.jsonl")
    assert [(one.id, one.name) for one in gym.clusters()] == [(4, "stroll"), (5, "")]


def long_recording(folder: Path, count: int, columns: Sequence[str]) -> Path:
    skeleton = feature_skeleton("machine", tuple(columns), 10.0)
    frames = np.zeros((count, len(columns)), np.float32)
    write_recording(Recording("machine", frames, even_times(count, 10.0), skeleton), folder / "machine.npz")
    return folder / "machine.npz"


def test_a_recording_without_places_has_no_figure(events: Path, tmp_path: Path) -> None:
    assert read_saved(events, long_recording(tmp_path, 50, ("a", "b")))[0].figures is None


def test_a_long_recording_is_thinned_to_what_a_browser_holds(events: Path, tmp_path: Path) -> None:
    count, columns = 40_000, [f"p{joint}_{axis}" for joint in range(60) for axis in "xyz"]
    path = tmp_path / "long.csv"
    row = ",".join(["0"] * len(columns))
    path.write_text("\n".join([",".join(["time", *columns]), *(f"{n / 10:.1f},{row}" for n in range(count))]))
    figures = read_saved(events, path)[0].figures
    assert figures
    assert 0.4 * MOST_VALUES < figures.frames.size <= MOST_VALUES + figures.frames.shape[1]
    assert figures.times_us[-1] > 3_990_000_000


def with_viewer(saved: Sequence[SavedStream], test: Callable[[Viewer], Awaitable[None]]) -> None:
    async def run() -> None:
        async with page_of("127.0.0.1:9", saved=saved) as page, viewing(page) as viewer:
            await test(viewer)

    asyncio.run(run())


def test_a_viewer_is_told_everything_in_bounded_pieces(events: Path, recording: Path) -> None:
    async def test(viewer: Viewer) -> None:
        streams = await viewer.read_a("streams")
        assert [(row["id"], row["saved"]) for row in streams["streams"]] == [("gym", True), ("lab", True)]
        assert streams["error"] is None
        await viewer.ask(do="watch", stream="gym")
        opened = await viewer.read_a("opened")
        assert (opened["saved"], opened["start_us"], opened["skeleton"]["up_axis"]) == (True, 0, "y")
        poses = 0
        while poses < 179:
            piece = await viewer.read_a("past_poses")
            assert len(piece["times_us"]) == len(piece["frames"]) <= 256
            poses += len(piece["times_us"])
        kinds = [message["event"] for message in viewer.seen if message["is"] == "event"]
        assert kinds == [type(event).__name__ for event in [*STORY[:1], *STORY[3:]]]
        anomalies = next(message for message in viewer.seen if message["is"] == "anomalies")["anomalies"]
        assert [(one["phase"], one["verdict"]) for one in anomalies] == [("ended", "none")]

    with_viewer(read_saved(events, recording), test)


def test_nothing_is_edited(events: Path) -> None:
    async def test(viewer: Viewer) -> None:
        for verb in ("rename", "merge", "mark", "explain"):
            await viewer.ask(do=verb, stream="gym", cluster=4, name="run")
            failed = await viewer.read_a("failed")
            assert (failed["do"], failed["error"]) == (
                verb,
                "expected a live stream, got gym, which is saved and stays as it is",
            )
        await viewer.ask(do="watch", stream="nobody")
        assert "expected one of gym, lab, got 'nobody'" in (await viewer.read_a("failed"))["error"]
        await viewer.socket.send("{")
        assert "expected JSON" in (await viewer.read_a("failed"))["error"]

    with_viewer(read_saved(events), test)


@pytest.mark.parametrize("count", [1, 2])
def test_the_command_refuses_what_it_cannot_read(
    count: int, events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [events, tmp_path / "nothing.bvh"] if count == 2 else [tmp_path / "nothing.jsonl"]
    assert main(["page", "--port", "0", "--replay", *map(str, files)]) == 1
    assert "expected" in capsys.readouterr().err
    if count == 2:
        with pytest.raises(RecordingError):
            read_saved(*files)


def test_the_command_takes_two_files_at_most(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["page", "--port", "0", "--replay", *[str(events)] * 3]) == 1
    assert "expected --replay EVENTS.jsonl and perhaps its recording, got 3 files" in capsys.readouterr().err


class TestInABrowser:
    pytestmark = in_a_browser

    def test_a_saved_stream_is_scrubbed_and_played_by_keys(self, events: Path, recording: Path) -> None:
        async def run() -> None:
            saved = read_saved(events, recording)
            async with page_of("127.0.0.1:9", saved=saved) as page, browsing(f"http://{page}/") as browser:
                await self.look(browser)

        asyncio.run(run())

    def test_markers_without_bones_are_dots(self) -> None:
        markers = tuple("abcde")
        skeleton = Skeleton("markers", markers, (-1,) * 5, "positions", "mm", 0.001, "z", 100.0)
        places = np.tile(np.linspace(0, 1500, 15, dtype=np.float32), (100, 1))
        figures = figures_of(Recording("markers", places, even_times(100, 100.0), skeleton))

        async def run() -> None:
            saved = [SavedStream("lab", STORY, figures)]
            async with page_of("127.0.0.1:9", saved=saved) as page, browsing(f"http://{page}/") as browser:
                await browser.until("history.length > 10")
                await browser.page.wait_for_selector("#figure-note:text('drag')", state="attached")
                dark = await browser.page.evaluate(
                    "(() => { const canvas = document.getElementById('figure');"
                    " const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
                    " let dark = 0; for (let n = 0; n < data.length; n += 4) dark += data[n] < 60 && data[n + 3] > 200;"
                    " return dark; })()"
                )
                assert dark > 5 * 15

        asyncio.run(run())

    @staticmethod
    async def look(browser: Browser) -> None:
        page = browser.page
        await browser.until("history.length === 179 || motionscribe.history.length === 180")
        assert "saved, 12.0 s" in await page.inner_text("#streams")
        assert await browser.state("shownUs") == 0
        assert await page.inner_text("#now-name") == "walk"
        first = await browser.pixels()
        assert len(first) > 5000
        await page.keyboard.press("Space")
        await browser.until("shownUs > 500000")
        await page.keyboard.press("Space")
        assert await browser.pixels() != first
        await page.locator("#shown").focus()
        await page.keyboard.press("End")
        assert await browser.state("shownUs") == await browser.state("nowUs")
        assert await page.inner_text("#pause") == "Play"
        await page.keyboard.press("Home")
        await page.keyboard.press("PageUp")
        assert await browser.state("shownUs") == 10_000_000
        await page.locator("#shown-words", has_text="0:10.0 of 0:12.0 min:s, saved").wait_for()
        await page.locator("#now-name", has_text="walk").wait_for()  # a part of it by now
        await page.locator("#clusters .name").first.focus()
        await page.keyboard.press("Enter")
        await page.keyboard.type("run")
        await page.keyboard.press("Enter")
        await page.locator("#failure", has_text="expected a live stream, got gym, which is saved").wait_for()
        assert browser.errors == []
