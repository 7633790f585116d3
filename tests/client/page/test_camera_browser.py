"""The camera in a real browser: Chromium's fake one shows a film of a person who walks.

Skipped where there is no Chromium, no pose model (make camera), or no film (benchmarks/page/film.py).
"""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from benchmarks.page.film import FLAGS, camera_flags, walking_film
from playwright.async_api import Error
from tests.support.browser import BODY, CHROMIUM, Browser, browsing
from tests.support.page import page_of
from tests.support.serving import serving

from motionscribe import Client
from motionscribe.page.pose_model import HOW, find_pose_model

POSE_MODEL = find_pose_model(None)
SLOW_S = 120.0
"""A pose takes 30 ms on a processor that does nothing else, and many times as long beside other tests."""
NAMED = "clusters.values().some(({ name, guessed }) => name === 'strolling' && !guessed)"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: make chromium"),
    pytest.mark.skipif(POSE_MODEL is None, reason="no pose model: make camera"),
]


@pytest.fixture(scope="module")
def film() -> Path:
    """Of one person."""
    try:
        return walking_film()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no film: {error}")


async def state_of(browser: Browser, wanted: Callable[[str], bool]) -> str:
    """What the camera's panel says, as soon as it is what is wanted."""
    async with asyncio.timeout(SLOW_S):
        while not wanted(said := await browser.page.inner_text("#camera-panel [role=status]")):
            await asyncio.sleep(0.05)
    return said


async def until(browser: Browser, expression: str) -> None:
    """With more patience than Browser.until."""
    async with asyncio.timeout(SLOW_S):
        while not await browser.state(expression):
            await asyncio.sleep(0.1)


async def name_first(browser: Browser) -> None:
    """Names the first cluster of the list by clicking. A camera of few pictures has clusters that soon merge: again."""
    async with asyncio.timeout(SLOW_S):
        while not await browser.state(NAMED):
            await browser.page.locator("#clusters li .name").first.click()
            await browser.page.keyboard.type("strolling")
            await browser.page.keyboard.press("Enter")
            with suppress(TimeoutError):
                await asyncio.wait_for(until(browser, NAMED), 5)


def test_who_walks_before_the_camera_is_labelled_and_the_label_named(tmp_path: Path, film: Path) -> None:
    def names(address: str, stream: str) -> set[str]:
        with Client(address) as client:
            return {one.name for one in client.clusters(stream) if not one.guessed}

    async def film_until(browser: Browser, expression: str) -> None:
        await browser.page.get_by_role("button", name="Camera").click()
        await state_of(browser, lambda said: said.startswith("on: "))
        await until(browser, expression)

    async def stop(browser: Browser) -> None:
        await browser.page.get_by_role("button", name="Stop the camera").click()
        await until(browser, "streams.length === 0")
        assert await browser.page.locator("#camera-panel").is_hidden()

    async def run() -> None:
        async with serving(BODY, tmp_path) as served:
            port = served.server.port
            address = f"127.0.0.1:{port}"
            async with (
                page_of(address, pose_model=POSE_MODEL) as page,
                browsing(f"http://{page}/", *camera_flags(film)) as browser,
            ):
                # 0 is a moment that belongs to nothing yet
                await film_until(browser, "segments.some((one) => one.segment && one.cluster)")
                stream = str(await browser.state("chosen"))
                assert stream.startswith("camera-")
                assert await browser.state("skeleton.representation") == "body"
                await browser.page.wait_for_selector("#track .final button[aria-label*='min:s']")
                await name_first(browser)
                assert "strolling" in await asyncio.to_thread(names, address, stream)
                await stop(browser)
                await served.stop()

                own_port = {"models": BODY.parents[1], "load": ("body",), "port": port, "workers": 1}
                async with serving(BODY, tmp_path, server=own_port):
                    await until(browser, "error === null")  # the page has found it
                    assert "strolling" in await asyncio.to_thread(names, address, stream)
                    await film_until(browser, NAMED)
                    assert await browser.state("chosen") == stream
                    await stop(browser)
                assert browser.errors == []
                assert browser.hosts == {page}

    asyncio.run(run())


def with_camera(test: Callable[[Browser], Awaitable[None]], *flags: str, pose_model: Path | None = POSE_MODEL) -> None:
    """Clicks on "Camera" in a page of a server that is away, and runs a test."""

    async def run() -> None:
        async with (
            page_of("127.0.0.1:9", pose_model=pose_model) as page,
            browsing(f"http://{page}/", *flags) as browser,
        ):
            await browser.page.click("#camera")
            await test(browser)
            assert browser.errors == []
            assert browser.hosts == {page}

    asyncio.run(run())


def test_nobody_in_sight_and_no_server() -> None:
    async def test(browser: Browser) -> None:
        await state_of(browser, lambda said: said == "nobody in sight")
        assert "127.0.0.1:9" in await state_of(browser, lambda said: said.startswith("no connection"))
        assert await browser.page.inner_text("#camera") == "Camera"

    with_camera(test, *FLAGS)


def test_no_camera() -> None:
    async def test(browser: Browser) -> None:
        said = await state_of(browser, lambda said: said.startswith("no camera: "))
        assert said == "no camera: Requested device not found"

    with_camera(test)


def test_no_pose_model() -> None:
    async def test(browser: Browser) -> None:
        assert await state_of(browser, lambda said: "pose model" in said) == HOW

    with_camera(test, *FLAGS, pose_model=None)


def test_no_camera_where_the_page_is_not_encrypted() -> None:
    async def run() -> None:
        async with page_of("127.0.0.1:9", token="secret", pose_model=POSE_MODEL) as page:
            port = page.split(":")[1]
            other_host = "--host-resolver-rules=MAP lab.example 127.0.0.1"
            async with browsing(f"http://lab.example:{port}/", *FLAGS, other_host) as browser:
                await browser.page.fill("#token", "secret")
                async with browser.page.expect_navigation():
                    await browser.page.press("#token", "Enter")
                await browser.page.click("#camera")
                said = await state_of(browser, lambda said: said.startswith("no camera: "))
                assert said.endswith(f"localhost or https alone, got http://lab.example:{port}")

    asyncio.run(run())


def test_the_page_compiles_webassembly_and_evaluates_no_text() -> None:
    async def test(browser: Browser) -> None:
        await state_of(browser, lambda said: said == "nobody in sight")
        # by a timer, since what a test evaluates at once is not bound by the policy
        await browser.page.evaluate("() => { setTimeout('window.evaluated = true', 0); }")
        await asyncio.sleep(0.3)
        assert await browser.page.evaluate("window.evaluated") is None
        assert any("violates the following Content Security Policy" in said for said in browser.errors)
        with pytest.raises(Error, match="violates the following Content Security Policy"):
            await browser.page.add_script_tag(content="1")
        browser.errors.clear()  # the console says the same

    with_camera(test, *FLAGS)
