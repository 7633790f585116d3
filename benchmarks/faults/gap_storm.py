"""What one stream of nothing but gaps costs another one: `python -m benchmarks.faults.gap_storm`.

An innocent stream of 30 Hz, a moment a message, shares the only worker with a storm: messages of STORM frames, each
GAP_S after the one before, as many as the credits allow. The latency is from sending a message to the Update that says
that its frames are computed. `p99_ratio` is the 99th percentile during the storm over the one before it.
"""

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.faults.listeners import WALKING, pieces
from benchmarks.faults.processes import Process, free_port
from benchmarks.results import Numbers, exactly, save
from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_to_message, skeleton_to_message
from motionscribe_proto.frames import FrameBlock
from motionscribe_proto.segmentation_pb2_grpc import SegmentationStub

STORM = 4000
GAP_S = 0.3
MESSAGE = 3
"""Frames of the innocent stream in a message, a moment of the shipped model."""


def block(recording: Recording, first_seq: int, frames: int, apart_s: float) -> pb.StreamRequest:
    """The next frames of a recording that is played in a loop."""
    at = first_seq - 1 + np.arange(frames)
    times = np.round(at * apart_s * 1e6).astype(np.int64)
    values = recording.frames[at % len(recording.frames)]
    return pb.StreamRequest(frames=frames_to_message(FrameBlock(first_seq, values, times)))


async def opened(stub: SegmentationStub, stream_id: str, recording: Recording) -> tuple[Any, int]:
    """A call, and its credits."""
    call: Any = stub.Stream()
    skeleton = skeleton_to_message(recording.skeleton)
    opening = pb.Open(stream_id=stream_id, skeleton=skeleton, rate_hz=WALKING.rate_hz, provisional=True)
    await call.write(pb.StreamRequest(open=opening))
    return call, (await call.read()).opened.credits


def storm(port: int, recording: Recording, begin: Any) -> None:
    """A process of its own: what it hears must not slow down who measures. It never ends."""

    async def run() -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call, credits = await opened(SegmentationStub(channel), "storm", recording)
            await asyncio.to_thread(begin.wait)
            seq = 1
            while True:
                while credits < STORM:
                    credits += (await call.read()).update.credits
                await call.write(block(recording, seq, STORM, GAP_S))
                seq, credits = seq + STORM, credits - STORM

    asyncio.run(run())


class Innocent:
    """A stream in real time. `latencies` are pairs of when a message was sent, and seconds until it was computed."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._waiting: dict[int, float] = {}
        self.latencies: list[tuple[float, float]] = []

    async def run(self, port: int, seconds: float) -> None:
        """So long, and until all is computed."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call, _ = await opened(SegmentationStub(channel), "innocent", self._recording)
            listening = asyncio.create_task(self._listen(call))
            begin = time.monotonic()
            for number in count():
                due = begin + number * MESSAGE / WALKING.rate_hz
                if due > begin + seconds:
                    break
                await asyncio.sleep(due - time.monotonic())
                first_seq = 1 + number * MESSAGE
                self._waiting[first_seq + MESSAGE - 1] = time.monotonic()
                await call.write(block(self._recording, first_seq, MESSAGE, 1 / WALKING.rate_hz))
            await call.write(pb.StreamRequest(close=pb.Close()))
            await listening

    async def _listen(self, call: Any) -> None:
        while (response := await call.read()) is not grpc.aio.EOF:
            now = time.monotonic()
            for seq in [seq for seq in self._waiting if seq <= response.update.durable_seq]:
                sent = self._waiting.pop(seq)
                self.latencies.append((sent, now - sent))


async def measure(data: Path, seconds: float) -> dict[str, Numbers]:
    """The rows."""
    recording = pieces(data, WALKING)[0]
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        options = ["--workers", "1", "--log-level", "warning"]
        server = await asyncio.to_thread(Process, port, Path(folder) / "store.sqlite", *options)
        begin = spawn.Event()
        stormer = spawn.Process(target=storm, args=(port, recording, begin), daemon=True)
        stormer.start()
        innocent = Innocent(recording)
        try:
            running = asyncio.create_task(innocent.run(port, 2 * seconds))
            await asyncio.sleep(seconds)
            began = time.monotonic()
            begin.set()
            await running
        finally:
            stormer.kill()
            await asyncio.to_thread(server.drain)
    before = [latency for sent, latency in innocent.latencies if sent < began]
    during = [latency for sent, latency in innocent.latencies if sent >= began]
    p99_before, p99_during = np.quantile(before, 0.99), np.quantile(during, 0.99)
    return {
        "gap_storm/messages": exactly(len(during)),
        "gap_storm/p99_before_ms": exactly(round(1e3 * float(p99_before), 1)),
        "gap_storm/p99_during_ms": exactly(round(1e3 * float(p99_during), 1)),
        "gap_storm/p99_ratio": exactly(round(float(p99_during / p99_before), 2)),
    }


def main() -> None:
    """Storms, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seconds", type=float, default=60, help="before the storm, and of it")
    options = parser.parse_args()
    save(__file__, "gap_storm", asyncio.run(measure(options.data, options.seconds)))


if __name__ == "__main__":
    main()
