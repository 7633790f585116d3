"""The wall: labels as runs, what a tile says, and the tiles of a real server's streams in a browser."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Page
from tests.client.page.test_bridge import BODY, with_page
from tests.support.browser import CHROMIUM, Performer, browsing
from tests.support.page import page_of, viewing
from tests.support.serving import Served, motion, serving
from tests.support.waiting import until

from motionscribe import AsyncClient
from motionscribe.connection.stream import AsyncStream
from motionscribe.demo.performer import perform
from motionscribe.descriptions import Cluster, KeptAnomaly, StreamInfo
from motionscribe.events import Anomaly, Label
from motionscribe.page.labels import KEPT_US, Labels
from motionscribe.page.tile import Tile
from motionscribe.poses import Poses
from motionscribe_models.recordings import CMU_EXPMAP

SECOND = 1_000_000
STREAM = StreamInfo("gym", "body", "1", CMU_EXPMAP, 30.0, True, 0)


def label(start_s: float, end_s: float, cluster: int, final: bool = True) -> Label:
    return Label(0, 1, round(start_s * SECOND), round(end_s * SECOND), cluster, 1.0, final)


def cluster(id: int, name: str = "", merged_into: int | None = None, guessed: bool = False) -> Cluster:
    return Cluster(id, name, merged_into, False, 1.0, 0, None, 1, 1.0, guessed)


def alarm(anomaly: int, ongoing: bool) -> KeptAnomaly:
    event = Anomaly(anomaly, ongoing, 1, 2, 0, SECOND, "motion fault", "gait", "begun", 0.1, ("head",), (9.0,), 0)
    return KeptAnomaly(event, "none", {})


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 10), st.integers(1, 3), st.booleans()), max_size=60))
def test_runs_say_the_label_of_each_moment(steps: list[tuple[int, int, int, bool]]) -> None:
    """Against a slow twin that keeps a label for each moment. Final labels come in order, without holes."""
    labels = Labels()
    moments: dict[int, int] = {}
    final = 0
    for ahead, length, kind, is_final in steps:
        start = final if is_final else final + ahead
        labels.take(Label(0, 1, start, start + length, kind, 1.0, is_final))
        moments.update(dict.fromkeys(range(start, start + length), kind))
        final = start + length if is_final else final
        told = [(at, run.cluster) for run in labels.runs() for at in range(run.start_us, run.end_us)]
        assert told == sorted(moments.items())


def test_half_a_minute_of_runs_is_kept_and_the_newest_as_a_whole() -> None:
    labels = Labels()
    for second in range(100):
        labels.take(label(second, second + 1, second % 2))
    assert labels.runs()[0].end_us == 100 * SECOND - KEPT_US + SECOND
    for second in range(100, 200):
        labels.take(label(second, second + 1, 7))
    assert [(run.start_us, run.cluster) for run in labels.runs()] == [(100 * SECOND, 7)]


def test_a_tile_says_the_newest_label_its_name_and_how_long_it_lasts() -> None:
    tile = Tile()
    assert tile.message(STREAM)["label"] is None
    tile.take(label(0, 60, 1))
    tile.take(label(60, 62, 2))
    tile.take(label(62, 64, 3, final=False))
    tile.take_poses(Poses(1, np.array([65 * SECOND]), np.array([[0.123456, np.nan]], np.float32)))
    assert tile.message(STREAM)["label"] == {"cluster": 3, "name": "cluster 3", "lasts_s": 3.0}
    tile.take_tables([cluster(1, "rest"), cluster(2, "walk", guessed=True), cluster(3, merged_into=2)], [])
    message = tile.message(STREAM)
    assert message["label"] == {"cluster": 2, "name": "walk?", "lasts_s": 5.0}
    assert message["strip"] == [
        {"from_s": -30.0, "to_s": -5.0, "cluster": 1},
        {"from_s": -5.0, "to_s": -1.0, "cluster": 2},
    ]
    assert message["pose"][0] == 0.1235
    assert message["skeleton"]["joints"] == CMU_EXPMAP.joints


def test_a_tile_has_the_alarms_that_are_open_or_just_ended_and_forgets_a_session_whose_clock_went_back() -> None:
    tile = Tile()
    tile.take_tables([], [alarm(1, False), alarm(2, True)])
    for end_s, ended_s in [(11, 10), (29, 28), (100, None)]:
        tile.take(alarm(3, True).event)
        tile.take(alarm(3, False).event)
        tile.take(label(end_s - 1, end_s, 1))
        told = {one["anomaly"]: one["ended_s"] for one in tile.message(STREAM)["alarms"]}
        assert told == ({2: None} if ended_s is None else {2: None, 3: ended_s})
    tile.take(label(3, 4, 5))
    assert tile.message(STREAM)["alarms"] == []
    assert tile.message(STREAM)["label"] == {"cluster": 5, "name": "cluster 5", "lasts_s": 1.0}


def test_the_wall_shows_all_live_streams_to_those_who_look(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, page: str, client: AsyncClient) -> None:
        callers = [await served.opened(name) for name in ("a", "b", "c")]
        async with viewing(page) as viewer, viewing(page) as other:
            await viewer.ask(do="wall", on=True)
            await viewer.read(lambda m: m["is"] == "wall" and len(m["tiles"]) == 3)
            await until(lambda: served.counted("motionscribe_watchers") == 3)
            recording = motion(served.skeleton, 9.0)
            await callers[1].send(recording)
            told = await viewer.read(lambda m: m["is"] == "wall" and m["tiles"][1]["label"] is not None)
            assert [tile["stream"] for tile in told["tiles"]] == ["a", "b", "c"]
            assert told["tiles"][0]["label"] is None
            assert told["left_out"] == 0
            await served.computed(len(recording.frames), "b")
            newest = max(await client.clusters("b"), key=lambda one: one.last_seen_us or 0).id
            await client.rename("b", newest, "wave")
            await viewer.read(lambda m: m["is"] == "wall" and m["tiles"][1]["label"]["name"] == "wave")
            other_one = next(one.id for one in await client.clusters("b") if one.id != newest)
            await client.merge("b", [newest], other_one)
            await viewer.read(lambda m: m["is"] == "wall" and m["tiles"][1]["label"]["cluster"] == other_one)
            await callers[0].finish()
            await viewer.read(lambda m: m["is"] == "wall" and [t["stream"] for t in m["tiles"]] == ["b", "c"])
            await other.read(lambda m: m["is"] == "streams" and len(m["streams"]) == 2)
            assert not any(m["is"] == "wall" for m in other.seen)
            callers[2].call.cancel()
            await viewer.read(lambda m: m["is"] == "wall" and not m["tiles"][1]["has_owner"])
            await viewer.ask(do="wall", on=False)
            await viewer.ask(do="wall")
            assert "expected on as true or false" in (await viewer.read_a("failed"))["error"]
            seen = len(viewer.seen)
            for _ in range(2):
                await viewer.read_a("streams")
            assert [m["is"] for m in viewer.seen[seen:]].count("wall") <= 1  # the one that waited
        await callers[1].finish()

    with_page(tiny_model, tmp_path, test)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: make chromium")
def test_a_wall_is_read_and_a_stream_opened_by_keyboard(tmp_path: Path) -> None:
    walking = perform([("walk", 72.0)], rate_hz=60, faults=[("swap", 4.0, 68.0)]).recording
    squatting = perform([("squat", 72.0)], rate_hz=60).recording

    async def run() -> None:
        performers = Performer(walking), Performer(squatting)
        async with serving(BODY, tmp_path) as served:
            address = f"127.0.0.1:{served.server.port}"
            async with (
                page_of(address) as page,
                AsyncClient(address) as client,
                client.stream(performers[0], stream_id="gym", realtime=2) as one,
                client.stream(performers[1], stream_id="wall", realtime=2) as other,
                browsing(f"http://{page}/#wall") as browser,
            ):
                feeding = [asyncio.create_task(_take_all(stream)) for stream in (one, other)]
                tiles = browser.page.locator("#tiles button")
                await tiles.nth(1).wait_for()
                assert await browser.page.locator("main").is_hidden()
                assert await browser.state("chosen") is None
                await browser.page.locator("#tiles button[aria-label^='wall, live: '][aria-label*=' for ']").wait_for()
                alarm = "#tiles .alarmed button[aria-label^='gym, live: '][aria-label*='alarm: new behaviour by ']"
                await browser.page.locator(alarm).wait_for()
                assert await browser.page.inner_text("#wall-summary") == "2 streams; open alarms: gym"
                drawn = await _figure(browser.page)
                assert len(drawn) > 2000  # not blank
                while await _figure(browser.page) == drawn:
                    await asyncio.sleep(0.1)
                assert await tiles.nth(1).locator(".strip i").count() > 0
                await tiles.nth(1).focus()
                await browser.page.keyboard.press("Enter")
                await browser.until("live")
                assert await browser.state("chosen") == "wall"
                assert browser.page.url.endswith("#%77all")
                assert await browser.page.locator("#wall").is_hidden()
                await browser.page.locator("canvas#figure:focus").wait_for()
                await browser.page.locator("#wall-toggle").press("Enter")
                await tiles.nth(1).wait_for()
                assert browser.page.url.endswith("#wall")
                await browser.page.set_viewport_size({"width": 360, "height": 740})
                assert await browser.page.evaluate("document.documentElement.scrollWidth") <= 360
                for performer in performers:
                    performer.over.set()
                await asyncio.gather(*feeding)
                assert browser.errors == []

    asyncio.run(run())


async def _take_all(stream: AsyncStream) -> None:
    async for _ in stream:
        pass


async def _figure(page: Page) -> str:
    """The first tile's, as it is now."""
    return str(await page.evaluate("document.querySelector('#tiles canvas').toDataURL()"))
