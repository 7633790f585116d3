"""A live feed as a source: what a reader hears, read in a thread of its own, as a source for each person in it.

The thread begins with the feed and waits for nobody: of a person whose frames are not taken the oldest go, as in
push.py. What comes and is not the protocol's is passed over and counted.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing, suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Protocol

import numpy as np

from motionscribe.errors import NotFound
from motionscribe.feed_clock import FeedClock, now_us
from motionscribe.sources.base import Source
from motionscribe.sources.gate import MOST_PEOPLE, Gate
from motionscribe.sources.moments import Moment
from motionscribe.sources.push import CAPACITY, PushSource
from motionscribe_proto.frames import FrameBlock

log = logging.getLogger(__name__)

SILENCE_S = 60.0
"""A feed that is silent for so long has ended: a sender that is started again is waited for, a forgotten one is not."""
OPENING_S = 10.0
"""How long a stream of one person waits until somebody is there."""
GATHER_S = 0.1
"""How long whoever asks for moments waits for one."""
EARLY = 256
"""Moments that are kept until somebody says which way the feed is used."""
HINT_S = 3.0
"""Then somebody wonders why nothing comes."""


class Reader(Protocol):
    """Hears one sender. Its methods are called in one thread."""

    where: str
    """What it waits for, for people: "VMC on UDP port 39539"."""
    rate_hz: float
    """What the sender says of its rate, 0 where nothing."""
    strange: int
    """Packets that came and were another protocol's, or damaged: they are passed over."""

    def moments(self) -> Generator[Moment | None, None, None]:
        """Moments as they come, None when nothing has come for a tenth of a second, or what came is no moment yet.

        Whoever asks can so stop at any time, also while others than the sender send. Closed when no more are wanted.
        Ends where the sender says that there is no more. Raises what keeps it from hearing: OSError, NotFound.
        """


