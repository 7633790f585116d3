"""The page as axe-core judges it: no serious or critical violation, in light and dark, on a desk and on a phone."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page
from tests.support.browser import Browser, browsing, in_a_browser, with_performance
from tests.support.page import page_of

from motionscribe import AsyncClient

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

pytestmark = [
    *in_a_browser,
    pytest.mark.skipif(not AXE.exists(), reason="no axe-core: make node_modules/.package-lock.json"),
]


async def violations(page: Page) -> list[tuple[str, str, list[str]]]:
    """Rule, what it says, and the elements, of what is serious or critical. The page's policy must be passed over."""
    await page.add_script_tag(path=AXE)
    found: dict[str, Any] = await page.evaluate("axe.run()")
    assert found["passes"]
    return [
        (one["id"], one["help"], [_told(node) for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def _told(node: dict[str, Any]) -> str:
    checks: Iterable[dict[str, Any]] = [*node["any"], *node["all"], *node["none"]]
    return f"{node['html']} {'; '.join(check['message'] for check in checks)}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_live_stream(scheme: str, tmp_path: Path) -> None:
    async def test(browser: Browser, _: AsyncClient) -> None:
        page = browser.page
        await page.locator("#clusters li").nth(1).wait_for()
        await page.locator("#alarms li").first.wait_for()
        await page.locator("#track .alarms > *").first.wait_for(state="attached")
        assert await violations(page) == []
        await page.locator("#track .final button[tabindex='0']").focus()
        await page.keyboard.press("Enter")
        await page.locator("#why tbody tr").nth(3).wait_for()
        await page.keyboard.press("k")
        await page.wait_for_selector("body.looking-back")
        await page.locator("#clusters .merge").first.click()
        assert await violations(page) == []
        await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        assert await violations(page) == []

    faults = [("drop", 3.0, 4.0)]
    with_performance(tmp_path, test, faults=faults, color_scheme=scheme, bypass_csp=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_form_to_log_in_and_an_empty_page(scheme: str, size: dict[str, int]) -> None:
    async def run() -> None:
        options: dict[str, Any] = {"color_scheme": scheme, "viewport": size, "bypass_csp": True}
        async with page_of("127.0.0.1:9", token="secret") as page, browsing(f"http://{page}/", **options) as browser:
            assert browser.page.url.endswith("/login")
            assert await violations(browser.page) == []
            await browser.page.locator("#token").fill("secret")
            async with browser.page.expect_navigation():
                await browser.page.locator("#token").press("Enter")
            await browser.page.locator("#link.bad").wait_for()
            assert await violations(browser.page) == []

    asyncio.run(run())
