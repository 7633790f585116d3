"""Datagrams of MVN to moments: the parts of a sample are put together, and each character's clock goes on.

In: datagrams and when they came. Out: a moment for each sample of each character, of whom there are 256 at most. Parts
of a sample may come in any order; a sample that lacks some when the next begins is passed on with NaN in their place.
Pure: no network, no clock.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.mvn.datagram import KINDS, SEGMENTS, Part, decode, metres_of

LATE = 16
"""Samples: one that is so few before the newest is late, of more the sender has started again.

Also parts of one late sample: where more come, or those of two late ones, the clock was set back."""
WRAP_MS = 60_000
"""A time code that goes from its end to its beginning within a minute goes on there."""
CODES = 2**32
"""Of times and of samples."""
SILENT_US = 2_000_000
"""When one type of poses has not come for so long, another one counts."""


@dataclass
class _Sample:
    """Parts of one sample."""

    kind: str
    time_us: int
    arrived_us: int
    parts: dict[int, Part] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        last = max(self.parts)
        return self.parts[last].is_last and len(self.parts) == last + 1

    @property
    def places(self) -> NDArray[np.float64]:
        """(23, 3), NaN for what did not come."""
        places = np.full((len(SEGMENTS), 3), np.nan)
        for part in self.parts.values():
            places = np.where(np.isnan(part.places), places, part.places)
        return places


class _Character:
    """What is known of one character."""

    def __init__(self, number: int) -> None:
        self._id = str(number + 1)
        self._kind = ""
        self._kind_heard_us = 0
        self._newest: Part | None = None
        self._waiting: _Sample | None = None
        self._time_us = 0
        self._turns = 0
        """How often the time code has begun anew."""
        self._metres: float | None = None
        self._late: list[tuple[Part, int]] = []
        """Parts of a sample before the newest, and their arrivals."""
        self.left_out = 0
        """Parts that came late."""

    def take(self, part: Part, arrived_us: int) -> list[Moment]:
        """Samples that are over now."""
        if self._kind not in ("", part.kind) and arrived_us - self._kind_heard_us <= SILENT_US:
            return []  # MVN sends all the types that are ticked there: one is enough
        newest = self._newest
        over: list[Moment] = []
        if part.kind != self._kind:
            over, self._metres = self.end(), None
        self._kind, self._kind_heard_us = part.kind, arrived_us
        is_same = newest and (part.sample, part.time_ms, part.kind) == (newest.sample, newest.time_ms, newest.kind)
        if newest and not is_same and (newest.sample - part.sample) % CODES < LATE and part.time_ms <= newest.time_ms:
            return over + self._put_off(part, arrived_us)
        self.left_out += len(self._late)
        self._late = []
        if not is_same or self._waiting is None:  # a sample that comes again is not judged here
            over += self.end()
            self._waiting = _Sample(part.kind, self._time(part), arrived_us)
            self._newest = part
        if self._waiting:
            self._waiting.arrived_us = arrived_us
            self._waiting.parts[part.index] = part
            if self._waiting.is_whole:
                over += self.end()
        return over

    def _put_off(self, part: Part, arrived_us: int) -> list[Moment]:
        """Samples of parts that were put off, once they show that the clock goes on from an earlier time."""
        self._late.append((part, arrived_us))
        first, _ = self._late[0]
        if (part.sample, part.time_ms) == (first.sample, first.time_ms) and len(self._late) <= LATE:
            return []
        late, self._late = self._late, []
        over = self.end()
        self._newest = None
        for one in late:
            over += self.take(*one)
        return over

    def end(self) -> list[Moment]:
        """The sample that waits, when no more of it comes. It is left out as long as its unit is not known."""
        sample, self._waiting = self._waiting, None
        if sample is None:
            return []
        self._metres = self._metres or metres_of(sample.places)
        if not self._metres:
            return []
        values = (sample.places * self._metres).astype(np.float32).ravel()
        body = Body(KINDS[sample.kind].skeleton, values, person=self._id)
        return [Moment(sample.time_us, sample.arrived_us, [body])]

    def _time(self, part: Part) -> int:
        """Microseconds by the sender's clock; of a second sample in one millisecond one more than the first's."""
        before = self._newest
        if before and part.time_ms < before.time_ms:
            wraps = (part.time_ms - before.time_ms) % CODES < WRAP_MS
            self._turns = self._turns + 1 if wraps else 0
        if before and (part.sample, part.time_ms) == (before.sample, before.time_ms):
            return self._time_us
        is_same = before is not None and part.time_ms == before.time_ms
        self._time_us = self._time_us + 1 if is_same else (self._turns * CODES + part.time_ms) * 1000
        return self._time_us


class Characters:
    """All characters of one sender. Their ids are 1 for character 0, and so on."""

    def __init__(self) -> None:
        self._characters: dict[int, _Character] = {}

    @property
    def left_out(self) -> int:
        """Parts that came late."""
        return sum(character.left_out for character in self._characters.values())

    def take(self, packet: bytes, arrived_us: int) -> list[Moment]:
        """What is complete with a datagram that came at `arrived_us`. Raises NotMvn."""
        part = decode(packet)
        if part is None:
            return []
        if part.character not in self._characters:
            self._characters[part.character] = _Character(part.character)
        return self._characters[part.character].take(part, arrived_us)

    def end(self) -> list[Moment]:
        """What waits for more, when nothing comes for a while."""
        return [moment for character in self._characters.values() for moment in character.end()]
