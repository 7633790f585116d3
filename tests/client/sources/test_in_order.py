"""Frames pass with times that increase; who runs the command line is told of those that do not."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scripted_server import ScriptedServer

from motionscribe import FrameBlock, IterableSource
from motionscribe.sources import Source
from motionscribe.sources.in_order import in_order

FEED = """
import sys
from motionscribe import cli
from motionscribe.sources import IterableSource, schemes

def open_feed(address, rate_hz):
    times = [eval(address, {"n": n}) for n in range(300)]
    return IterableSource(((time, [n % 5, 0.5]) for n, time in enumerate(times)), name="feed", rate_hz=30.0)

schemes.SCHEMES += (schemes.Scheme("feed", "TIMES", "frames", "__main__:open_feed"),)
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("times", "code", "told"),
    [
        ("33_333 * n", 0, []),
        (
            "33_333 * (n - (n in (100, 200)))",
            0,
            [
                "feed: left out so far: 1 of 102 frames, whose times do not increase",
                "feed: left out: 2 of 300 frames, whose times do not increase",
            ],
        ),
        (
            "33_333 * n + 5 * 10**9 - 36 * 10**8 * (n >= 150)",
            0,
            ["feed: the sender's clock went back by 3599.967 s: times are the sender's +3600.966667 s from here on"],
        ),
        ("33 * n", 1, ["motionscribe: 30 Hz was said, times come every 33 us: expected microseconds"]),
    ],
)
def test_the_command_line_tells(times: str, code: int, told: list[str]) -> None:
    with ScriptedServer() as server:
        command = [sys.executable, "-c", FEED, "stream", f"feed:{times}", "--json", "--address", server.address]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=60)
    assert (done.stderr.splitlines(), done.returncode) == (told, code)


class Blocks(Source):
    """Of any sizes, and then an error."""

    def __init__(self, blocks: list[FrameBlock]) -> None:
        self._blocks = blocks

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        for block in self._blocks:
            yield block
        raise OSError("unplugged")


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    dropped=st.sets(st.integers(1, 60)),
    confident=st.booleans(),
)
def test_frames_keep_their_numbers_values_and_confidences(sizes: list[int], dropped: set[int], confident: bool) -> None:
    blocks, seq = [], 1
    for size in sizes:
        numbers = np.arange(seq, seq + size)
        times = np.array([10_000 * (n if n not in dropped else 0) for n in numbers.tolist()])
        values = numbers[:, None].astype(np.float32)
        blocks.append(FrameBlock(seq, values, times, values / np.float32(100) if confident else None))
        seq += size
    source = Blocks(blocks)
    came: list[FrameBlock] = []

    async def run() -> None:
        async for block in in_order(source, 5, lambda time_us, reason: None):
            came.append(block)  # noqa: PERF401  # those before the error count

    with pytest.raises(OSError, match="unplugged"):
        asyncio.run(run())
    passed = [n for block in came for n in range(block.first_seq, block.next_seq)]
    kept = [n for n in range(1, seq) if n == 1 or n not in dropped]
    assert passed == kept
    assert source.dropped == seq - 1 - len(kept)
    for block in came:
        seqs = np.arange(block.first_seq, block.next_seq)
        assert block.values[:, 0].tolist() == seqs.tolist()
        assert block.timestamps_us.tolist() == [0 if n in dropped else 10_000 * n for n in seqs.tolist()]
        assert (block.confidences is not None) == confident


def test_a_block_that_is_in_order_passes_whole() -> None:
    block = FrameBlock(1, np.ones((7, 2), np.float32), 10_000 * np.arange(7))

    async def run() -> list[FrameBlock]:
        return [part async for part in in_order(IterableSource([block]), 3, lambda time_us, reason: None)]

    (part,) = asyncio.run(run())
    assert np.shares_memory(part.values, block.values)
