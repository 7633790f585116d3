"""How long an Open takes while one of two workers is stopped: `python -m benchmarks.faults.hung_worker`.

Round after round a worker gets SIGSTOP. From then on CLIENTS clients open streams, one after the other, for OPENING_S
seconds. `open_p99_s` is the time from Open to Opened, `errors` counts those that were refused or took longer than
PATIENCE_S. A round begins when all workers are there.
"""

import argparse
import asyncio
import tempfile
import time
from itertools import count
from pathlib import Path

import grpc
import numpy as np

from benchmarks.faults.churn import Stream
from benchmarks.faults.listeners import WALKING, pieces
from benchmarks.faults.processes import Process, free_port
from benchmarks.results import Numbers, exactly, save
from motionscribe_models.recordings import Recording
from motionscribe_proto.segmentation_pb2_grpc import SegmentationStub

CLIENTS = 20
WORKERS = 2
OPENING_S = 15.0
PAUSE_S = 0.5
PATIENCE_S = 60.0


class Openers:
    """Clients that open and go away."""

    def __init__(self, port: int, recording: Recording) -> None:
        self._port = port
        self._recording = recording
        self._numbers = count(1)
        self.seconds: list[float] = []
        self.errors = 0

    async def run(self) -> None:
        """One round."""
        until = time.monotonic() + OPENING_S
        await asyncio.gather(*(self._one_client(until) for _ in range(CLIENTS)))

    async def _one_client(self, until: float) -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self._port}") as channel:
            while time.monotonic() < until:
                await self._open(SegmentationStub(channel))
                await asyncio.sleep(PAUSE_S)

    async def _open(self, stub: SegmentationStub) -> None:
        stream = Stream(stub, self._recording, f"open-{next(self._numbers)}", durable=False)
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await stream.open()
        except (grpc.aio.AioRpcError, TimeoutError) as error:
            self.errors += 1
            print(f"not opened: {error!r}"[:300], flush=True)
        else:
            self.seconds.append(time.monotonic() - began)
        stream.call.cancel()


async def measure(data: Path, rounds: int) -> dict[str, Numbers]:
    """The rows."""
    recording = pieces(data, WALKING)[0]
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        options = ["--workers", str(WORKERS), "--limits-resume-within-s", "1", "--log-level", "warning"]
        server = await asyncio.to_thread(Process, port, Path(folder) / "store.sqlite", *options)
        openers = Openers(port, recording)
        try:
            for _ in range(rounds):
                while len(server.workers) < WORKERS:
                    await asyncio.sleep(0.1)
                server.stop_worker()
                await openers.run()
        finally:
            await asyncio.to_thread(server.drain)
    return {
        "hung_worker/rounds": exactly(rounds),
        "hung_worker/opens": exactly(len(openers.seconds) + openers.errors),
        "hung_worker/errors": exactly(openers.errors),
        "hung_worker/open_p50_s": exactly(round(float(np.median(openers.seconds)), 3)),
        "hung_worker/open_p99_s": exactly(round(float(np.quantile(openers.seconds, 0.99)), 3)),
    }


def main() -> None:
    """Stops workers, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    save(__file__, "hung_worker", asyncio.run(measure(options.data, options.rounds)))


if __name__ == "__main__":
    main()
