"""What an explanation of a live label costs, those who ask and all others: `python -m benchmarks.explain.live`.

A server of the shipped model body and this process, which sends STREAMS streams of real recordings at their own pace,
share the processor. For a while nobody asks; then somebody asks for the newest segment of one stream after another,
without a pause, which is more than anybody will. ROUNDS times, in turns. `explain_*_ms` is the time from question to
answer, without the first, which starts a worker; `quiet_p99_ms` and `asked_p99_ms` are the time from a frame to its
label without and with the questions. Value: the median of the rounds, low and high the least and the most.
Prints a table and puts its rows into results.json beside this file.
"""

import argparse
import asyncio
import time
from pathlib import Path

import grpc
import numpy as np

from benchmarks.results import Numbers, extremes, save
from benchmarks.speed.load import Load
from benchmarks.speed.service import Process
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import read_recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import ExplanationsStub

STREAMS = 8
BLOCK = 4
"""Frames of a message, a thirtieth of a second."""
RATE_HZ = 120.0
ROUNDS, ROUND_S = 3, 15.0
MODEL = Path(__file__).parents[2] / "models" / "body" / "1"


async def ask(address: str, seconds: float) -> list[float]:
    """Seconds that each of the questions took which were asked one after another for so long."""
    took: list[float] = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub = ExplanationsStub(channel)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begin = time.monotonic()
            await stub.Explain(pb.ExplainRequest(stream_id=f"load-{len(took) % STREAMS}"))
            took.append(time.monotonic() - begin)
    return took


async def measure(data: Path) -> dict[str, Numbers]:
    """All rows."""
    bodies = [mapped(read_recording(path)) for path in sorted((data / "sub86").glob("[0-9][0-9].mat"))]
    process = Process(MODEL)
    load = Load(process.address, bodies[0].skeleton, [body.frames for body in bodies], RATE_HZ)
    found: dict[str, list[float]] = {}
    try:
        await load.add(STREAMS, BLOCK)
        await load.settle(20.0)
        await ask(process.address, 0.1)
        for _ in range(ROUNDS):
            quiet = await load.measure(ROUND_S)
            asked, took = await asyncio.gather(load.measure(ROUND_S), ask(process.address, ROUND_S))
            for name, values, share in (
                ("explain_p50_ms", took, 50),
                ("explain_p95_ms", took, 95),
                ("quiet_p99_ms", quiet, 99),
                ("asked_p99_ms", asked, 99),
            ):
                found.setdefault(name, []).append(1e3 * float(np.percentile(values, share)))
            found.setdefault("explanations", []).append(float(len(took)))
    finally:
        await load.close()
        process.stop()
    return {f"live/{name}": extremes(values) for name, values in found.items()}


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    save(__file__, "live", asyncio.run(measure(parser.parse_args().data)))


if __name__ == "__main__":
    main()
