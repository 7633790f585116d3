"""Moments of a feed to a take for each person: all that came of them, and when.

In: moments as a reader heard them. Out: pieces of takes. No thread, no network, no file, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.crowd import Crowd
from motionscribe.sources.gate import measured_hz
from motionscribe.sources.moments import Body, Moment
from motionscribe_models.recordings.take import Take
from motionscribe_models.skeleton import Skeleton

MOST = 64
"""Takes of one feed: frames of further persons and skeletons are left out."""


@dataclass(frozen=True)
class Part:
    """Whose take it is, and of which of their skeletons; a person who goes on with another one begins another take."""

    person: str
    """Their id; empty where the feed has one person only."""
    skeleton: int
    """0, 1, 2, ... in the order in which they came."""


@dataclass
class _Heard:
    skeleton: Skeleton
    is_sure: bool
    """Whether its first frame had confidences."""
    frames: list[tuple[int, int, Body]] = field(default_factory=list)
    """Time, arrival and body of those that nobody has taken yet."""


class Takes:
    """Of the feed that scheme `feed` opens. With `several`, people are told apart as everywhere: by crowd.py.

    With `person`, frames of all others are passed over.
    """

    def __init__(self, feed: str, *, several: bool, person: str | None = None) -> None:
        self.left_out = 0
        """Frames beyond MOST takes."""
        self._feed = feed
        self._person = person
        self._crowd = Crowd() if several else None
        self._heard: dict[Part, _Heard] = {}

    def take(self, moment: Moment) -> None:
        """Keeps a moment."""
        there: Mapping[str, Body] = {"": moment.bodies[0]} if moment.bodies else {}
        if self._crowd:
            there = self._crowd.take(moment)
        for person, body in there.items():
            if self._crowd and self._person not in (None, person):
                continue
            heard = self._of(person, body)
            if heard:
                heard.frames.append((moment.time_us, moment.arrived_us, body))
            else:
                self.left_out += 1

    def pop(self, claimed_hz: float | None = None) -> dict[Part, Take]:
        """What came since the last time. The rate is the one that is claimed, else the one that the times show."""
        return {part: self._cut(part, heard, claimed_hz) for part, heard in self._heard.items() if heard.frames}

    def _of(self, person: str, body: Body) -> _Heard | None:
        number = 0
        while heard := self._heard.get(Part(person, number)):
            if heard.skeleton is body.skeleton or heard.skeleton == body.skeleton:
                return heard
            number += 1
        if len(self._heard) == MOST:
            return None
        heard = self._heard[Part(person, number)] = _Heard(body.skeleton, body.confidences is not None)
        return heard

    def _cut(self, part: Part, heard: _Heard, claimed_hz: float | None) -> Take:
        frames, heard.frames = heard.frames, []
        times = [time_us for time_us, _, _ in frames]
        skeleton = replace(heard.skeleton, rate_hz=claimed_hz or measured_hz(times) or heard.skeleton.rate_hz)
        return Take(
            name=f"{self._feed}-{part.person}" if part.person else self._feed,
            frames=np.stack([body.values for _, _, body in frames]).astype(np.float32),
            times_us=np.array(times, np.int64),
            arrived_us=np.array([arrived_us for _, arrived_us, _ in frames], np.int64),
            skeleton=skeleton,
            feed=self._feed,
            confidences=np.stack([_sure(body) for _, _, body in frames]) if heard.is_sure else None,
        )


def _sure(body: Body) -> NDArray[np.float32]:
    """Where a sender says nothing of a frame, nothing is in doubt."""
    if body.confidences is None:
        return np.ones(len(body.skeleton.joints), np.float32)
    return body.confidences.astype(np.float32)
