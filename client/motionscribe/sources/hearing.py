"""What any source says, moment by moment, for who wants it as it came: to record it, or to judge it."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import aclosing
from queue import Empty, SimpleQueue

from motionscribe.errors import NotFound
from motionscribe.feed_clock import now_us
from motionscribe.sources.base import Source
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import ANY_RATE_HZ, Body, Moment
from motionscribe_models.skeleton import Skeleton, feature_skeleton

WAIT_S = 0.1


def hear(source: Source) -> Generator[Moment | None, None, None]:
    """Moments as they come, None where none has come for a tenth of a second. Raises what the source raises.

    Of a feed what its reader heard. Of any other source a moment is a frame, and came when its block came. Close it
    when no more are wanted.
    """
    return source.moments() if isinstance(source, LiveFeed) else _frames(source)


def nothing_came(source: Source) -> NotFound:
    """The error of a source that said nothing."""
    if not isinstance(source, LiveFeed):
        return NotFound(f"expected frames of {source.name}, got none")
    strange = source.reader.strange
    but = f", but {strange} packets that are something else" if strange else ""
    return NotFound(f"expected {source.reader.where}, got nothing{but}")


def claimed_hz(source: Source) -> float | None:
    """The rate that the sender says it has, as far as it is known by now; None where it says none."""
    return (source.reader.rate_hz if isinstance(source, LiveFeed) else source.rate_hz) or None


def _frames(source: Source) -> Generator[Moment | None, None, None]:
    queue: SimpleQueue[Moment | BaseException | None] = SimpleQueue()
    stopped = threading.Event()

    async def read() -> None:
        await source.ready()
        skeleton = source.skeleton
        async with aclosing(source.blocks(1)) as blocks:  # one frame at a time comes as soon as it can
            async for block in blocks:
                arrived_us = now_us()
                skeleton = skeleton or source.skeleton or _channels(source, block.values.shape[1])
                for row, time_us in enumerate(block.timestamps_us.tolist()):
                    sure = None if block.confidences is None else block.confidences[row]
                    queue.put(Moment(time_us, arrived_us, [Body(skeleton, block.values[row], sure)]))
                if stopped.is_set():
                    return

    def run() -> None:
        end: BaseException | None = None
        try:
            asyncio.run(read())
        except BaseException as error:
            end = error
        queue.put(end)

    threading.Thread(target=run, name=f"motionscribe-{source.name}", daemon=True).start()
    try:
        while True:
            try:
                item = queue.get(timeout=WAIT_S)
            except Empty:
                yield None
                continue
            if not isinstance(item, Moment):
                break
            yield item
    finally:
        stopped.set()
    if item:
        raise item


def _channels(source: Source, width: int) -> Skeleton:
    names = tuple(f"channel_{n}" for n in range(1, width + 1))
    return feature_skeleton(source.name, names, source.rate_hz or ANY_RATE_HZ)
