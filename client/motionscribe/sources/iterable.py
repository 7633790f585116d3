"""Any iterable as a source: (timestamp_us, frame) pairs or FrameBlocks, plain or async."""

import operator
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from typing import TypeVar

from numpy.typing import ArrayLike

from motionscribe.errors import BadFrames
from motionscribe.sources.base import Source, pack
from motionscribe.threads import from_thread
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock

Item = FrameBlock | tuple[int, ArrayLike]
T = TypeVar("T")


class IterableSource(Source):
    """Pairs are numbered as they come and gathered into blocks; FrameBlocks pass as they are, their numbers may jump.

    A plain iterable is read in a thread of its own and may wait for its frames.
    """

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
        """Raises BadFrames for items of another form, and whatever the iterable raises."""
        if isinstance(self._items, AsyncIterable):
            packer = _Packer(size)
            async for item in self._items:
                if block := packer.push(item):
                    yield block
            if block := packer.rest():
                yield block
        else:
            async for block in from_thread(_packed(self._items, size)):
                yield block


def _packed(items: Iterable[Item], size: int) -> Iterator[FrameBlock]:
    packer = _Packer(size)
    for item in items:
        if block := packer.push(item):
            yield block
    if block := packer.rest():
        yield block


class _Packer:
    """Gathers pairs into blocks of `size` frames."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._times: list[int] = []
        self._frames: list[ArrayLike] = []
        self._next_seq = 1

    def push(self, item: Item) -> FrameBlock | None:
        """A block when one is complete."""
        match item:
            case FrameBlock() if not self._times:
                self._next_seq = item.next_seq
                return item
            case (time_us, frame):
                try:
                    self._times.append(operator.index(time_us))
                except TypeError:
                    raise BadFrames(f"expected a time in whole microseconds, got {time_us!r}") from None
                self._frames.append(frame)
                return self.rest() if len(self._times) == self._size else None
            case _:
                raise BadFrames(f"expected (timestamp_us, frame) pairs or FrameBlocks only, got {type(item).__name__}")

    def rest(self) -> FrameBlock | None:
        """What waits for its block to fill, None where nothing does."""
        if not self._times:
            return None
        block = pack(self._next_seq, self._times, self._frames)
        self._times, self._frames = [], []
        self._next_seq = block.next_seq
        return block
