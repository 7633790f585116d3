"""From a picture of the camera to its label on the screen: `python -m benchmarks.page.camera`.

Chromium shows a film of one person as its camera. Server, page and browser share this machine, which needs no GPU: the
pose is found by WebAssembly. `pictures_per_s` counts the pictures that were searched, `pose_ms` is the time from the
capture of one until its landmarks are sent, `frame_to_label_*_ms` from its capture until the page has drawn the first
label, provisional or final, that covers it; `without_label` is the share of pictures for which none came in time, as in
gaps. Value is the median of ROUNDS rounds, low and high the least and the most. `load` is the average number of
processes that wanted the processor, ours included: what else runs changes everything.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from playwright.async_api import async_playwright

from benchmarks.page.film import camera_flags, walking_film
from benchmarks.results import Numbers, extremes, save
from motionscribe.page.pose_model import HOW, find_pose_model
from motionscribe_models.shipped import shipped_models

ROUNDS, MEASURED_S, PATIENCE_S = 3, 30.0, 120.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LISTEN = """
const GIVEN_UP_MS = 5000;
const now = () => performance.timeOrigin + performance.now();
const send = WebSocket.prototype.send;
let waiting = [];
window.measured = { pose: [], label: [], lost: 0 };
WebSocket.prototype.send = function (data) {
  if (data instanceof ArrayBuffer) {
    const timeUs = new Float64Array(data, 0, 1)[0];
    measured.pose.push(now() - timeUs / 1000);
    waiting.push(timeUs);
  }
  return send.call(this, data);
};
function look() {
  requestAnimationFrame(look);
  const { soft, segments } = window.motionscribe ?? { soft: [], segments: [] };
  const spans = [...soft, ...segments.slice(-5)];
  const covered = waiting.filter((time) => spans.some(({ startUs, endUs }) => startUs <= time && time < endUs));
  // what this picture of the screen draws is on it when the browser comes to the next task
  const task = new MessageChannel();
  task.port1.onmessage = () => measured.label.push(...covered.map((time) => now() - time / 1000));
  task.port2.postMessage(null);
  const rest = waiting.filter((time) => !covered.includes(time));
  waiting = rest.filter((time) => now() - time / 1000 < GIVEN_UP_MS);
  measured.lost += rest.length - waiting.length;
}
requestAnimationFrame(look);
"""
"""What the browser runs before the page: it looks at what the page sends and at what it shows."""


@contextmanager
def started(*command: str) -> Iterator[str]:
    """A module of ours in a process, and the last word of its first line: where it listens."""
    with subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


async def measure(url: str, film: Path) -> dict[str, float]:
    """The numbers of one round."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera_flags(film)])
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.add_init_script(LISTEN)
        await page.goto(url)
        await page.get_by_role("button", name="Camera").click()
        async with asyncio.timeout(PATIENCE_S):
            while not await page.evaluate("motionscribe.segments.some(({ cluster }) => cluster)"):
                await asyncio.sleep(0.1)
        await page.evaluate("Object.assign(measured, { pose: [], label: [], lost: 0 })")
        await asyncio.sleep(MEASURED_S)
        found: dict[str, Any] = await page.evaluate("measured")
        await browser.close()
    p50, p95 = np.percentile(found["label"], [50, 95]).tolist()
    return {
        "pictures_per_s": len(found["pose"]) / MEASURED_S,
        "pose_ms": float(np.median(found["pose"])),
        "frame_to_label_p50_ms": p50,
        "frame_to_label_p95_ms": p95,
        "without_label": found["lost"] / (found["lost"] + len(found["label"])),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if CHROMIUM is None or find_pose_model(None) is None:
        raise SystemExit(f"expected Chromium (make chromium) and a pose model, got none: {HOW}")
    rounds = []
    film = walking_film()
    for _ in range(options.rounds):
        with TemporaryDirectory() as folder:
            server = ["motionscribe_server", "--port=0", f"--models={shipped_models()}", "--load=body"]
            with (
                started(*server, f"--storage-location={folder}/store.sqlite") as address,
                started("motionscribe", "page", "--port=0", f"--address={address}") as url,
            ):
                rounds.append(asyncio.run(measure(url, film)))
        print({name: round(value, 2) for name, value in rounds[-1].items()}, flush=True)
    rows: dict[str, Numbers] = {f"camera/{name}": extremes([numbers[name] for numbers in rounds]) for name in rounds[0]}
    save(__file__, "camera", rows)


if __name__ == "__main__":
    main()
