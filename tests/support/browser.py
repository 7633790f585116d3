"""A real browser that shows the page. Whoever uses it is skipped where there is no Chromium."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import ConsoleMessage, Page, async_playwright
from tests.support.page import page_of
from tests.support.serving import serving

from motionscribe import AsyncClient
from motionscribe.demo.performer import perform
from motionscribe.sources import RecordingSource, Source
from motionscribe_models.recordings import Recording
from motionscribe_proto.frames import FrameBlock

BODY = Path(__file__).parents[2] / "models" / "body" / "1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCRIPT = [("walk", 6.0), ("wave", 6.0), ("squat", 6.0)]
ROUNDS = 4
"""Of the script: more than any test looks at, since a browser may be slow."""
PATIENCE_MS = 60_000.0
"""A browser draws without a graphics card, on a machine that other tests use as well."""

in_a_browser = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: make chromium")]
"""Marks of a module of tests."""


class Browser:
    """A page, and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(PATIENCE_MS)
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
        async with asyncio.timeout(PATIENCE_MS / 1e3):
            while not await self.state(expression):
                await asyncio.sleep(0.05)

    async def drawn(self) -> None:
        """Returns when what the store has now is on the screen."""
        await self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    async def pixels(self) -> str:
        """The figure as it is now."""
        return str(await self.page.evaluate("document.getElementById('figure').toDataURL()"))


@asynccontextmanager
async def browsing(url: str, *flags: str, **context: Any) -> AsyncIterator[Browser]:
    """`flags` are Chromium's; `context` are options of playwright's, such as color_scheme."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *flags])
        try:
            browser = Browser(await chromium.new_page(**{"viewport": {"width": 1280, "height": 800}, **context}))
            await browser.page.goto(url)
            yield browser
        finally:
            await chromium.close()


class Performer(Source):
    """Performs a recording until the test is `over`: a browser that is slow misses nothing, and none is waited for."""

    def __init__(self, recording: Recording) -> None:
        self.skeleton, self.rate_hz = recording.skeleton, recording.skeleton.rate_hz
        self.over = asyncio.Event()
        self._recording = RecordingSource(recording)

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        async with aclosing(self._recording.blocks(size)) as blocks:
            async for block in blocks:
                if self.over.is_set():
                    return
                yield block
        await self.over.wait()


Test = Callable[[Browser, AsyncClient], Awaitable[None]]


def with_performance(folder: Path, test: Test, faults: Sequence[tuple[str, float, float]] = (), **context: Any) -> None:
    """Runs a test in a browser that shows stream "gym" while somebody performs, at twice their pace."""
    recording = perform(SCRIPT * ROUNDS, rate_hz=60, faults=faults).recording

    async def feed(client: AsyncClient, performer: Performer) -> None:
        async with client.stream(performer, stream_id="gym", anomaly_scores=True, realtime=2.0) as stream:
            async for _ in stream:
                pass

    async def run() -> None:
        async with serving(BODY, folder) as served:
            address = f"127.0.0.1:{served.server.port}"
            async with (
                page_of(address) as page,
                AsyncClient(address) as client,
                browsing(f"http://{page}/", **context) as browser,
            ):
                performer = Performer(recording)
                feeding = asyncio.create_task(feed(client, performer))
                await browser.until("live")
                await test(browser, client)
                performer.over.set()
                await feeding
                assert browser.errors == []
                assert browser.hosts == {page}

    asyncio.run(run())
