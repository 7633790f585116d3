"""Moments of a live feed to sources of persons, frame by frame.

In: moments. Out: a PushSource for each person who appears, fed from then on, closed when they have left or go on with
another skeleton. A person's first frames wait until the rate is known. Several senders may send to one feed, so each
person has a clock. No thread, no network, no clock of its own.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import fmean, median
from typing import Protocol

from motionscribe.feed_clock import FeedClock
from motionscribe.sources.crowd import Crowd
from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.push import PushSource
from motionscribe_models.skeleton import Skeleton

log = logging.getLogger(__name__)

FEW = 10
"""Frames after which somebody is a person, and the rate is known."""
MOST_PEOPLE = 64
"""At a time, those who wait included: a sender may give a new id to every frame."""
STANDSTILL_HZ, FASTEST_HZ = 1.0, 1000.0
"""What a measured rate is kept within: the first times of a sender may be anything."""


class Crowded(Protocol):
    """What is asked of a feed."""

    name: str
    several: bool
    clock: FeedClock
    """Of whoever is there the longest."""
    time_unit: str

    def drop(self, frames: int) -> None:
        """Counts frames of those who are in no source."""


@dataclass
class _Person:
    skeleton: Skeleton
    """As the sender's bodies have it."""
    waiting: list[tuple[int, Body]] = field(default_factory=list)
    """Times and frames before the source is there."""
    clock: FeedClock = field(default_factory=FeedClock)
    source: PushSource | None = None


class Gate:
    """Makes the sources of one feed: called NAME-PERSON where it can have several people, else as the feed is.

    `rate_hz` is known from elsewhere, None is measured.
    """

    def __init__(self, feed: Crowded, rate_hz: float | None) -> None:
        self._feed = feed
        self._rate_hz = rate_hz
        self._crowd = Crowd()
        self._people: dict[str, _Person] = {}
        """Whoever is there the longest comes first."""
        self._changes = 0
        self._is_full = False
        """Whether people were told so."""

    def take(self, moment: Moment) -> list[PushSource]:
        """The sources of those who appear now."""
        there = self._crowd.take(moment)
        appeared = []
        self._leave(self._people.keys() - self._crowd.present)
        for id, body in there.items():
            person = self._people.get(id)
            if person is None and len(self._people) >= MOST_PEOPLE:
                self._refuse(id)
                continue
            if person and person.skeleton is not body.skeleton and person.skeleton != body.skeleton:
                self._change(id)
                person = None
            if person is None:
                person = self._people[id] = _Person(body.skeleton)
            person.clock.take(moment.time_us, moment.arrived_us)
            if person.source:
                person.source.push(body.values, moment.time_us, body.confidences)
                continue
            person.waiting.append((moment.time_us, body))
            if len(person.waiting) >= FEW:
                appeared.append(self._open(id, person))
        if there and next(iter(self._people)) in there:
            self._feed.clock.take(moment.time_us, moment.arrived_us)
        return appeared

    def end(self) -> list[PushSource]:
        """No more moments come: those who still waited appear, short as they are, and all sources end."""
        appeared = [self._open(id, person) for id, person in self._people.items() if not person.source]
        self._leave(list(self._people))
        return appeared

    def _refuse(self, id: str) -> None:
        self._feed.drop(1)
        if not self._is_full:
            self._is_full = True
            log.warning("%s: left out: %s and others, with %d people there", self._feed.name, id, MOST_PEOPLE)

    def _change(self, id: str) -> None:
        """Somebody goes on with another skeleton; two programs that send as one person may do so in every frame."""
        self._leave([id])
        self._changes += 1
        if _is_round(self._changes):
            times = f" (such changes so far: {self._changes})" if self._changes > 1 else ""
            log.warning("%s: %s goes on with another skeleton%s", self._feed.name, id or "the sender", times)

    def _leave(self, ids: Iterable[str]) -> None:
        """Ends sources. Who still waited was nobody."""
        for id in ids:
            person = self._people.pop(id)
            self._feed.drop(len(person.waiting))
            if person.source:
                person.source.close()

    def _open(self, id: str, person: _Person) -> PushSource:
        rate_hz = self._rate_hz or measured_hz([time_us for time_us, _ in person.waiting]) or person.skeleton.rate_hz
        name = f"{self._feed.name}-{id}" if self._feed.several else self._feed.name
        source = PushSource(name=name, skeleton=replace(person.skeleton, rate_hz=rate_hz))
        source.person, source.clock, source.time_unit = id, person.clock, self._feed.time_unit
        source.live = True
        for time_us, body in person.waiting:
            source.push(body.values, time_us, body.confidences)
        person.waiting, person.source = [], source
        return source


def _is_round(count: int) -> bool:
    """1, 10, 100, ..."""
    return not str(count)[1:].strip("0") and str(count)[0] == "1"


def measured_hz(times: Sequence[int]) -> float:
    """Frames a second; 0 where the times do not tell."""
    steps = [after - before for before, after in pairwise(times) if after > before]
    if not steps:
        return 0.0
    usual = median(steps)  # whole milliseconds at 120 Hz are steps of 8 and 9, and a lost frame is no slower rate
    return min(max(1e6 / fmean(step for step in steps if step < 2 * usual), STANDSTILL_HZ), FASTEST_HZ)
