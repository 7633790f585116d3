"""Feeds that fail and clocks that move, on a real server: what was accepted is told, by every door alike."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.serving import Shared, alone, final, motion, shared

from motionscribe import AsyncClient, Client, FrameBlock, PushSource, events
from motionscribe.errors import BadFrames
from motionscribe.sources import AnySource, IterableSource, Source
from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Event
from motionscribe_server.session.options import SessionOptions

HOUR_US = 3_600_000_000
RATE = 120.0
GOOD = 250
"""Frames before the one that fails, in the middle of a block."""


def begin(recording: Recording, count: int) -> Recording:
    return replace(recording, frames=recording.frames[:count], timestamps_us=recording.timestamps_us[:count])


@pytest.fixture(scope="module")
def server(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One for all tests of this file."""
    with shared(tiny_model, tmp_path_factory.mktemp("feeds")) as served:
        yield served


def stream(server: Shared, source: AnySource, blocking: bool = False, **options: object) -> tuple[list[Event], str]:
    """The events of a source, and what was raised after them."""
    address = f"127.0.0.1:{server.served.server.port}"
    came: list[Event] = []

    def block() -> None:
        with Client(address) as client:
            came.extend(client.stream(source, provisional=False, **options))  # type: ignore[arg-type]

    async def run() -> None:
        if blocking:
            await asyncio.to_thread(block)
            return
        async with AsyncClient(address) as client:
            async for event in client.stream(source, provisional=False, **options):  # type: ignore[arg-type]
                came.append(event)  # noqa: PERF401  # those before an error count

    try:
        server.runner.run(run())
    except Exception as error:
        return came, f"{type(error).__name__}: {error}"
    return came, ""


# -- what fails


def nan(frame: NDArray[np.float32]) -> object:
    return np.full_like(frame, np.nan)


def too_wide(frame: NDArray[np.float32]) -> object:
    return np.append(frame, 0.0)


def unplugged(frame: NDArray[np.float32]) -> object:
    raise OSError("camera unplugged")


def no_frame(frame: NDArray[np.float32]) -> object:
    return "no frame"


@pytest.mark.parametrize(
    ("fail", "expected"),
    [
        (nan, f"BadFrames: expected finite values of at most .*, got nan in .* of frame {GOOD + 1}"),
        (too_wide, r"BadFrames: expected a frame of shape \(\d+,\), got \(\d+,\)"),
        (unplugged, "OSError: camera unplugged"),
        (no_frame, r"BadFrames: expected a frame of shape \(\d+,\), got could not convert"),
    ],
)
@pytest.mark.parametrize("durable", [False, True], ids=["live", "durable"])
@pytest.mark.parametrize("blocking", [False, True], ids=["asyncio", "blocking"])
@pytest.mark.parametrize("pace", [None, 20.0], ids=["flat out", "paced"])
def test_what_was_accepted_is_told_before_the_error(
    server: Shared,
    fail: Callable[[NDArray[np.float32]], object],
    expected: str,
    durable: bool,
    blocking: bool,
    pace: float | None,
) -> None:
    recording = motion(server.served.skeleton, 4)

    def feed() -> Iterator[tuple[int, object]]:
        for place, (time, frame) in enumerate(zip(recording.timestamps_us, recording.frames, strict=True)):
            yield int(time), fail(frame) if place == GOOD else frame

    came, error = stream(server, feed(), blocking, durable=durable, realtime=pace)  # type: ignore[arg-type]
    assert came == alone(server.served, begin(recording, GOOD), SessionOptions(provisional=False))
    assert pytest.raises(AssertionError, match=expected).matches(AssertionError(error)), error


def test_a_feed_that_fails_at_once_is_told_at_once(server: Shared) -> None:
    def feed() -> Iterator[tuple[int, object]]:
        raise OSError("no camera")
        yield

    assert stream(server, feed()) == ([], "OSError: no camera")  # type: ignore[arg-type]


