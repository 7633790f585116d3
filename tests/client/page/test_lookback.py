"""Looking back in a real browser: pause, scrub, play, and return to the newest."""

import asyncio
from pathlib import Path
from typing import Any

from tests.support.browser import Browser, browsing, in_a_browser, with_performance
from tests.support.page import page_of

from motionscribe import AsyncClient

pytestmark = in_a_browser


async def seconds_shown(browser: Browser) -> float:
    """Since the stream began."""
    return float(await browser.state("shownUs - motionscribe.originUs")) / 1e6


def test_a_pause_keeps_the_moment_while_events_arrive(tmp_path: Path) -> None:
    async def test(browser: Browser, _: AsyncClient) -> None:
        page = browser.page
        await browser.until("segments.length > 1")
        await page.locator("#pause").click()
        shown_us = await browser.state("shownUs")
        await page.wait_for_selector("body.looking-back")
        # until then a pose may come that is nearer to the moment than the newest one was
        await browser.until("history.at(-1).timeUs > motionscribe.shownUs + 5e5")
        await browser.drawn()
        still = await browser.pixels()
        assert len(still) > 5000  # not blank
        segments, seen = await browser.state("segments.length"), await browser.state("seen.events")
        await browser.until(f"seen.events > {seen + 20} && motionscribe.segments.length > {segments}")
        assert await browser.state("shownUs") == shown_us
        assert await browser.pixels() == still
        assert "not live" in await page.inner_text("#shown-words")
        assert (await page.inner_text("#not-live")).startswith("paused at 0:")
        assert await page.inner_text("#pause") == "Play"
        await page.get_by_role("button", name="To the newest").click()
        await browser.until("shownUs === null")
        await page.wait_for_selector("#playhead", state="hidden")
        assert await page.inner_text("#shown-words") == "live"
        assert await browser.pixels() != still

    with_performance(tmp_path, test)


def test_what_was_shown_is_found_again_and_played(tmp_path: Path) -> None:
    async def test(browser: Browser, client: AsyncClient) -> None:
        page = browser.page
        await browser.until("segments.filter((one) => one.event).length > 1")
        first = await browser.state("segments.find((one) => one.event)")
        at_ms = (first["startUs"] + first["endUs"]) / 2e3 - await browser.state("originUs") / 1e3
        await page.locator("#shown").evaluate(
            "(slider, at) => { slider.value = at; slider.dispatchEvent(new Event('input')); }", at_ms
        )
        pose = await browser.state("history.findLast((one) => one.timeUs <= motionscribe.shownUs).timeUs")
        assert 0 <= await browser.state("shownUs") - pose < 100_000
        name = page.locator("#now-name")
        before = await name.inner_text()
        assert before
        cluster = await page.evaluate(f"motionscribe.clusters.get({first['cluster']}).merged_into") or first["cluster"]
        await client.rename("gym", cluster, "marching")  # names given later show backwards
        await page.locator("#now-name", has_text="marching").wait_for()
        still, start = await browser.pixels(), await seconds_shown(browser)
        await page.keyboard.press("k")
        await page.locator("#not-live", has_text="playing").wait_for()
        await asyncio.sleep(0.5)
        await page.keyboard.press("k")
        passed = await seconds_shown(browser) - start
        assert 0.2 < passed < 3
        assert await browser.pixels() != still

    with_performance(tmp_path, test)


def test_the_ruler_of_the_timeline_scrubs(tmp_path: Path) -> None:
    async def test(browser: Browser, _: AsyncClient) -> None:
        page = browser.page
        await browser.until("nowUs - motionscribe.originUs > 6e6")
        await page.locator("#track").click(position={"x": 3 * 14, "y": 8})
        assert abs(await seconds_shown(browser) - 3) < 0.1
        box = await page.locator("#track").bounding_box()
        assert box
        await page.mouse.move(box["x"] + 3 * 14, box["y"] + 8)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 5 * 14, box["y"] + 8, steps=4)
        await page.mouse.up()
        assert abs(await seconds_shown(browser) - 5) < 0.1
        playhead = await page.locator("#playhead").bounding_box()
        assert playhead
        assert abs(playhead["x"] - (box["x"] + 5 * 14)) < 3

    with_performance(tmp_path, test)


