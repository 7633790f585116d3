"""An hour of frames at 120 Hz through each feed: `python -m benchmarks.feeds.hour`.

A simulator in a process of its own sends a synthetic performance over and over, SPEED times as fast as it was, until an
hour of it has gone by; the client's side of the feed hears it, and passes it through the door that every stream has.
`frames` were sent from the first that was heard on, `dropped` of them came out of no door, `strange` counts packets
that were taken for none of the feed's. Pace and processor are those of SPEED: at its own pace an hour asks for less.
"""

import argparse
import asyncio
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.feeds.simulated import ADDRESSES, Sent, Simulator, simulator, write_performance
from benchmarks.results import exactly, save
from motionscribe.sources import Source
from motionscribe.sources.in_order import in_order
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.schemes import Scheme, senders

RATE_HZ, ROUND_S, SPEED, HOUR_S = 120.0, 600.0, 20.0, 3600.0
BLOCK = 12
SCRIPT = [("walk", 10.0), ("squat", 10.0), ("wave", 10.0)]


async def hear(source: Source) -> np.ndarray:
    """Times of the frames that passed the door."""
    await source.ready()
    async with aclosing(in_order(source, BLOCK, lambda time_us, reason: None)) as blocks:
        return np.concatenate([block.timestamps_us async for block in blocks])


async def run(source: Source, sender: Simulator) -> tuple[np.ndarray, Sent]:
    """Frames that came, and those that left."""
    hearing = asyncio.create_task(hear(source))
    await asyncio.to_thread(sender.go)
    sent = await asyncio.to_thread(sender.sent)
    if isinstance(source, LiveFeed):
        await asyncio.sleep(1.0)
        source.close()
    return await hearing, sent


def measure(scheme: Scheme, path: Path, speed: float, rounds: int) -> dict[str, float]:
    """One feed."""
    with simulator(scheme, path, speed, rounds) as sender:
        source = scheme.open(ADDRESSES[scheme.name])
        came, sent = asyncio.run(run(source, sender))
    strange = source.reader.strange if isinstance(source, LiveFeed) else 0
    awaited = int((sent[:, 0] >= came[0] - 2000).sum())  # clocks of whole milliseconds
    return {"frames": awaited, "dropped": awaited - len(came), "strange": strange, "speed": speed_of(sent)}


def speed_of(sent: Sent) -> float:
    """Times the pace of life at which frames left: a simulator may be slower than it was asked to be."""
    return round(float(np.ptp(sent[:, 0]) / np.ptp(sent[:, 1])), 1)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=SPEED)
    parser.add_argument("--feeds", nargs="+", default=[scheme.name for scheme in senders()])
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "performance.npz"
        write_performance(path, SCRIPT * round(ROUND_S / 30), RATE_HZ)
        for scheme in senders():
            if scheme.name in options.feeds:
                found = measure(scheme, path, options.speed, round(HOUR_S / ROUND_S))
                rows = {f"hour/{scheme.name}/{name}": exactly(value) for name, value in found.items()}
                save(__file__, f"hour/{scheme.name}", rows)  # each at once: all of them take a while


if __name__ == "__main__":
    main()
