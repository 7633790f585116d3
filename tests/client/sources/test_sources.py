"""Where frames come from: files, iterables that may wait, and a queue that never blocks the camera."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.support.scripted_server import COLUMNS, ScriptedServer

from motionscribe import Client, FrameBlock, IterableSource, PushSource, errors, file_source
from motionscribe.events import Label
from motionscribe.sources import Source, as_source
from motionscribe.threads import from_thread
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times
from motionscribe_models.skeleton import Skeleton, feature_skeleton


def collect(source: Source, size: int) -> list[FrameBlock]:
    """All blocks, checked to be numbered on without a hole."""

    async def run() -> list[FrameBlock]:
        return [block async for block in source.blocks(size)]

    blocks = asyncio.run(run())
    assert [block.first_seq for block in blocks] == [1, *[block.next_seq for block in blocks[:-1]]]
    return blocks


def joined(blocks: list[FrameBlock]) -> tuple[np.ndarray, np.ndarray]:
    """Values and times of all blocks."""
    return np.concatenate([b.values for b in blocks]), np.concatenate([b.timestamps_us for b in blocks])


@pytest.mark.data
def test_a_file_becomes_its_frames(data_dir: Path) -> None:
    source = file_source(data_dir / "cmu_raw" / "86_01.amc")
    assert (source.rate_hz, source.name) == (120.0, "86_01")
    assert source.skeleton
    assert source.skeleton.columns == CMU_EXPMAP.columns
    blocks = collect(source, 12)
    values, times = joined(blocks)
    assert values.shape == (4579, 96)
    assert {len(block) for block in blocks[:-1]} == {12}
    np.testing.assert_array_equal(times, even_times(len(times), 120.0))


def test_a_recording_in_memory_and_a_rate_of_ones_own(tmp_path: Path) -> None:
    columns = ",".join(COLUMNS)
    path = tmp_path / "machine.csv"
    path.write_text(f"{columns}\n" + "\n".join(f"{n},0.5" for n in range(7)))
    source = file_source(path, rate_hz=10.0)
    values, times = joined(collect(source, 3))
    assert values[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert times.tolist() == [100_000 * n for n in range(7)]
    with pytest.raises(RecordingError, match=r"expected a file ending in .*got \.xyz"):
        as_source(str(tmp_path / "foreign.xyz"))
    frames = np.ones((5, 2), np.float32)
    recording = Recording("r", frames, even_times(5, 50.0), feature_skeleton("two", COLUMNS, 50.0))
    assert [len(block) for block in collect(as_source(recording), 2)] == [2, 2, 1]


def test_blocks_pass_an_iterable_as_they_are() -> None:
    given = [
        FrameBlock(1, np.ones((3, 2), np.float32), np.arange(3)),
        FrameBlock(4, np.ones((1, 2), np.float32), np.arange(1)),
    ]
    assert collect(IterableSource(given), 100) == given
    with pytest.raises(errors.BadFrames, match="pairs or FrameBlocks only, got FrameBlock"):
        collect(IterableSource([(5, [1.0, 2.0]), given[0]]), 100)
    with pytest.raises(errors.BadFrames, match="pairs or FrameBlocks only, got ndarray"):
        collect(as_source(np.ones((4, 2))), 100)


def test_a_source_that_waits_does_not_hold_up_the_loop() -> None:
    """The iterable hangs until the loop, which would hang with it, says go."""
    go = threading.Event()

    def camera() -> Iterator[tuple[int, list[float]]]:
        yield 0, [1.0]
        assert go.wait(20)
        yield 1, [2.0]

    async def run() -> list[float]:
        seen = []
        async for block in IterableSource(camera()).blocks(1):
            seen.append(float(block.values[0, 0]))
            go.set()
        return seen

    assert asyncio.run(run()) == [1.0, 2.0]


def test_reading_ahead_is_bounded_and_ends_with_the_reader() -> None:
    read = threading.Semaphore(0)
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(1_000_000):
            taken.append(n)
            read.release()
            yield n

    async def run() -> None:
        items = from_thread(numbers(), ahead=3)
        assert await anext(items) == 0
        for _ in range(4):  # three ahead, and one in the hand of the thread that waits for room
            await asyncio.to_thread(read.acquire)
        assert len(taken) == 4
        await items.aclose()

    asyncio.run(run())
    assert len(taken) <= 5


def test_push_never_waits_and_drops_the_oldest() -> None:
    source = PushSource(capacity=5)
    for n in range(12):
        source.push([float(n), 0.0], 1000 * n)
    assert source.dropped == 7
    source.close()
    source.push([99.0, 0.0], 99_000)
    assert source.dropped == 8
    values, times = joined(collect(source, 2))
    assert values[:, 0].tolist() == [7, 8, 9, 10, 11]
    assert times.tolist() == [7000, 8000, 9000, 10000, 11000]


def test_push_copies_and_checks_what_it_gets() -> None:
    source = PushSource()
    buffer = np.zeros(2)
    source.push(buffer, 1)
    buffer[:] = 7
    with pytest.raises(errors.BadFrames, match=r"shape \(2,\), got \(3,\)"):
        source.push([1.0, 2.0, 3.0], 2)
    with pytest.raises(errors.BadFrames, match=r"shape \(2,\), got \(1, 2\)"):
        source.push([[1.0, 2.0]], 2)
    source.close()
    assert joined(collect(source, 10))[0].tolist() == [[0.0, 0.0]]
    with pytest.raises(errors.BadFrames, match=r"shape \(96,\), got \(2,\)"):
        PushSource(skeleton=CMU_EXPMAP).push([1.0, 2.0], 1)
    with pytest.raises(ValueError, match="capacity of 1 frame or more"):
        PushSource(capacity=0)


def test_push_takes_a_confidence_for_each_joint() -> None:
    source = PushSource(skeleton=Skeleton("leg", ("hip", "knee"), (-1, 0), "positions", "m", 1.0, "y", 30.0))
    for n in range(3):
        source.push(np.full(6, n), 1000 * n, [0.5, n / 4])
    with pytest.raises(errors.BadFrames, match=r"expected confidences of shape \(2,\), got \(3,\)"):
        source.push(np.zeros(6), 4000, [1.0, 1.0, 1.0])
    source.push(np.zeros(6), 5000)
    source.close()
    whole, last = collect(source, 3)
    assert whole.confidences is not None
    assert whole.confidences.tolist() == [[0.5, 0.0], [0.5, 0.25], [0.5, 0.5]]
    assert last.confidences is None


def test_a_camera_thread_feeds_a_stream() -> None:
    source = PushSource(capacity=1000, rate_hz=100.0)

    def camera() -> None:
        for n in range(200):
            source.push([float(n % 3), 0.0], 10_000 * n)
        source.close()

    with ScriptedServer() as server, Client(server.address) as client:
        stream = client.stream(source)
        thread = threading.Thread(target=camera)
        thread.start()
        came = [event for event in stream if isinstance(event, Label)]
        thread.join()
    assert source.dropped == 0
    assert [label.cluster for label in came] == [n % 3 for n in range(200)]
    assert [label.start_seq for label in came] == list(range(1, 201))


def test_frames_that_wait_for_company_leave_after_a_moment() -> None:
    source = PushSource()

    async def run() -> FrameBlock:
        blocks = source.blocks(100)
        first = asyncio.ensure_future(anext(blocks))
        source.push([1.0], 1)
        source.push([2.0], 2)
        block = await first
        await blocks.aclose()
        return block

    assert asyncio.run(run()).values.ravel().tolist() == [1.0, 2.0]
