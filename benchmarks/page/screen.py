"""How soon a browser shows what happens: `python -m benchmarks.page.screen`. Needs Chromium (`make chromium`).

One stream of the shipped model body at RATE_HZ, a frame a message, and one viewer, a headless Chromium; for SECONDS.

fps                     pictures of the screen a second in which the figure has a new pose: the median second, and the
                        quartiles as low and high. A server sends thirty poses a second at most.
label_to_screen_p95_ms  from when a watcher without a page has a label to the picture of the screen that shows it.
                        Value: the 95th percentile of all; low and high, of thirds of the time.

All is on one machine, and by one clock. A picture counts from when the browser begins to draw it. Prints a table and
puts its rows into results.json beside this file.
"""

import argparse
import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from playwright.async_api import Page, async_playwright

from benchmarks.page.feeds import PageProcess, streaming
from benchmarks.results import Numbers, quartiles, save
from motionscribe import AsyncClient
from motionscribe.events import Label

RATE_HZ = 60.0
SECONDS = 60.0
SETTLED_S = 5.0
STREAM = "load-0"
# before each picture of the screen: what the page is about to draw, by what its store has then
LOOK = """() => {
  const drawn = { poses: [], labels: [] };
  let [pose, label] = [null, null];
  const look = () => {
    const at = (performance.timeOrigin + performance.now()) / 1e3;
    const { poses, soft } = motionscribe;
    if (poses.length && poses.at(-1).timeUs !== pose) {
      pose = poses.at(-1).timeUs;
      drawn.poses.push(at);
    }
    if (soft.length && soft.at(-1).endUs !== label) {
      label = soft.at(-1).endUs;
      drawn.labels.push([label, at]);
    }
    requestAnimationFrame(look);
  };
  window.drawn = drawn;
  requestAnimationFrame(look);
}"""


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Page]:
    """A page of a browser. Raises RuntimeError where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("expected Chromium, got none: make chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(url)
        yield page
        await browser.close()


async def hear(address: str, heard: dict[int, float]) -> None:
    """Notes when each label first came, by its end in source time."""
    async with AsyncClient(address) as client, client.watch(STREAM) as watch:
        async for event in watch:
            if isinstance(event, Label):
                heard.setdefault(event.end_us, time.time())


async def look(url: str, seconds: float) -> dict[str, Any]:
    """When pictures with new poses and new labels were drawn, in seconds since 1970."""
    async with browsing(f"{url}/#{STREAM}") as page:
        while not await page.evaluate("motionscribe.soft.length > 0 && motionscribe.poses.length > 0"):
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLED_S)
        await page.evaluate(LOOK)
        await asyncio.sleep(seconds)
        drawn: dict[str, Any] = await page.evaluate("drawn")
        return drawn


async def measure(seconds: float) -> dict[str, Numbers]:
    """All rows."""
    heard: dict[int, float] = {}
    async with streaming(1, RATE_HZ) as server:
        page = PageProcess(server.address)
        hearing = asyncio.create_task(hear(server.address, heard))
        try:
            drawn = await look(page.url, seconds)
        finally:
            hearing.cancel()
            await asyncio.wait([hearing])
            page.stop()
    poses = np.array(drawn["poses"])
    fps = np.bincount((poses - poses[0]).astype(int))[:-1]  # the last second is not whole
    delays = np.array([1e3 * (at - heard[label]) for label, at in drawn["labels"] if label in heard])
    thirds = [float(np.percentile(third, 95)) for third in np.array_split(delays, 3)]
    p95 = {
        "value": round(float(np.percentile(delays, 95)), 2),
        "low": round(min(thirds), 2),
        "high": round(max(thirds), 2),
    }
    print(f"a new pose in {len(poses) / (poses[-1] - poses[0]):.2f} pictures a second on average")
    print(f"labels to screen: median {np.median(delays):.1f} ms, the longest {delays.max():.1f} ms")
    return {"page/fps": quartiles(fps.tolist()), "page/label_to_screen_p95_ms": {**p95, "n": len(delays)}}


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    save(__file__, "page/screen", asyncio.run(measure(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