class LiveFeed(Source):
    """People in a live feed; as a source the first of them, then the next with the same skeleton; or its moments.

    Use one way, once.

    `rate_hz` is the caller's: else the sender's counts, or the first frames tell. `several` says that there may be
    several people, whose sources have their ids in their names.
    """

    live = True

    def __init__(
        self,
        name: str,
        reader: Reader,
        *,
        rate_hz: float | None = None,
        several: bool = False,
        time_unit: str = "seconds",
        silence_s: float = SILENCE_S,
    ) -> None:
        self.name = name
        self.time_unit = time_unit
        self.reader = reader
        self.several = several
        self.clock: FeedClock = FeedClock()
        """Of whoever is there the longest; each person has one, since several may send."""
        self._asked_hz = rate_hz
        self._silence_s = silence_s
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._appeared: deque[PushSource | None] = deque()
        """Whom nobody has asked for yet; None is the end."""
        self._listener: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._failure: BaseException | None = None
        self._early: deque[Moment] = deque(maxlen=EARLY)
        self._moments: SimpleQueue[Moment | None] | None = None
        """Where moments go in place of sources, once somebody has asked for them."""
        self._people: AsyncGenerator[PushSource, None] | None = None
        self._first: PushSource | None = None
        threading.Thread(target=self._read, name=f"motionscribe-{name}", daemon=True).start()

    async def people(self) -> AsyncGenerator[PushSource, None]:
        """A source for each person who appears, whose `person` is their id, until the feed has ended.

        Raises NotFound where nobody ever came, and what kept the reader from hearing, after all sources have ended.
        """
        changed = asyncio.Event()
        with self._lock:
            self._early.clear()
            self._listener = asyncio.get_running_loop(), changed
        count = 0
        try:
            while (source := await self._next(changed)) is not None:
                count += 1
                yield source
        finally:
            self.close()
        if self._failure:
            raise self._failure
        if not count:
            raise NotFound(f"expected {self.reader.where}, got nothing{self._strange()}")

    def moments(self) -> Generator[Moment | None, None, None]:
        """What the reader heard, before anything is decided about it; None where nothing came for a tenth of a second.

        Ends with the feed; when it is closed, the feed is. Raises what kept the reader from hearing.
        """
        queue: SimpleQueue[Moment | None] = SimpleQueue()
        with self._lock:
            self._moments = queue
            for early in self._early:
                queue.put(early)
            if None in self._appeared:
                queue.put(None)
        try:
            while True:
                try:
                    moment = queue.get(timeout=GATHER_S)
                except Empty:
                    yield None
                    continue
                if moment is None:
                    break
                yield moment
        finally:
            self.close()
        if self._failure:
            raise self._failure

    async def _next(self, changed: asyncio.Event) -> PushSource | None:
        while True:
            changed.clear()
            with self._lock:
                if self._appeared:
                    return self._appeared.popleft()
            await changed.wait()

    async def ready(self) -> None:
        """Waits for the first person. Raises NotFound after OPENING_S, and what `people` raises."""
        if self._first is None:
            self._people = self.people()
            try:
                async with asyncio.timeout(OPENING_S):
                    self._first = await anext(self._people)
            except TimeoutError:
                raise NotFound(
                    f"expected {self.reader.where} within {OPENING_S:g} s, got nothing{self._strange()}"
                ) from None
            self.skeleton, self.rate_hz = self._first.skeleton, self._first.rate_hz

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Frames of one person after the other; numbers go on."""
        await self.ready()
        person, people, seq, newest_us = self._first, self._people, 1, -(2**63)
        if person is None or people is None:
            raise RuntimeError("ready without a person")
        async with aclosing(people):
            while person:
                if person.skeleton == self.skeleton:
                    begun_us, skipped = newest_us, 0
                    async for block in person.blocks(size):
                        # frames of the next person have waited since they appeared, beside those of the last one;
                        # where more are earlier than can have waited, the clock was set back: in_order.py sees to it
                        waited = begun_us == newest_us and skipped < CAPACITY
                        old = int(np.count_nonzero(block.timestamps_us <= begun_us)) if waited else 0
                        skipped += old
                        if old < len(block):
                            newest_us = int(block.timestamps_us[-1])
                            fresh = block.rows(old, len(block))
                            yield replace(fresh, first_seq=seq)
                            seq += len(fresh)
                    self.drop(person.dropped)
                else:
                    log.warning("%s: left out: somebody with another skeleton; people() has everybody", self.name)
                person = await anext(people, None)

    def close(self) -> None:
        """Nothing more is read, and the sources of persons end."""
        self._stopped.set()

    def _strange(self) -> str:
        return f", but {self.reader.strange} packets that are something else" if self.reader.strange else ""

    def _read(self) -> None:
        """The thread."""
        gate: Gate | None = None
        heard_us, hinted = now_us(), False
        try:
            with closing(self.reader.moments()) as moments:
                for moment in moments:
                    if self._stopped.is_set():
                        break
                    if moment is not None:
                        heard_us, hinted = now_us(), True
                        if self._hand_on(moment):
                            continue
                        rate_hz = self._asked_hz or self.reader.rate_hz or None
                        gate = gate or Gate(self, rate_hz)
                        self._tell(gate.take(moment))
                        continue
                    silent_s = (now_us() - heard_us) / 1e6
                    if silent_s > self._silence_s:
                        break
                    if not hinted and silent_s > HINT_S:
                        hinted = True
                        log.warning("%s: waiting for %s%s", self.name, self.reader.where, self._strange())
        except BaseException as error:
            self._failure = error
        self._tell([*(gate.end() if gate else []), None])

    def _hand_on(self, moment: Moment) -> bool:
        """Whether somebody wants moments, and has it."""
        with self._lock:
            if self._moments is not None:
                self._moments.put(moment)
                return True
            if self._listener is None:
                self._early.append(moment)
            return False

    def _tell(self, sources: list[PushSource] | list[PushSource | None]) -> None:
        if not sources:
            return
        with self._lock:
            if self._moments is not None and None in sources:
                self._moments.put(None)
            self._appeared.extend(sources)
            self._forget()
            if self._listener:
                loop, changed = self._listener
                with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                    loop.call_soon_threadsafe(changed.set)

    def _forget(self) -> None:
        """Of more people than can be there at a time, those whom nobody asked for before they left."""
        waiting = [source for source in self._appeared if source]
        gone = [source for source in waiting if source.closed]
        for source in gone[: max(0, len(waiting) - MOST_PEOPLE)]:
            self._appeared.remove(source)
            self.drop(source.dropped + len(source))