def test_the_keyboard_does_all_of_it(tmp_path: Path) -> None:
    async def test(browser: Browser, _: AsyncClient) -> None:
        page = browser.page
        await browser.until("nowUs - motionscribe.originUs > 6e6")
        await page.keyboard.press("Space")
        start = await seconds_shown(browser)
        for _n in range(5):
            await page.keyboard.press("ArrowLeft")
        assert abs(await seconds_shown(browser) - (start - 0.5)) < 0.01
        await page.keyboard.press("ArrowRight")
        assert abs(await seconds_shown(browser) - (start - 0.4)) < 0.01
        reached = []
        for _n in range(12):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        assert {"pause", "shown", "follow", "Save"} <= set(reached)
        await page.locator("#pause").focus()
        await page.keyboard.press("Space")  # the button's own, once
        assert await browser.state("playing")
        await page.keyboard.press("Enter")
        assert not await browser.state("playing")
        there = await seconds_shown(browser)
        await page.keyboard.press("ArrowLeft")  # the button has no arrows of its own
        assert abs(await seconds_shown(browser) - (there - 0.1)) < 0.01
        await page.locator("#figure").focus()
        still = await browser.pixels()
        await page.keyboard.press("ArrowLeft")  # turns the figure
        assert abs(await seconds_shown(browser) - (there - 0.1)) < 0.01
        await asyncio.sleep(0.2)
        assert await browser.pixels() != still
        await page.locator("#shown").focus()
        await page.keyboard.press("Home")
        assert await seconds_shown(browser) == 0
        await page.keyboard.press("PageUp")
        assert await seconds_shown(browser) > 5
        assert "min:s" in str(await page.locator("#shown").get_attribute("aria-valuetext"))
        await page.keyboard.press("End")
        assert await browser.state("shownUs") is None
        await page.locator("#clusters .name").first.focus()
        await page.keyboard.press("Enter")
        await page.keyboard.type("k k")  # a name, no command
        assert await browser.state("shownUs") is None
        await page.keyboard.press("Escape")

    with_performance(tmp_path, test)


def evaluated(expression: str) -> Any:
    """A value of history.js and events.js, in a page without a server."""

    async def run() -> Any:
        async with page_of("127.0.0.1:9") as page, browsing(f"http://{page}/") as browser:
            return await browser.page.evaluate(
                "async () => { const history = await import('/static/history.js');"
                f" const events = await import('/static/events.js'); {expression} }}"
            )

    return asyncio.run(run())


def test_a_history_is_thin_ordered_and_bounded() -> None:
    found = evaluated("""
        const kept = [];
        const times = Array.from({ length: 1000 }, (_, n) => 10e6 + n * 1e6 / 120);
        history.addPoses(kept, times, times.map((time) => [time / 1e6, null, 0]));
        const live = kept.length;
        for (const start of [2e6, 6e6]) { // older ones come later, in pieces, and once more what is there
            const past = Array.from({ length: 60 }, (_, n) => start + n * 1e6 / 15);
            history.addPoses(kept, past, past.map((time) => [time / 1e6, 0, 0]));
        }
        history.addPoses(kept, times.slice(0, 100), times.slice(0, 100).map(() => [0, 0, 0]));
        const gaps = kept.slice(1).map(({ timeUs }, n) => timeUs - kept[n].timeUs);
        const near = history.posesUntil(kept, 4.03e6, 1e6).map(({ timeUs }) => timeUs / 1e6);
        const lost = [Number.isNaN(kept.at(-1).row[1]), kept.at(-1).row instanceof Float32Array];
        const nothing = [history.posesUntil(kept, 0, 1e6), history.posesUntil([], 5e6, 1e6)];
        history.forgetPoses(kept, 9e6);
        const [left, first] = [kept.length, kept[0].timeUs];
        const wide = [];
        const many = Array.from({ length: 3000 }, (_, n) => n * 1e5);
        history.addPoses(wide, many, many.map(() => new Array(10000).fill(0)));
        history.forgetPoses(wide, 0);
        return { live, all: gaps.length + 1, least: Math.min(...gaps), near, lost, nothing, left, first,
                 wide: wide.length * 40000, newest: wide.at(-1).timeUs };
    """)
    assert (found["live"], found["all"]) == (125, 245)
    assert found["least"] >= 60_000
    assert 14 <= len(found["near"]) <= 17
    assert abs(found["near"][-1] - 4.03) < 0.05
    assert found["lost"] == [True, True]
    assert found["nothing"] == [[], []]
    assert found["first"] >= 9e6
    assert found["left"] < found["all"]
    assert found["wide"] <= 64 * 2**20
    assert found["newest"] == 2999e5


