"""What clusters look like and where they lie, on the page in a real browser; merges that are undone there."""

import asyncio
from pathlib import Path

from tests.support.browser import Browser, in_a_browser, with_performance

from motionscribe import AsyncClient

pytestmark = in_a_browser


async def drawn(browser: Browser, selector: str) -> str:
    """The pixels of a canvas."""
    return str(await browser.page.locator(selector).first.evaluate("(canvas) => canvas.toDataURL()"))


async def seen_twice(browser: Browser, selector: str) -> tuple[str, str]:
    first = await drawn(browser, selector)
    await asyncio.sleep(0.5)
    return first, await drawn(browser, selector)


def test_each_cluster_has_a_face_that_moves_and_a_place_on_the_map(tmp_path: Path) -> None:
    async def test(browser: Browser, _: AsyncClient) -> None:
        page = browser.page
        await browser.until("faces.size > 0 && [...motionscribe.faces.values()].some(({ clips }) => clips.length)")
        face = page.locator("#clusters .face:not([hidden])").first
        await face.wait_for()
        assert (await face.get_attribute("aria-label") or "").startswith("what ")
        one, other = await seen_twice(browser, "#clusters .face:not([hidden])")
        assert one != other
        await browser.until("map !== null && motionscribe.map.trail.length > 3")
        cluster = await browser.state("segments.at(-1).cluster")
        places = {one["cluster"]: one["place"] for one in await browser.state("map.clusters")}
        assert cluster in places or await browser.state("soft.length") > 0
        one, other = await seen_twice(browser, "#map")
        assert one != other
        assert "The newest moment is called" in (await page.locator("#map").get_attribute("aria-label") or "")
        await page.locator("#map-panel summary").focus()
        await page.keyboard.press("Enter")
        assert await page.locator("#map").is_hidden()
        assert await browser.state("shownUs") is None, "the key was the panel's alone"

    with_performance(tmp_path, test)


def test_a_merge_is_undone_with_the_keyboard_and_for_all_clients(tmp_path: Path) -> None:
    async def test(browser: Browser, client: AsyncClient) -> None:
        page = browser.page
        await browser.until("segments.filter((one) => !one.open).length > 1")
        await page.locator("#clusters li").nth(1).wait_for()
        source, target = [
            int(await page.locator("#clusters li").nth(n).get_attribute("data-cluster") or 0) for n in (1, 0)
        ]
        await client.merge("gym", [source], target)
        split = page.locator(f"#clusters li[data-cluster='{target}'] .split")
        await split.wait_for()
        await split.focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await browser.until(f"clusters.get({source}).merged_into === null")
        assert {one.id: one.merged_into for one in await client.clusters("gym")}[source] is None
        await page.locator(f"#clusters li[data-cluster='{source}']").wait_for()
        await split.wait_for(state="hidden")

    with_performance(tmp_path, test)
