"""The one door from any source to a stream: frames pass with times that increase, whatever the source's clock does.

In: blocks as a source gives them. Out: blocks without the frames that stamps.py leaves out; these are counted in
`source.dropped`, and a warning says so. What passes has its own number and, unless the sender's clock moved, its time.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import numpy as np

from motionscribe.errors import BadFrames
from motionscribe.sources.base import Source
from motionscribe_models.errors import TimesError
from motionscribe_models.stamps import Stamps, Timed
from motionscribe_proto.frames import FrameBlock

log = logging.getLogger(__name__)

Row = tuple[FrameBlock, int]
"""A frame: its block, and its row there."""


async def in_order(
    source: Source, size: int, restarted: Callable[[int, str], None]
) -> AsyncGenerator[FrameBlock, None]:
    """What passes of `source.blocks(size)`. Raises what the source raises, after all frames before that.

    `restarted` is told at which time a clock that has moved goes on, and why, before the frame of that time passes.
    Raises BadFrames for times that are in the wrong unit, or of which hardly any can be used.
    """
    door = _Door(source, restarted)
    failure: Exception | None = None
    try:
        async with aclosing(source.blocks(size)) as blocks:
            async for block in blocks:
                for part in door.take(block):
                    yield part
                if door.fault:
                    raise door.fault
    except Exception as error:
        failure = error
    finally:
        rest = door.end()
    for part in rest:
        yield part
    if failure:
        raise failure


class _Door:
    """Takes blocks apart and puts together what passes."""

    def __init__(self, source: Source, restarted: Callable[[int, str], None]) -> None:
        self.fault: BadFrames | None = None
        """Why nothing more passes."""
        self._source = source
        self._restarted = restarted
        self._stamps: Stamps[Row] = Stamps(source.rate_hz, source.time_unit)
        self._counted = 0
        self._told = 0

    def take(self, block: FrameBlock) -> list[FrameBlock]:
        """What may go on now."""
        timed: list[Timed[Row]] = []
        try:
            for row, time_us in enumerate(block.timestamps_us.tolist()):
                timed += self._stamps.take(time_us, (block, row))
        except TimesError as error:
            self.fault = BadFrames(str(error))
        if self._count() >= max(1, 10 * self._told):
            self._told = self._counted
            self._tell("left out so far")
        return self._pass(timed)

    def end(self) -> list[FrameBlock]:
        """What was held back, when no more blocks come."""
        rest = self._pass(self._stamps.end())
        if self._count():
            self._tell("left out")
        return rest

    def _pass(self, timed: Sequence[Timed[Row]]) -> list[FrameBlock]:
        for one in timed:
            if one.restart:
                log.warning("%s: %s", self._source.name, one.restart)
                self._restarted(one.time_us, one.restart)
        return _joined(timed)

    def _count(self) -> int:
        """How many frames were left out; the source knows them from now on."""
        dropped = self._stamps.dropped
        self._source.drop(dropped - self._counted)
        self._counted = dropped
        return dropped

    def _tell(self, what: str) -> None:
        log.warning(
            "%s: %s: %d of %d frames, whose times do not increase",
            *(self._source.name, what, self._counted, self._stamps.taken),
        )


def _joined(timed: Sequence[Timed[Row]]) -> list[FrameBlock]:
    """Blocks of rows that follow each other, with their new times."""
    runs: list[list[Timed[Row]]] = []
    for one in timed:
        block, row = one.item
        if runs and runs[-1][-1].item == (block, row - 1):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [_block(run) for run in runs]


def _block(run: Sequence[Timed[Row]]) -> FrameBlock:
    block, row = run[0].item
    part = block.rows(row, row + len(run))
    return FrameBlock(part.first_seq, part.values, np.array([one.time_us for one in run], np.int64), part.confidences)
