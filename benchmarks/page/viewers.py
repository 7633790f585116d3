"""What viewers of the page cost: `python -m benchmarks.page.viewers`.

STREAMS streams of the shipped model body are sent at RATE_HZ, a frame a message, and labelled with provisional labels.
For a while nobody looks; then as many viewers as streams, each of another stream, read all that the page sends them:
poses, events, tables. ROUNDS times, in turns, each with a page of its own. In cores, which are seconds of the processor
a second:

viewers20_cores  what the server and its workers cost more with the viewers than without
bridge20_cores   what the process of the page costs with them

Value: the median of the rounds, low and high the least and the most. This process sends, receives and reads on the same
processor. Prints a table and puts its rows into results.json beside this file; a round in which a viewer got fewer than
LEAST_POSES poses a second is an error.
"""

import argparse
import asyncio
import json
import time
from collections import Counter

from websockets.asyncio.client import connect
from websockets.typing import Origin

from benchmarks.page.feeds import PageProcess, streaming
from benchmarks.results import Numbers, extremes, save
from benchmarks.speed.service import Process

STREAMS = 20
RATE_HZ = 30.0
ROUNDS, ROUND_S = 3, 30.0
SETTLED_S = 5.0
"""Until what comes at once with a viewer is over."""
LEAST_POSES = 15.0


class Viewer:
    """A WebSocket that reads everything, and counts it by kind."""

    def __init__(self, url: str, stream_id: str) -> None:
        self.seen: Counter[str] = Counter()
        self._url = url
        self._stream_id = stream_id
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with connect(
            self._url.replace("http", "ws", 1) + "/live", origin=Origin(self._url), max_size=None
        ) as socket:
            await socket.send(json.dumps({"do": "watch", "stream": self._stream_id}))
            async for text in socket:
                self.seen[str(text)[:12]] += 1  # {"is":"event ...

    async def stop(self) -> None:
        """Goes. Raises what went wrong while it read."""
        if self._task.done():
            self._task.result()
        self._task.cancel()
        await asyncio.wait([self._task])


async def look(url: str, seconds: float, server: Process, page: PageProcess) -> tuple[float, float]:
    """Cores of the server and of the page while all viewers look. Raises RuntimeError where they see too little."""
    viewers = [Viewer(url, f"load-{number}") for number in range(STREAMS)]
    await asyncio.sleep(SETTLED_S)
    for viewer in viewers:
        viewer.seen.clear()
    before, page_before, begin = server.cpu_s, page.cpu_s, time.monotonic()
    await asyncio.sleep(seconds)
    passed = time.monotonic() - begin
    found = (server.cpu_s - before) / passed, (page.cpu_s - page_before) / passed
    for kind in ('{"is":"poses', '{"is":"event'):
        counts = [viewer.seen[kind] / passed for viewer in viewers]
        print(f"{kind[7:]} messages a second and viewer: {min(counts):.1f} to {max(counts):.1f}", flush=True)
        if kind.endswith("poses") and min(counts) < LEAST_POSES:
            raise RuntimeError(f"expected {LEAST_POSES} poses a second and viewer, got {min(counts):.1f}")
    for viewer in viewers:
        await viewer.stop()
    return found


async def measure(rounds: int, seconds: float) -> dict[str, Numbers]:
    """All rows."""
    more: list[float] = []
    bridge: list[float] = []
    async with streaming(STREAMS, RATE_HZ) as server:
        for _ in range(rounds):
            before, begin = server.cpu_s, time.monotonic()
            await asyncio.sleep(seconds)
            alone = (server.cpu_s - before) / (time.monotonic() - begin)
            page = await asyncio.to_thread(PageProcess, server.address)
            try:
                watched, page_cores = await look(page.url, seconds, server, page)
            finally:
                await asyncio.to_thread(page.stop)
            print(f"server {alone:.2f} cores alone, {watched:.2f} watched; page {page_cores:.2f}", flush=True)
            more.append(watched - alone)
            bridge.append(page_cores)
    return {"page/viewers20_cores": extremes(more), "page/bridge20_cores": extremes(bridge)}


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=ROUND_S, help="of each half of a round")
    options = parser.parse_args()
    save(__file__, "page/viewers", asyncio.run(measure(options.rounds, options.seconds)))


if __name__ == "__main__":
    main()
