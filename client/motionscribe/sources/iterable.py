"""Any iterable as a source: (timestamp_us, frame) pairs or FrameBlocks, plain or async."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionscribe.errors import BadFrames
from motionscribe.sources.base import Source, as_row, as_time, pack
from motionscribe.threads import from_thread
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock

Item = FrameBlock | tuple[int, ArrayLike]


class IterableSource(Source):
    """Pairs are numbered as they come and gathered into blocks; FrameBlocks pass as they are, their numbers may jump.

    A plain iterable is read in a thread of its own and may wait for its frames, so that no command paces it.
    """

    live = True

    def __init__(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        name: str = "stream",
        skeleton: Skeleton | None = None,
        rate_hz: float = 0.0,
    ) -> None:
        self._items = items
        self.name = name
        self.skeleton = skeleton
        self.rate_hz = rate_hz or (skeleton.rate_hz if skeleton else 0.0)

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Raises BadFrames for items of another form, and whatever the iterable raises, after what came before."""
        if isinstance(self._items, AsyncIterable):
            packer = _Packer(size)
            failure: Exception | None = None
            try:
                async for item in self._items:
                    for block in packer.push(item):
                        yield block
            except Exception as error:
                failure = error
            for block in packer.rest(failure):
                yield block
        else:
            async for block in from_thread(_packed(self._items, size)):
                yield block


def _packed(items: Iterable[Item], size: int) -> Iterator[FrameBlock]:
    packer = _Packer(size)
    failure: Exception | None = None
    try:
        for item in items:
            yield from packer.push(item)
    except Exception as error:
        failure = error
    yield from packer.rest(failure)


class _Packer:
    """Gathers pairs into blocks of `size` frames."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: list[tuple[int, NDArray[np.float32]]] = []
        self._width = 0
        self._next_seq = 1

    def push(self, item: Item) -> Iterator[FrameBlock]:
        """A block when one is complete. Raises BadFrames for another kind of item than before."""
        match item:
            case FrameBlock() if not self._rows:
                self._next_seq = item.next_seq
                yield item
            case (time_us, frame):
                row = as_time(time_us), as_row(frame, self._width)
                self._rows.append(row)
                self._width = len(row[1])
                if len(self._rows) == self._size:
                    yield from self.rest()
            case _:
                raise BadFrames(f"expected (timestamp_us, frame) pairs or FrameBlocks only, got {type(item).__name__}")

    def rest(self, failure: Exception | None = None) -> Iterator[FrameBlock]:
        """What waits for its block to fill; then raises `failure`, where there is one."""
        if self._rows:
            block = pack(self._next_seq, self._rows)
            self._rows, self._next_seq = [], block.next_seq
            yield block
        if failure:
            raise failure
