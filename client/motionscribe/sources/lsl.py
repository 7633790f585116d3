"""A Lab Streaming Layer stream as a source: what most motion-capture software can send.

Times are those of the sender's LSL clock, seconds to whole microseconds; nothing is smoothed or shifted. Needs the
extra `lsl`.
"""

import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe.errors import BadFrames, NotFound
from motionscribe.sources.base import Source
from motionscribe.threads import from_thread
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock

# samples that LSL keeps for us: more would be old news
BUFFER_S = 2
# how long a block may fill
GATHER_S = 0.1


def load_pylsl() -> Any:
    """The pylsl module. Raises MissingExtraError."""
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:  # RuntimeError: pylsl without its library
        raise MissingExtraError("lsl", "Lab Streaming Layer") from error
    return pylsl


def open_lsl(name: str, rate_hz: float | None = None) -> Source:
    """The address `lsl:NAME`. The sender's rate counts, not `rate_hz`. Raises what LslSource raises."""
    return LslSource(name)


class LslSource(Source):
    """Samples of the stream called `name`, or the first one of type `name` ("MoCap").

    It ends when the sender has been gone for `timeout_s`. Raises NotFound where no such stream appears within
    `timeout_s` seconds, BadFrames for one that does not hold numbers.
    """

    def __init__(self, name: str, *, skeleton: Skeleton | None = None, timeout_s: float = 5.0) -> None:
        self._pylsl = load_pylsl()
        self._name = name
        self._timeout_s = timeout_s
        info = self._resolve()
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
        self.width = info.channel_count()
        """D, the number of channels."""
        self.dropped = 0
        """Samples whose time was not later than that of the one before."""

    def _resolve(self) -> Any | None:
        if "'" in self._name:
            raise NotFound(f"expected a name without quotes, got {self._name!r}")
        query = f"name='{self._name}' or type='{self._name}'"
        found = self._pylsl.resolve_bypred(query, 1, self._timeout_s)
        return found[0] if found else None

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Blocks of up to `size` samples, read in a thread of its own."""
        try:
            async for block in from_thread(self._read(size)):
                yield block
        finally:
            self._stopped.set()

    def _read(self, size: int) -> Iterator[FrameBlock]:
        next_seq, last_us = 1, None
        while self._info is not None and not self._stopped.is_set():
            inlet = self._pylsl.StreamInlet(self._info, max_buflen=BUFFER_S, recover=False, as_numpy=True)
            try:
                while not self._stopped.is_set():
                    samples, seconds = inlet.pull_chunk(timeout=GATHER_S, max_samples=size)
                    times = np.rint(seconds * 1e6).astype(np.int64)
                    later = _increasing(times, last_us)
                    self.dropped += int(np.count_nonzero(~later))
                    if later.any():
                        block = FrameBlock(next_seq, samples[later].astype(np.float32), times[later])
                        next_seq, last_us = block.next_seq, int(times[later][-1])
                        yield block
            except self._pylsl.util.LostError:
                self._info = self._resolve()


def _increasing(times: NDArray[np.int64], last_us: int | None) -> NDArray[np.bool_]:
    """(n,) True where a time is later than all before it."""
    start = np.iinfo(np.int64).min if last_us is None else last_us
    before = np.maximum.accumulate(np.concatenate([[start], times]))[:-1]
    return np.asarray(times > before)
