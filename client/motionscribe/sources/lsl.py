"""A Lab Streaming Layer stream as a source: what most motion-capture software can send.

It holds on to one sender. Times are those of the sender's LSL clock, seconds to whole microseconds; nothing is smoothed
or shifted. Where channels are places of joints, these are the skeleton; else they are as they come. Needs the extra
`lsl`.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe.errors import BadFrames, NotFound
from motionscribe.feed_clock import FeedClock, now_us
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sources.base import Source
from motionscribe.sources.gate import FEW
from motionscribe.sources.live_feed import OPENING_S
from motionscribe.sources.lsl_channels import read_places
from motionscribe.sources.lsl_places import frames_of, skeleton_of
from motionscribe.threads import from_thread
from motionscribe_models.recordings.channels import PlaceChannels
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock

# what LSL keeps for us while the server is away
BUFFER_S = 360
# a sender may be back before its last samples have come
SLACK_S = 0.5
# how long a block may fill
GATHER_S = 0.1
# farther than any time that stamps.py believes
BEYOND_US = 2.0**62

Chunk = tuple[NDArray[Any], NDArray[np.int64]]


def open_lsl(name: str, rate_hz: float | None = None) -> Source:
    """The address `lsl:NAME`. The sender's rate counts, not `rate_hz`. Raises what LslSource raises."""
    return LslSource(name)


