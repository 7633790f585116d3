"""The page in a real browser: what it draws, and what a keyboard does. Skipped where there is no Chromium."""

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.support.browser import BODY, Browser, Performer, browsing, in_a_browser, with_performance
from tests.support.page import page_of
from tests.support.serving import serving

from motionscribe import AsyncClient
from motionscribe.demo.performer import perform

pytestmark = in_a_browser


def test_a_figure_moves_and_the_timeline_fills(tmp_path: Path) -> None:
    async def test(browser: Browser, _: AsyncClient) -> None:
        await browser.until("poses.length > 0")
        first = await browser.pixels()
        await browser.until("seen.poses > 60")
        assert len(await browser.pixels()) > 5000  # not blank
        assert await browser.pixels() != first
        await browser.until("soft.length > 0")
        await browser.until("segments.length > 1")
        await browser.page.wait_for_selector("#track .final button[aria-label*='min:s']")
        await browser.page.wait_for_selector("#track .soft div", state="attached")
        await browser.page.wait_for_selector("#scores-panel:not([hidden])")
        assert await browser.page.inner_text("#streams strong") == "gym"

    with_performance(tmp_path, test)


def test_a_session_of_a_much_later_clock_begins_a_timeline_of_its_own(tmp_path: Path) -> None:
    async def test(browser: Browser, client: AsyncClient) -> None:
        recording = perform([("walk", 120.0)], rate_hz=30).recording
        for days in (0, 115):
            performer = Performer(replace(recording, timestamps_us=recording.timestamps_us + days * 86_400_000_000))
            async with client.stream(performer, stream_id="hall", realtime=2.5) as stream:
                if not days:
                    await browser.page.locator("#streams button", has_text="hall").click()
                # while it goes on: a page that came to it after its end would be shown nothing
                await browser.until("live && motionscribe.chosen === 'hall' && motionscribe.segments.length > 0")
                performer.over.set()
                async for _ in stream:
                    pass
            await browser.until("live === false")
        assert await browser.state("originUs > 86400000000")
        assert await browser.page.locator("#track .ticks > *").count() < 10
        assert await browser.page.locator("#track").evaluate("(track) => track.clientWidth") < 2000
        await browser.page.locator("#streams button", has_text="gym").click()
        await browser.until("live")

    with_performance(tmp_path, test)


def test_who_reloads_the_page_sees_what_was(tmp_path: Path) -> None:
    async def test(browser: Browser, _: AsyncClient) -> None:
        await browser.until("segments.filter((one) => !one.open).length > 1")
        before = await browser.state("segments.slice(0, 2)")
        await browser.page.reload()
        await browser.until("segments.filter((one) => !one.open).length > 1")
        assert await browser.state("segments.slice(0, 2)") == before
        await browser.until("live")
        await browser.until("poses.length > 0")

    with_performance(tmp_path, test)


def test_the_keyboard_turns_names_and_asks(tmp_path: Path) -> None:
    async def test(browser: Browser, client: AsyncClient) -> None:
        page = browser.page
        await browser.until("segments.some((one) => one.segment && !one.open)")
        row = page.locator("#clusters li").first
        await row.wait_for()
        cluster = int(await row.get_attribute("data-cluster") or 0)
        await row.locator(".name").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.type("walking")
        await page.keyboard.press("Enter")
        await browser.until(f"clusters.get({cluster}).name === 'walking'")
        assert {one.id: one.name for one in await client.clusters("gym")}[cluster] == "walking"
        named = page.locator(f"#clusters li[data-cluster='{cluster}'] .name")
        assert await named.inner_text() == "walking"
        await page.wait_for_selector("#track .final button[aria-label^='walking,']")  # backwards, too
        await page.locator("#track .final button[tabindex='0']").focus()
        await page.keyboard.press("Enter")
        await browser.until("explanation !== null || failure !== null")
        assert await browser.state("failure") is None
        await page.locator("#why tbody tr").nth(3).wait_for()

    with_performance(tmp_path, test)


def test_escape_leaves_a_name_as_it_was_and_a_merge_needs_two_steps(tmp_path: Path) -> None:
    async def test(browser: Browser, client: AsyncClient) -> None:
        page = browser.page
        await browser.until("segments.filter((one) => !one.open).length > 1")
        await page.locator("#clusters li").nth(1).wait_for()
        first = page.locator("#clusters li").first
        cluster = int(await first.get_attribute("data-cluster") or 0)
        row = page.locator(f"#clusters li[data-cluster='{cluster}']")
        await row.locator(".name").click()
        await page.keyboard.type("no")
        await page.keyboard.press("Escape")
        assert await row.locator("form").count() == 0
        await row.locator(".merge").click()
        target = int(await row.locator("select").input_value())
        assert {one.merged_into for one in await client.clusters("gym")} == {None}
        await row.locator("form button").click()
        await browser.until(f"clusters.get({cluster}).merged_into === {target}")
        await row.wait_for(state="detached")
        assert {one.id: one.merged_into for one in await client.clusters("gym")}[cluster] == target
        assert "no" not in {one.name for one in await client.clusters("gym")}

    with_performance(tmp_path, test)


def test_the_browser_connects_again_when_the_page_was_started_anew(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(BODY, tmp_path) as served:
            address = f"127.0.0.1:{served.server.port}"
            async with page_of(address) as page:
                port = int(page.split(":")[1])
                context = browsing(f"http://{page}/")
                browser = await context.__aenter__()
                await browser.until("link === 'open'")
            try:
                await browser.until("link === 'lost'")
                assert "trying again" in await browser.page.inner_text("#link")
                async with page_of(address, port=port):
                    await browser.until("link === 'open'")
            finally:
                await context.__aexit__(None, None, None)

    asyncio.run(run())


def test_a_token_is_typed_into_the_form() -> None:
    async def run() -> None:
        async with page_of("127.0.0.1:9", token="secret") as page, browsing(f"http://{page}/") as browser:
            assert browser.page.url == f"http://{page}/login"
            for token in ("wrong", "secret"):
                assert browser.page.url.endswith("/login")
                await browser.page.locator("#token").fill(token)
                async with browser.page.expect_navigation():
                    await browser.page.locator("#token").press("Enter")
            assert browser.page.url == f"http://{page}/"
            await browser.until("link === 'open'")
            await browser.page.locator("#link", has_text="no connection to 127.0.0.1:9").wait_for()

    asyncio.run(run())