def test_numbers_that_run_backwards_end_the_stream_after_what_was_accepted(server: Shared) -> None:
    recording = motion(server.served.skeleton, 2)
    blocks = [FrameBlock(1, recording.frames[:200], recording.timestamps_us[:200])]
    blocks.append(FrameBlock(7, recording.frames[200:], recording.timestamps_us[200:]))
    came, error = stream(server, blocks)
    assert came == alone(server.served, begin(recording, 200), SessionOptions(provisional=False))
    assert error == "BadFrames: expected frame 201 or a later one, got frame 7"


# -- clocks that move, through every door


class OwnFeed(Source):
    """As a stranger writes one."""

    def __init__(self, frames: FrameBlock) -> None:
        self._frames = frames
        self.rate_hz = RATE

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        for start in range(0, len(self._frames), size):
            yield self._frames.rows(start, min(start + size, len(self._frames)))


def pushed(frames: FrameBlock) -> Source:
    source = PushSource(capacity=len(frames), rate_hz=RATE)
    for time, frame in zip(frames.timestamps_us.tolist(), frames.values, strict=True):
        source.push(frame, time)
    source.close()
    return source


def pairs(frames: FrameBlock) -> Source:
    return IterableSource(zip(frames.timestamps_us.tolist(), frames.values, strict=True), rate_hz=RATE)


def blocks(frames: FrameBlock) -> Source:
    return IterableSource([frames], rate_hz=RATE)


DOORS = (OwnFeed, pushed, pairs, blocks)


def with_times(recording: Recording, change: Callable[[list[int]], None]) -> FrameBlock:
    """Its frames by a clock that misbehaves."""
    times = recording.timestamps_us.tolist()
    change(times)
    return FrameBlock(1, recording.frames, np.array(times))


def set_back(times: list[int]) -> None:
    times[240:] = [time - HOUR_US for time in times[240:]]


def one_ahead(times: list[int]) -> None:
    times[240] += 200_000 * 10**6


def one_twice(times: list[int]) -> None:
    times[240] = times[239]


def two_swapped(times: list[int]) -> None:
    times[240], times[241] = times[241], times[240]


@pytest.mark.parametrize("durable", [False, True], ids=["live", "durable"])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("change", [set_back, one_ahead, one_twice, two_swapped])
def test_labels_go_on(
    server: Shared,
    door: Callable[[FrameBlock], Source],
    change: Callable[[list[int]], None],
    durable: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    recording = motion(server.served.skeleton, 6)
    source = door(with_times(recording, change))
    with caplog.at_level(logging.WARNING, "motionscribe"):
        came, error = stream(server, source, durable=durable)
    assert error == ""
    labels = [event for event in final(came) if isinstance(event, events.Label)]
    assert (labels[0].start_seq, labels[-1].end_seq) == (1, len(recording.frames) + 1)
    assert all(one.end_seq == two.start_seq for one, two in pairwise(labels))
    restarts = [event for event in came if isinstance(event, events.Restarted)]
    if change is set_back:
        (restart,) = restarts
        assert restart.seq == 241
        assert restart.reason.startswith("the sender's clock went back by 3599.9")
        assert any(isinstance(event, events.Gap) and event.end_us == restart.time_us for event in came)
        assert (source.dropped, len(caplog.messages)) == (0, 1)
        assert restart.reason in caplog.text
    else:
        assert restarts == []
        assert source.dropped == 1
        assert caplog.messages[-1].endswith("left out: 1 of 720 frames, whose times do not increase")


@pytest.mark.parametrize("durable", [False, True], ids=["live", "durable"])
@pytest.mark.parametrize("door", DOORS)
def test_the_wrong_unit_is_told(server: Shared, door: Callable[[FrameBlock], Source], durable: bool) -> None:
    def milliseconds(times: list[int]) -> None:
        times[:] = [1_764_350_000_000 + 8 * place for place in range(len(times))]

    source = door(with_times(motion(server.served.skeleton, 4), milliseconds))
    _, error = stream(server, source, durable=durable)
    assert error == f"{BadFrames.__name__}: 120 Hz was said, times come every 8 us: expected microseconds"