class LslSource(Source):
    """Samples of the stream called `name`, or the first one of type `name` ("MoCap").

    It ends when that sender has been gone for `timeout_s`: one that starts again is known by its source_id, and no
    other stream of that name or type takes its place. Raises NotFound where no such stream appears within `timeout_s`
    seconds, BadFrames for one that does not hold numbers.

    `skeleton` says what all channels are. Else channels that are places of joints are the skeleton, in the unit and
    axes that `ready` finds in the first frames, and others are left out; of channels without places nothing is known.
    `ready` raises NotFound where no joint is seen within ten seconds, `blocks` BadFrames where the sender starts again
    with other places.
    """

    time_unit = "seconds"
    live = True

    def __init__(self, name: str, *, skeleton: Skeleton | None = None, timeout_s: float = 5.0) -> None:
        self._pylsl = load_pylsl()
        self._timeout_s = timeout_s
        if "'" in name:
            raise NotFound(f"expected a name without quotes, got {name!r}")
        info = self._find(f"name='{name}' or type='{name}'")
        if info is None:
            there = ", ".join(sorted(f"{i.name()} ({i.type()})" for i in self._pylsl.resolve_streams(0.5)))
            raise NotFound(
                f"expected a Lab Streaming Layer stream named or of type {name!r} within {timeout_s:g} s, "
                f"found {there or 'none'}"
            )
        if info.channel_format() == self._pylsl.cf_string:
            raise BadFrames(f"expected a stream of numbers, got strings from {info.name()}")
        self._info = info
        self._stopped = threading.Event()
        self.name = info.name()
        self.skeleton = skeleton
        self.rate_hz = info.nominal_srate()
        self.clock: FeedClock = FeedClock()
        self._given = skeleton is not None
        self._places = self._read_places()
        self.notes = self._places.notes if self._places else ()
        self._size = FEW
        self._reading: AsyncGenerator[FrameBlock, None] | None = None
        self._first: FrameBlock | None = None

    def _read_places(self) -> PlaceChannels | None:
        """Those that the sender describes now, if its description counts."""
        return None if self._given else read_places(self._info, self._timeout_s)

    def _find(self, predicate: str) -> Any | None:
        """The first stream, within the time-out, of which the XPath `predicate` is true."""
        found = self._pylsl.resolve_bypred(predicate, 1, self._timeout_s)
        self._found_s = self._pylsl.local_clock()
        return found[0] if found else None

    def _identity(self) -> str:
        """A predicate that is true of this sender, where it has a source_id also after it has started again."""
        info = self._info
        fields = {"source_id": info.source_id()} if info.source_id() else {"uid": info.uid()}
        fields |= {"name": info.name(), "type": info.type(), "channel_count": str(info.channel_count())}
        return " and ".join(f"{field}={_literal(value)}" for field, value in fields.items())

    async def ready(self) -> None:
        """Waits for the first frames of joints, which `blocks` gives."""
        if self._places is None or self._first:
            return
        self._reading = self._read_in_thread()
        try:
            async with asyncio.timeout(OPENING_S):
                self._first = await anext(self._reading, None)
        except TimeoutError:
            pass
        if self._first is None:
            raise NotFound(f"expected places of joints in {self.name} within {OPENING_S:g} s, got none")

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Blocks of up to `size` samples, read in a thread of its own."""
        self._size = size
        await self.ready()
        async with aclosing(self._reading or self._read_in_thread()) as blocks:
            if self._first:
                for part in _parts(self._first, size):
                    yield part
            async for block in blocks:
                for part in _parts(block, size):
                    yield part

    async def _read_in_thread(self) -> AsyncGenerator[FrameBlock, None]:
        try:
            async for block in from_thread(self._read()):
                yield block
        finally:
            self._stopped.set()

    def _read(self) -> Iterator[FrameBlock]:
        """Blocks of what comes; of a stream with places from the first joint on that is seen."""
        seq, chunks, places = 1, self._chunks(), self._places
        if places:
            early = self._early(places, chunks)
            if early is None:
                return
            self.skeleton, notes = skeleton_of(places, *early, self.rate_hz)
            self.rate_hz, self.notes = self.skeleton.rate_hz, (*self.notes, *notes)
            chunks = chain([early], chunks)
        for samples, times in chunks:
            values, sure = frames_of(places, samples) if places else (samples.astype(np.float32), None)
            block = FrameBlock(seq, values, times, sure)
            seq = block.next_seq
            yield block

    def _early(self, places: PlaceChannels, chunks: Iterator[Chunk]) -> Chunk | None:
        """The frames that show the space; None where none comes with a joint that is seen."""
        kept: list[Chunk] = []
        for samples, times in chunks:
            if not kept and np.isnan(frames_of(places, samples)[0]).all():
                self.drop(len(samples))
                continue
            kept.append((samples, times))
            if sum(len(times) for _, times in kept) >= FEW:
                break
        if not kept:
            return None
        samples_of, times_of = zip(*kept, strict=True)
        return np.concatenate(samples_of), np.concatenate(times_of)

    def _chunks(self) -> Iterator[Chunk]:
        """Samples (n, C) and their times in microseconds, of one sender however often it starts."""
        identity = self._identity()
        alike = self._pylsl.ContinuousResolver(pred=identity)
        while self._info is not None:
            # liblsl's own recovery would take any stream of this source_id, or of this name and type
            inlet = self._pylsl.StreamInlet(self._info, max_buflen=BUFFER_S, recover=False, as_numpy=True)
            others: set[str] = set()
            heard_s = self._found_s
            try:
                if self._read_places() != self._places:
                    raise BadFrames(f"expected the places that it had before, got others from {self.name}")
                while not self._stopped.is_set():
                    samples, seconds = inlet.pull_chunk(timeout=GATHER_S, max_samples=self._size)
                    if len(samples):
                        heard_s = self._pylsl.local_clock()
                        # many programs have one source_id for all senders: who is there while ours sends is another one
                        others |= {info.uid() for info in alike.results()} - {self._info.uid()}
                        times = _microseconds(seconds)
                        # those before it have waited for it
                        self.clock.take(int(times[-1]), now_us() - self._age_us(inlet, float(seconds[-1])))
                        yield samples, times
                return
            except (self._pylsl.util.LostError, NotFound):
                others_left = "".join(f" and uid!={_literal(uid)}" for uid in sorted(others))
                self._info = self._find(identity + others_left + self._began_after(heard_s))

    def _age_us(self, inlet: Any, seconds: float) -> int:
        """How long ago a sample was made, by both clocks.

        0, as if it were made when it came, until LSL has measured how far they are apart, and for times that are none
        of LSL's clock.
        """
        try:
            made_s = seconds + inlet.time_correction(0.0)  # measured in another thread, in half a second
        except RuntimeError:  # not measured yet, or the sender is gone
            return 0
        age_s = self._pylsl.local_clock() - made_s
        return round(age_s * 1e6) if -SLACK_S < age_s < BUFFER_S else 0

    def _began_after(self, heard_s: float) -> str:
        """A predicate that is false of those on the sender's machine that were there when it was heard last.

        By the clock of that machine, which was at least `created_at` when the sender was found.
        """
        info = self._info
        earliest_s = info.created_at() + heard_s - self._found_s - SLACK_S
        return f" and (hostname!={_literal(info.hostname())} or created_at>={earliest_s:.3f})"


def _parts(block: FrameBlock, size: int) -> Iterator[FrameBlock]:
    """Before anybody asked for a size, frames were read in another one."""
    for start in range(0, len(block), size):
        yield block.rows(start, min(start + size, len(block)))


def _microseconds(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole ones; those that no int64 can be are beyond what any time can be."""
    finite = np.nan_to_num(seconds * 1e6, nan=np.inf)
    return np.rint(np.clip(finite, -BEYOND_US, BEYOND_US)).astype(np.int64)


def _literal(text: str) -> str:
    """Text in a predicate, which knows no escapes."""
    if "'" not in text:
        return f"'{text}'"
    parts = text.split("'")
    return "concat(" + """, "'", """.join(f"'{part}'" for part in parts) + ")"
