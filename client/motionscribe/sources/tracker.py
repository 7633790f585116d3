"""Who is who from moment to moment: whoever is nearest to where somebody's pelvis was is the same person.

In: places of pelvises with the sizes of bodies, and times. Out: a number for each person, 1, 2, 3, ..., never given
again. Who is away for two seconds or less keeps the number. Pure: no images, no clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import dist

REACH = 0.5
"""How far a pelvis goes between two moments, in sizes of its body."""
REACH_PER_S = 1.5
"""How much farther the longer it was not seen, as in recordings/individuals.py at 30 Hz."""
AWAY_US = 2_000_000
"""Who is away for longer is somebody new on return."""
NEWCOMER_US = 300_000
"""Who was there for so long without a break is a person: MediaPipe sees ghosts of two or three images."""


@dataclass(frozen=True)
class Spot:
    """Where somebody is, in an image or in space."""

    place: tuple[float, ...]
    """Of the pelvis, in pixels or in a unit of length. Nobody goes from an image to space."""
    size: float
    """Of the body, in the same unit: the largest of its extents."""


@dataclass(frozen=True)
class _Track:
    spot: Spot
    seen_us: int
    """When it was there."""
    since_us: int
    """When it was seen first."""

    def reach(self, time_us: int) -> float:
        """How far the pelvis can be from the spot by then."""
        return self.spot.size * (REACH + REACH_PER_S * (time_us - self.seen_us) / 1e6)


class Tracker:
    """Follows people. Times are microseconds and increase."""

    def __init__(self) -> None:
        self._people: dict[int, _Track] = {}
        self._newcomers: list[_Track] = []
        """Those in the newest moment that are no people yet."""
        self._count = 0

    @property
    def present(self) -> frozenset[int]:
        """Who was there in the newest moment, or not longer ago than two seconds."""
        return frozenset(self._people)

    def leave(self, time_us: int) -> None:
        """Nobody says who is here, but time passes: who is away for too long has left."""
        self._people = {n: track for n, track in self._people.items() if time_us - track.seen_us <= AWAY_US}
        self._newcomers = [track for track in self._newcomers if time_us - track.seen_us <= NEWCOMER_US]

    def follow(self, time_us: int, spots: Sequence[Spot]) -> list[int]:
        """The number of who is at each spot of a moment, 0 for a newcomer."""
        self._people = {n: track for n, track in self._people.items() if time_us - track.seen_us <= AWAY_US}
        everywhere = dict(enumerate(spots))
        people = _nearest(time_us, everywhere, self._people)
        others = {index: spot for index, spot in everywhere.items() if index not in people}
        newcomers = _nearest(time_us, others, dict(enumerate(self._newcomers)))
        before, self._newcomers = self._newcomers, []
        for index, spot in others.items():
            since_us = before[newcomers[index]].since_us if index in newcomers else time_us
            if time_us - since_us >= NEWCOMER_US:
                self._count += 1
                people[index] = self._count
            else:
                self._newcomers.append(_Track(spot, time_us, since_us))
        self._people |= {number: _Track(spots[index], time_us, time_us) for index, number in people.items()}
        return [people.get(index, 0) for index in everywhere]


def _nearest(time_us: int, spots: Mapping[int, Spot], tracks: Mapping[int, _Track]) -> dict[int, int]:
    """Index of a spot -> key of the track that goes on there. The nearest pairs come first, each once."""
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, index, key in sorted(_pairs(time_us, spots, tracks)):
        if index not in found and key not in taken:
            found[index] = key
            taken.add(key)
    return found


def _pairs(time_us: int, spots: Mapping[int, Spot], tracks: Mapping[int, _Track]) -> Iterator[tuple[float, int, int]]:
    """Distance, index and key where the track can go on at the spot."""
    places = [(index, spot.place, spot.place[0]) for index, spot in spots.items()]
    for key, track in tracks.items():
        before, reach = track.spot.place, track.reach(time_us)
        least, most = before[0] - reach, before[0] + reach
        for index, place, x in places:
            if not least <= x <= most or len(place) != len(before):  # most are too far away by one number already
                continue
            distance = dist(place, before)
            if distance <= reach:
                yield distance, index, key
