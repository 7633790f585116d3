"""From a frame on the network to its label in a sink: `python -m benchmarks.feeds.latency`.

For each feed a simulator, in a process of its own, sends a synthetic performance at 120 Hz to 127.0.0.1; the client
hears it, a server with the model `body` labels it, and a sink takes the events. All four share this machine. A frame's
time runs from when it left the simulator until the first label, provisional or final, that covers it was written.
`dropped` counts frames that the client heard and did not send; `unlabelled` is the share of frames that no label
covered within the run, as the first and the last ones. Value is that of all rounds together, low and high those of the
best and the worst round.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.feeds.simulated import ADDRESSES, Sent, Simulator, simulator, write_performance
from benchmarks.results import Numbers, pooled, save
from motionscribe import AsyncClient
from motionscribe.events import Label
from motionscribe.feed_clock import now_us
from motionscribe.sources import Source
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.schemes import Scheme, senders
from motionscribe_models.shipped import shipped_models

RATE_HZ, ROUNDS = 120.0, 3
SCRIPT = [("walk", 10.0), ("squat", 10.0), ("wave", 10.0)]
NEAR_US = 3000
"""Clocks of whole milliseconds are as far from the time that was sent."""

Written = list[tuple[int, int, int]]
"""Of each label: its span by the sender's clock, and when it was written."""


async def listen(address: str, source: Source) -> tuple[Written, int]:
    """Labels of one feed, and how many frames the client dropped."""
    written: Written = []
    async with AsyncClient(address) as client, client.stream(source, model="body", stream_id=source.name) as stream:
        async for event in stream:
            if isinstance(event, Label):
                written.append((event.start_us, event.end_us, now_us()))
    return written, source.dropped


def latencies(sent: Sent, written: Sequence[tuple[int, int, int]]) -> NDArray[np.float64]:
    """Milliseconds of each frame that was labelled."""
    first = np.full(len(sent), np.iinfo(np.int64).max)
    for start_us, end_us, at_us in written:
        start, end = np.searchsorted(sent[:, 0], [start_us - NEAR_US, end_us - NEAR_US])
        np.minimum(first[start:end], at_us, out=first[start:end])
    covered = first < np.iinfo(np.int64).max
    milliseconds: NDArray[np.float64] = (first[covered] - sent[covered, 1]) / 1000
    return milliseconds


def measure(scheme: Scheme, address: str, path: Path) -> dict[str, NDArray[np.float64]]:
    """One round."""

    async def run(source: Source, sender: Simulator) -> tuple[Written, int, Sent]:
        listening = asyncio.create_task(listen(address, source))
        await asyncio.to_thread(sender.go)
        sent = await asyncio.to_thread(sender.sent)
        if isinstance(source, LiveFeed):  # others end by themselves
            await asyncio.sleep(1.0)
            source.close()
        return *(await listening), sent

    with simulator(scheme, path) as sender:
        written, dropped, sent = asyncio.run(run(scheme.open(ADDRESSES[scheme.name]), sender))
    milliseconds = latencies(sent, written)
    assert len(milliseconds) > len(sent) / 2, f"{scheme.name}: {len(milliseconds)} of {len(sent)} frames have a label"
    unlabelled = 1 - len(milliseconds) / len(sent)
    return {"latency": milliseconds, "dropped": np.array([dropped], float), "unlabelled": np.array([unlabelled])}


@contextmanager
def a_server(folder: Path) -> Iterator[str]:
    """The address of a server of its own process."""
    command = [sys.executable, "-m", "motionscribe_server", "--port=0", f"--models={shipped_models()}", "--load=body"]
    with subprocess.Popen(
        [*command, f"--storage-location={folder}/store.sqlite"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--feeds", nargs="+", default=[scheme.name for scheme in senders()])
    options = parser.parse_args()
    rows: dict[str, Numbers] = {}
    with TemporaryDirectory() as folder, a_server(Path(folder)) as address:
        path = Path(folder) / "performance.npz"
        write_performance(path, SCRIPT, RATE_HZ)
        for scheme in senders():
            if scheme.name not in options.feeds:
                continue
            rounds = [measure(scheme, address, path) for _ in range(options.rounds)]
            for name, share in (("p50_ms", 50), ("p99_ms", 99)):
                each = [float(np.percentile(one["latency"], share)) for one in rounds]
                of_all = float(np.percentile(np.concatenate([one["latency"] for one in rounds]), share))
                rows[f"feed/{scheme.name}/{name}"] = pooled(of_all, each)
            for name in ("dropped", "unlabelled"):
                counts = [float(one[name][0]) for one in rounds]
                rows[f"feed/{scheme.name}/{name}"] = pooled(sum(counts) if name == "dropped" else max(counts), counts)
            print({k.rpartition("/")[2]: v["value"] for k, v in rows.items() if f"/{scheme.name}/" in k}, flush=True)
    save(__file__, "feed", rows)


if __name__ == "__main__":
    main()