def test_events_that_are_told_once_more_stand_there_once() -> None:
    found = evaluated("""
        const story = [
            { event: "SegmentStarted", segment: 1, cluster: 7, start_us: 0 },
            { event: "Label", final: true, cluster: 7, start_us: 0, end_us: 1e6 },
            { event: "Gap", start_us: 3e6, end_us: 4e6 },
            { event: "AnomalyScores", start_us: 0, end_us: 1e6, sensor: 1 },
            { event: "SegmentEnded", segment: 1, cluster: 7, start_us: 0, end_us: 3e6 },
            { event: "SegmentStarted", segment: 2, cluster: 8, start_us: 4e6 },
            { event: "Label", final: true, cluster: 8, start_us: 4e6, end_us: 6e6 },
            { event: "Label", final: false, cluster: 9, start_us: 6e6, end_us: 7e6, stability: 0.5 },
        ];
        const state = { shownUs: null, ...events.newTimeline() };
        for (const event of story) events.takeEvent(state, event);
        const once = JSON.stringify(state);
        for (const event of story) events.takeEvent(state, event);
        const at = (shownUs) => events.labelNow({ ...state, shownUs })?.cluster ?? null;
        return { once, twice: JSON.stringify(state), labels: [0, 2.9e6, 3.5e6, 5e6, 6.5e6, 9e6].map(at) };
    """)
    assert found["twice"] == found["once"]
    assert found["labels"] == [7, 7, None, 8, 9, None]


def test_what_came_before_is_taken_in_and_a_pause_outlasts_a_lost_connection() -> None:
    found = evaluated("""
        const { createStore } = await import("/static/store.js");
        const { shownPoses } = await import("/static/shown.js");
        const store = createStore();
        const { state } = store;
        const skeleton = { joints: ["a"], parents: [-1], representation: "positions", metres_per_unit: 1 };
        const poses = (is, from, to) => {
            const times_us = Array.from({ length: (to - from) * 15 }, (_, n) => from * 1e6 + n * 1e6 / 15);
            store.take({ is, stream: "gym", times_us, frames: times_us.map((time) => [time, 0, 0]) });
        };
        const open = () => {
            store.take({ is: "opened", stream: "gym", start_us: 0, history: true, skeleton });
            store.take({ is: "event", stream: "gym", event: "SegmentStarted", segment: 1, cluster: 7, start_us: 0 });
            poses("past_poses", 0, 5);
            poses("past_poses", 5, 10);
        };
        store.take({ is: "choose", stream: "gym" });
        open();
        poses("poses", 10, 12);
        store.take({ is: "look", to: "time", timeUs: 4e6 });
        const before = { kept: state.history.length, shown: shownPoses(state).at(-1).timeUs, live: state.poses.length };
        open();
        const again = { kept: state.history.length, shown: state.shownUs, segments: state.segments.length };
        poses("poses", 700, 701); // ten minutes later what was looked at is forgotten
        const later = { oldest: state.history[0].timeUs, shown: state.shownUs, newest: state.nowUs };
        store.take({ is: "look", to: "newest" });
        return { before, again, later, shown: state.shownUs };
    """)
    assert (found["before"]["kept"], found["before"]["live"]) == (180, 15)
    assert abs(found["before"]["shown"] - 4e6) < 1e5
    assert found["again"] == {"kept": 150, "shown": 4e6, "segments": 1}
    assert found["later"]["shown"] == found["later"]["newest"] - 600e6
    assert found["later"]["oldest"] >= found["later"]["shown"]
    assert found["shown"] is None
