"""A Lab Streaming Layer stream as a source: what most motion-capture software can send.

It holds on to one sender. Times are those of the sender's LSL clock, seconds to whole microseconds; nothing is smoothed
or shifted. Needs the extra `lsl`.
"""

import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe.errors import BadFrames, NotFound
from motionscribe.feed_clock import FeedClock, now_us
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sources.base import Source
from motionscribe.sources.finding import Found
from motionscribe.threads import from_thread
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


def open_lsl(name: str, rate_hz: float | None = None) -> Source:
    """The address `lsl:NAME`. The sender's rate counts, not `rate_hz`. Raises what LslSource raises."""
    return LslSource(name)


def find_lsl(seconds: float) -> list[Found]:
    """Streams of numbers. Raises MissingExtraError."""
    pylsl = load_pylsl()
    streams = [info for info in pylsl.resolve_streams(seconds) if info.channel_format() != pylsl.cf_string]
    named = {info.name(): info for info in streams}
    return [
        Found(
            name,
            f"{info.type() or 'no type'}, {info.channel_count()} channels, from {info.hostname()}",
            0,
            info.nominal_srate(),
        )
        for name, info in sorted(named.items())
    ]


class LslSource(Source):
    """Samples of the stream called `name`, or the first one of type `name` ("MoCap").

    It ends when that sender has been gone for `timeout_s`: one that starts again is known by its source_id, and no
    other stream of that name or type takes its place. Raises NotFound where no such stream appears within `timeout_s`
    seconds, BadFrames for one that does not hold numbers.
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
        self.width = info.channel_count()
        """D, the number of channels."""

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

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Blocks of up to `size` samples, read in a thread of its own."""
        try:
            async for block in from_thread(self._read(size)):
                yield block
        finally:
            self._stopped.set()

    def _read(self, size: int) -> Iterator[FrameBlock]:
        next_seq = 1
        identity = self._identity()
        alike = self._pylsl.ContinuousResolver(pred=identity)
        while self._info is not None:
            # liblsl's own recovery would take any stream of this source_id, or of this name and type
            inlet = self._pylsl.StreamInlet(self._info, max_buflen=BUFFER_S, recover=False, as_numpy=True)
            others: set[str] = set()
            heard_s = self._found_s
            try:
                while not self._stopped.is_set():
                    samples, seconds = inlet.pull_chunk(timeout=GATHER_S, max_samples=size)
                    if len(samples):
                        heard_s = self._pylsl.local_clock()
                        # many programs have one source_id for all senders: who is there while ours sends is another one
                        others |= {info.uid() for info in alike.results()} - {self._info.uid()}
                        times = _microseconds(seconds)
                        self.clock.take(int(times[-1]), now_us())  # those before it have waited for it
                        block = FrameBlock(next_seq, samples.astype(np.float32), times)
                        next_seq = block.next_seq
                        yield block
                return
            except self._pylsl.util.LostError:
                others_left = "".join(f" and uid!={_literal(uid)}" for uid in sorted(others))
                self._info = self._find(identity + others_left + self._began_after(heard_s))

    def _began_after(self, heard_s: float) -> str:
        """A predicate that is false of those on the sender's machine that were there when it was heard last.

        By the clock of that machine, which was at least `created_at` when the sender was found.
        """
        info = self._info
        earliest_s = info.created_at() + heard_s - self._found_s - SLACK_S
        return f" and (hostname!={_literal(info.hostname())} or created_at>={earliest_s:.3f})"


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
