"""The pictures of README and documents: screenshots of the page while somebody performs.

`MOTIONSCRIBE_PICTURES=docs/pictures pytest -n0 tests/client/page/test_pictures.py` writes them there anew.
"""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.browser import BODY, Browser, browsing, in_a_browser
from tests.support.page import page_of
from tests.support.serving import serving

from motionscribe import AsyncClient
from motionscribe.connection.stream import AsyncStream
from motionscribe.demo.performer import perform

WANTED = "MOTIONSCRIBE_PICTURES"
pytestmark = [*in_a_browser, pytest.mark.skipif(WANTED not in os.environ, reason=f"set {WANTED} to a folder")]

PLAYS = {
    "gym": [("walk", 5.0), ("wave", 5.0), ("squat", 5.0), ("punch", 5.0), ("walk", 14.0)],
    "hall": [("walk", 6.0), ("run", 8.0), ("jump", 6.0), ("walk", 6.0)],
    "lab-2": [("squat", 9.0), ("wave", 9.0), ("squat", 8.0)],
    "stage": [("punch", 8.0), ("jump", 8.0), ("wave", 10.0)],
}
SPEED = 2.0
NAMES = ("walk", "wave", "squat", "punch")


@pytest.fixture
def folder() -> Path:
    return Path(os.environ[WANTED])


async def save(browser: Browser, path: Path) -> None:
    """A screenshot in few colours, which is small; it must show something."""
    with Image.open(io.BytesIO(await browser.page.screenshot())) as picture:
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
        picture.convert("RGB").quantize(128).save(path, optimize=True)
    assert len(colours) > 50


def performed(stream: str, seconds: float) -> str:
    """What is done in a play at a time."""
    ends = np.cumsum([length for _, length in PLAYS[stream]])
    return PLAYS[stream][int(np.searchsorted(ends, seconds))][0]


@asynccontextmanager
async def performing(folder: Path, *streams: str) -> AsyncIterator[tuple[Browser, AsyncClient]]:
    """A browser beside a server to which these streams are sent, one with a dropped sensor."""

    async def feed(stream: AsyncStream) -> None:
        async with stream:
            async for _ in stream:
                pass

    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving(BODY, folder))
        address = f"127.0.0.1:{served.server.port}"
        page = await stack.enter_async_context(page_of(address))
        client = await stack.enter_async_context(AsyncClient(address))
        browser = await stack.enter_async_context(browsing(f"http://{page}/", viewport={"width": 1400, "height": 960}))
        feeding = await stack.enter_async_context(asyncio.TaskGroup())
        for seed, stream in enumerate(streams):
            faults = [("drop", 21.0, 1.0)] if seed == 0 else []
            recording = perform(PLAYS[stream], rate_hz=60, seed=seed, faults=faults).recording
            opened = client.stream(recording, stream_id=stream, anomaly_scores=True, realtime=SPEED)
            feeding.create_task(feed(opened))
        await browser.until("live")
        yield browser, client
        assert browser.errors == []


def test_a_body_its_labels_clusters_and_alarms(tmp_path: Path, folder: Path) -> None:
    async def run() -> None:
        async with performing(tmp_path, "gym") as (browser, client):
            await browser.until("segments.filter((one) => !one.open).length > 3")
            for cluster, name in zip(await browser.state("segments.map((one) => one.cluster)"), NAMES, strict=False):
                await client.rename("gym", cluster, name)
            await browser.until("nowUs > 22800000")
            await browser.page.locator("#track .final button").nth(3).click()
            await browser.until("explanation !== null")
            await browser.page.evaluate("document.getElementById('side').scrollTop = 0")
            await browser.page.mouse.move(700, 200)
            await asyncio.sleep(0.3)
            await save(browser, folder / "page.png")

    asyncio.run(run())


def test_a_wall_of_streams(tmp_path: Path, folder: Path) -> None:
    async def run() -> None:
        async with performing(tmp_path, *PLAYS) as (browser, client):
            await browser.page.set_viewport_size({"width": 1400, "height": 420})
            await browser.page.locator("#wall-toggle").click()
            await browser.until("wall.tiles.length === 4")
            await browser.until("wall.tiles.some((tile) => tile.alarms.length)")
            for stream in PLAYS:
                seen = [(one.last_seen_us, one.id) for one in await client.clusters(stream) if one.last_seen_us]
                time_us, cluster = max(seen)
                await client.rename(stream, cluster, performed(stream, time_us / 1e6))
            await asyncio.sleep(1)
            await save(browser, folder / "wall.png")

    asyncio.run(run())
