"""Streams that come, go and break, for half an hour: `python -m benchmarks.faults.churn`.

CALLERS clients of a real server open one stream after the other and end each in one of the ways of WAYS. `opens` counts
them, `errors` ends with another status than that way should have. Memory, file descriptors and threads are those of all
processes of the server together, once a minute: medians and quartiles of the second and the last tenth of the time.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.faults.listeners import WALKING, pieces
from benchmarks.faults.processes import Process, free_port
from benchmarks.results import Numbers, exactly, quartiles, save
from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_to_message, skeleton_to_message
from motionscribe_proto.frames import FrameBlock
from motionscribe_proto.segmentation_pb2_grpc import SegmentationStub

CALLERS = 12
IDS = 300
RETENTION_S = "20"
BLOCK = 15


class Stream:
    """One call, with a few seconds of a recording to send."""

    def __init__(self, stub: SegmentationStub, recording: Recording, stream_id: str, durable: bool) -> None:
        self._stub = stub
        self._recording = recording
        self.opening = pb.Open(
            stream_id=stream_id,
            skeleton=skeleton_to_message(recording.skeleton),
            rate_hz=recording.skeleton.rate_hz,
            provisional=True,
            delivery=pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE,
        )
        self.call: Any = stub.Stream()

    async def write(self, **message: Any) -> None:
        """One request."""
        await self.call.write(pb.StreamRequest(**message))

    async def open(self) -> pb.Opened:
        """Sends Open, waits for Opened."""
        await self.write(open=self.opening)
        response = await self.call.read()
        if response is grpc.aio.EOF:
            await self.call  # raises the status
        opened: pb.Opened = response.opened
        return opened

    async def frames(self, first_seq: int, blocks: int) -> None:
        """Some blocks from this frame on."""
        for start in range(first_seq - 1, first_seq - 1 + blocks * BLOCK, BLOCK):
            rows = slice(start, start + BLOCK)
            block = FrameBlock(start + 1, self._recording.frames[rows], self._recording.timestamps_us[rows])
            await self.write(frames=frames_to_message(block))

    async def rest(self) -> str:
        """Reads to the end; the name of the status."""
        with suppress(grpc.aio.AioRpcError):
            while await self.call.read() is not grpc.aio.EOF:
                pass
        status: str = (await self.call.code()).name
        return status

    async def again(self, token: str) -> pb.Opened:
        """A new call that resumes it."""
        self.call = self._stub.Stream()
        self.opening.resume_token = token
        return await self.open()


async def closes(stream: Stream) -> bool:
    """All went well."""
    await stream.open()
    await stream.frames(1, 8)
    await stream.write(close=pb.Close())
    return await stream.rest() == "OK"


async def half_closes(stream: Stream) -> bool:
    """The same, by the end of the call."""
    await stream.open()
    await stream.frames(1, 3)
    await stream.call.done_writing()
    return await stream.rest() == "OK"


async def vanishes(stream: Stream) -> bool:
    """In the middle of frames."""
    await stream.open()
    await stream.frames(1, 8)
    stream.call.cancel()
    return True


async def vanishes_at_once(stream: Stream) -> bool:
    """Before it is opened."""
    await stream.write(open=stream.opening)
    stream.call.cancel()
    return True


async def is_resumed(stream: Stream) -> bool:
    """Vanishes, comes back and closes."""
    opened = await stream.open()
    await stream.frames(1, 4)
    await stream.call.read()
    stream.call.cancel()
    again = await stream.again(opened.resume_token)
    await stream.frames(again.next_seq, 4)
    await stream.write(close=pb.Close())
    return again.resumed and await stream.rest() == "OK"


async def sends_nonsense(stream: Stream) -> bool:
    """NaN after good frames."""
    opened = await stream.open()
    await stream.frames(1, 2)
    width = len(opened.model.columns)
    wrong = FrameBlock(1 + 2 * BLOCK, np.full((1, width), np.nan, np.float32), np.array([10**9]))
    await stream.write(frames=frames_to_message(wrong))
    return await stream.rest() == "INVALID_ARGUMENT"


async def breaks_the_order(stream: Stream) -> bool:
    """Frames before Open."""
    await stream.frames(1, 1)
    return await stream.rest() == "FAILED_PRECONDITION"


async def does_not_read(stream: Stream) -> bool:
    """For a while, then vanishes."""
    await stream.open()
    await stream.frames(1, 20)
    await asyncio.sleep(2)
    stream.call.cancel()
    return True


WAYS: tuple[Callable[[Stream], Awaitable[bool]], ...] = (
    closes,
    half_closes,
    vanishes,
    vanishes_at_once,
    is_resumed,
    sends_nonsense,
    breaks_the_order,
    does_not_read,
)


class Churn:
    """Callers that count."""

    def __init__(self, recordings: list[Recording], seed: int) -> None:
        self._recordings = recordings
        self._rng = random.Random(seed)
        self._free = [f"churn-{number}" for number in range(IDS)]
        self.opens = self.errors = 0

    async def call(self, port: int, until: float) -> None:
        """One caller, on a connection that it sometimes makes anew."""
        while time.monotonic() < until:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                for _ in range(20):
                    await self._once(SegmentationStub(channel))

    async def _once(self, stub: SegmentationStub) -> None:
        way, durable = self._rng.choice(WAYS), self._rng.random() < 0.3
        # an id waits for its turn, so that a server that has not noticed a loss yet is not asked too soon
        stream_id = self._free.pop(0)
        stream = Stream(stub, self._rng.choice(self._recordings), stream_id, durable)
        self.opens += 1
        try:
            good = await way(stream)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError) as error:
            good = False
            print(f"{way.__name__}: {error!r}"[:500], flush=True)
        self.errors += not good
        self._free.append(stream_id)


def usage(server: Process) -> tuple[float, int, int]:
    """Resident MiB, file descriptors and threads of all its processes."""
    size, files, threads = 0.0, 0, 0
    for process in [Path(f"/proc/{number}") for number in (server.id, *server.workers)]:
        size += int((process / "statm").read_text().split()[1]) * 4096 / 2**20
        files += len(list((process / "fd").iterdir()))
        threads += len(list((process / "task").iterdir()))
    return size, files, threads


async def measure(data: Path, minutes: float, seed: int) -> dict[str, Numbers]:
    """The rows."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        options = ["--limits-resume-within-s", RETENTION_S, "--log-level", "warning"]
        server = await asyncio.to_thread(Process, port, Path(folder) / "store.sqlite", *options)
        churn, until = Churn(pieces(data, WALKING), seed), time.monotonic() + 60 * minutes
        callers = asyncio.gather(*(churn.call(port, until) for _ in range(CALLERS)))
        samples = []
        while time.monotonic() < until:
            await asyncio.sleep(min(60, 60 * minutes / 20))
            samples.append(usage(server))
            print("{:.1f} MiB, {} files, {} threads".format(*samples[-1]), churn.opens, churn.errors, flush=True)
        await callers
        await asyncio.to_thread(server.drain)
    tenth = len(samples) // 10
    rows = {"churn/opens": exactly(churn.opens), "churn/errors": exactly(churn.errors)}
    for name, part in {"early": slice(tenth, 2 * tenth), "late": slice(-tenth, None)}.items():
        for metric, values in zip(("mib", "fds", "threads"), zip(*samples[part], strict=True), strict=True):
            rows[f"churn/{name}_{metric}"] = quartiles(values)
    return rows


def main() -> None:
    """Churns, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    save(__file__, "churn", asyncio.run(measure(options.data, options.minutes, options.seed)))


if __name__ == "__main__":
    main()
