"""Streams that come, go and break leave nothing behind: counted in objects, tasks and file descriptors."""

import asyncio
import gc
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.faults.churn import WAYS, Stream, does_not_read
from tests.support.serving import motion, serving
from tests.support.waiting import until

from motionscribe_proto.segmentation_pb2_grpc import SegmentationStub
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.update_writer import UpdateWriter
from motionscribe_server.workers.process import Link

ROUNDS = 4


def alive() -> Counter[str]:
    """What a stream consists of, and what it holds of the system."""
    gc.collect()
    kinds = {LiveStream, UpdateWriter, Link}
    found = Counter({kind.__name__: 0 for kind in kinds})
    found.update(type(thing).__name__ for thing in gc.get_objects() if type(thing) in kinds)
    found["tasks"] = len(asyncio.all_tasks())
    found["files"] = len(list(Path("/proc/self/fd").iterdir()))
    return found


@pytest.mark.parametrize("durable", [False, True])
def test_whatever_way_they_end(tiny_model: Path, tmp_path: Path, durable: bool) -> None:
    async def run() -> None:
        async with serving(
            tiny_model, tmp_path, limits={"resume_within_s": 0.1}, model={"batch_sizes": (1, 4, 16)}
        ) as served:
            stub, recording = SegmentationStub(served.channel), motion(served.skeleton, 4)

            async def each_way(turn: int) -> None:
                ways = [way for way in WAYS if way is not does_not_read or turn == 0]
                streams = [Stream(stub, recording, f"{way.__name__}-{turn}", durable) for way in ways]
                assert all(await asyncio.gather(*(way(s) for way, s in zip(ways, streams, strict=True))))

            async def quiet() -> None:
                pool = served.server.pool
                await until(lambda: not served.server.registry.streams)
                # what was asked of a worker and not answered yet has no public face
                await until(lambda: not any(worker.links or worker._asked for worker in pool.workers))  # noqa: SLF001
                await asyncio.sleep(0.1)

            await each_way(0)  # threads and sockets that stay are made
            await quiet()
            before = alive()
            assert (before["LiveStream"], before["UpdateWriter"], before["Link"]) == (0, 0, 0)
            for turn in range(1, ROUNDS):
                await each_way(turn)
            await quiet()
            assert alive() == before

    asyncio.run(run())
