"""The page in a real browser: what it draws, and what a keyboard does. Skipped where there is no Chromium."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import ConsoleMessage, Page, async_playwright
from tests.support.page import page_of
from tests.support.serving import serving
from tests.support.waiting import PATIENCE_S

from motionscribe import AsyncClient
from motionscribe.demo.performer import perform

BODY = Path(__file__).parents[3] / "models" / "body" / "1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCRIPT = [("walk", 6.0), ("wave", 6.0), ("squat", 6.0)]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: make chromium")]


class Browser:
    """A page, and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        page.on("websocket", lambda socket: self.hosts.add(socket.url.split("/")[2]))

    def _hear(self, said: ConsoleMessage) -> None:
        """Of the camera's pose model errors alone: its log comes as warnings, as does advice of the graphics driver."""
        log = "/pose/" in said.location["url"] or said.text.startswith("[.WebGL")
        if said.type == "error" or (said.type == "warning" and not log):
            self.errors.append(said.text)

    async def state(self, expression: str) -> Any:
        """A value of the page's store."""
        return await self.page.evaluate(f"motionscribe.{expression}")

    async def until(self, expression: str) -> None:
        """Returns when JavaScript's `expression` of the store is true. The page's policy forbids wait_for_function."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.state(expression):
                await asyncio.sleep(0.05)

    async def pixels(self) -> str:
        """The figure as it is now."""
        return str(await self.page.evaluate("document.getElementById('figure').toDataURL()"))


@asynccontextmanager
async def browsing(url: str, *flags: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *flags])
        try:
            browser = Browser(await chromium.new_page(viewport={"width": 1280, "height": 800}))
            await browser.page.goto(url)
            yield browser
        finally:
            await chromium.close()


Test = Callable[[Browser, AsyncClient], Awaitable[None]]


def with_performance(folder: Path, test: Test, realtime: float = 2.0) -> None:
    """Runs a test in a browser that shows stream "gym" while somebody performs."""
    recording = perform(SCRIPT, rate_hz=60).recording

    async def feed(client: AsyncClient) -> None:
        async with client.stream(recording, stream_id="gym", anomaly_scores=True, realtime=realtime) as stream:
            async for _ in stream:
                pass

    async def run() -> None:
        async with serving(BODY, folder) as served:
            address = f"127.0.0.1:{served.server.port}"
            async with page_of(address) as page, AsyncClient(address) as client, browsing(f"http://{page}/") as browser:
                feeding = asyncio.create_task(feed(client))
                await browser.until("live")
                await test(browser, client)
                await feeding
                assert browser.errors == []
                assert browser.hosts == {page}

    asyncio.run(run())


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
